import * as z from "zod";
import { type ObjectRef, refKey } from "../api/names.ts";
import { type Connection, readApi } from "./connection.ts";
import { CommandError, EXIT } from "./output.ts";
import type { Waiting } from "./waiting-text.ts";

const Entry = z.object({
  callId: z.string(),
  taskId: z.string(),
  contextId: z.string(),
  agent: z.object({ namespace: z.string(), name: z.string() }),
  user: z.string(),
  tool: z.string(),
  kind: z.enum(["approval", "question"]),
  requestedAt: z.string(),
  expiresAt: z.string().optional(),
  args: z.record(z.string(), z.unknown()).optional(),
  hint: z.string().optional(),
  mayDecide: z.boolean().default(true),
});
/** A call that waits for a person, as the platform lists it. */
export type InboxEntry = z.output<typeof Entry>;

/** Calls of one task that wait together: one answer decides about all of them. */
export interface WaitingTask extends Waiting {
  readonly taskId: string;
  readonly contextId: string;
  readonly agent: ObjectRef;
  readonly mayDecide: boolean;
}

/** What waits for the caller, or in tasks of the caller's own; newest first. @throws CommandError */
export async function readInbox(connection: Connection): Promise<readonly InboxEntry[]> {
  const data = await readApi(connection, "/api/approvals?state=pending");
  return z.array(Entry).parse(data);
}

/** The entries of an inbox task by task. */
export function byTask(entries: readonly InboxEntry[]): readonly WaitingTask[] {
  return [...Map.groupBy(entries, ({ taskId }) => taskId).entries()].map(([taskId, calls]) => ({
    taskId,
    contextId: calls[0]?.contextId ?? "",
    agent: calls[0]?.agent ?? { namespace: "", name: "" },
    mayDecide: calls.every(({ mayDecide }) => mayDecide),
    pending: calls.map(({ callId, kind, tool, args = {}, hint = "", expiresAt }) => ({
      callId,
      kind,
      name: tool,
      args,
      hint,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    })),
  }));
}

/** Header and rows of `kagent get approvals`, by `now` (milliseconds since 1970). */
export const INBOX_HEADER = ["TASK", "AGENT", "TOOL", "EXPIRES", "ARGUMENTS"];
/** @see INBOX_HEADER */
export function inboxRow(entry: InboxEntry, now: number): readonly string[] {
  const { taskId, agent, tool, expiresAt, args } = entry;
  return [taskId, refKey(agent), tool, remaining(expiresAt, now), shortArgs(args)];
}

/** Characters of arguments in a table. */
const MAX_ARGUMENTS = 80;

function shortArgs(args: InboxEntry["args"]): string {
  const text = args === undefined ? "" : JSON.stringify(args);
  return text.length <= MAX_ARGUMENTS ? text : `${text.slice(0, MAX_ARGUMENTS - 3)}...`;
}

function remaining(expiresAt: string | undefined, now: number): string {
  if (expiresAt === undefined) return "never";
  const minutes = Math.ceil((Date.parse(expiresAt) - now) / 60_000);
  if (minutes <= 0) return "expired";
  return minutes < 120 ? `in ${minutes}m` : `in ${Math.floor(minutes / 60)}h`;
}

/** The task that `id` names, or begins like. @throws CommandError when none does, or several do. */
export function taskNamed(tasks: readonly WaitingTask[], id: string): WaitingTask {
  const exact = tasks.find(({ taskId }) => taskId === id);
  const alike = tasks.filter(({ taskId }) => id !== "" && taskId.startsWith(id));
  const [found, second] = exact === undefined ? alike : [exact];
  if (second !== undefined)
    throw new CommandError(`${alike.length} waiting tasks begin with ${id}`, EXIT.usage);
  if (found === undefined)
    throw new CommandError(
      `no task ${id} waits for you; 'kagent get approvals' lists those that do`,
      EXIT.failed,
    );
  return found;
}
