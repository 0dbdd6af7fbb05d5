import { argsHash } from "../api/approval-decision.ts";
import { openRequest } from "../api/approval-request.ts";
import { type Event, type EventOf, isTerminal, type PendingCall } from "../api/events.ts";
import { gitWriteTool } from "../api/rules/git-writes.ts";
import type { ModelToolCall } from "../model/chat-model.ts";
import { approvalOf } from "./approval-ask.ts";
import { blobSha, GitReadBack } from "./git-read-back.ts";
import { answerCall } from "./tool-calls.ts";
import type { Toolbox } from "./toolbox.ts";
import type { Turn } from "./turn-context.ts";

type Arguments = Readonly<Record<string, unknown>>;

/** Whether a call ran, as far as it can be read back. */
type Outcome = "executed" | "not-executed" | "unknown";

/**
 * Calls of the session that were about to run and have no result: the worker ended in between, or the turn did
 * (decisions 18). Those that people are being asked about are not among them.
 */
export function openIntents(events: readonly Event[]): readonly EventOf<"tool-intent">[] {
  const open = new Map<string, EventOf<"tool-intent">>();
  for (const { body } of events) {
    if (body.type === "tool-intent") open.set(body.callId, body);
    if (body.type === "tool-result") open.delete(body.callId);
  }
  if (open.size === 0) return [];
  for (const callId of askedAbout(events)) open.delete(callId);
  return [...open.values()];
}

/** Calls that a task of the session which is not over waits for. */
function askedAbout(events: readonly Event[]): readonly string[] {
  const over = new Set(
    events.flatMap(({ taskId, body }) =>
      body.type === "status" && isTerminal(body.state) ? [taskId] : [],
    ),
  );
  const open = [...new Set(events.map(({ taskId }) => taskId))].filter((id) => !over.has(id));
  return open.flatMap(
    (id) => openRequest(events, id)?.body.pending.map(({ callId }) => callId) ?? [],
  );
}

/**
 * Settles what an earlier turn left open before anything new is done: reads back where the tool can be read back and
 * writes the result; nothing is run.
 *
 * @returns Requests about the calls of which nobody can tell whether they ran: people decide, with that in the hint.
 * @throws The turn's abort reason.
 */
export async function settleIntents(
  turn: Turn,
  toolbox: () => Promise<Toolbox>,
): Promise<readonly PendingCall[]> {
  const pending: PendingCall[] = [];
  for (const intent of openIntents(turn.history())) {
    const { callId: id, name } = intent;
    const tool = (await toolbox()).tools.get(name);
    const args = argsOf(turn.history(), intent);
    const outcome =
      tool?.kind === "mcp" && args !== undefined
        ? await readBack(new GitReadBack(turn, tool.use, { name, args }), name, args)
        : "unknown";
    if (outcome === "executed") await answerCall(turn, { id, name }, EXECUTED, "answered");
    else if (outcome === "not-executed") await answerCall(turn, { id, name }, MISSED, "failed");
    else if (tool?.kind !== "mcp" || args === undefined)
      await answerCall(turn, { id, name }, LOST, "failed");
    else pending.push(await approvalOf(turn, tool, { id, name, args }, DOUBT));
  }
  return pending;
}

const EXECUTED =
  "The turn ended while this call ran. Read back since then: it was executed, what it was to write is there.";
const MISSED =
  "The turn ended before this call ran. Read back since then: it was not executed. Propose it again if it is still wanted.";
const LOST =
  "The turn ended while this call ran. Whether it was executed is not known, and its tool is not available any more.";
const DOUBT =
  "outcome unknown: this call was approved before, and the turn ended while it ran. It may have been executed already; approve it only to run it (again).";

/** What the call was about to run with: an approver's arguments, or the model's; the hash tells which. */
function argsOf(
  events: readonly Event[],
  { callId, argsHash: hash }: EventOf<"tool-intent">,
): ModelToolCall["args"] | undefined {
  const candidates = events.flatMap(({ body }): readonly Arguments[] => {
    if (body.type === "tool-call" && body.callId === callId) return [body.args];
    if (body.type !== "approval-decided") return [];
    return body.decisions.flatMap(({ callId: id, editedArgs }) =>
      id === callId && editedArgs !== undefined ? [editedArgs] : [],
    );
  });
  return candidates.findLast((args) => argsHash(args) === hash);
}

async function readBack(repository: GitReadBack, name: string, args: Arguments): Promise<Outcome> {
  const text = (key: string): string => (typeof args[key] === "string" ? args[key] : "");
  switch (gitWriteTool(name)) {
    case "create_branch":
      return told(await repository.hasBranch(text("branch")));
    case "create_or_update_file":
      return await filesThere(repository, text("branch"), [args]);
    case "push_files": {
      const files = Array.isArray(args["files"]) ? (args["files"] as readonly unknown[]) : [];
      return await filesThere(repository, text("branch"), files);
    }
    case "create_pull_request":
      return told(await repository.hasPullRequest(text("head"), text("base")));
    case undefined:
    default:
      return "unknown";
  }
}

function told(found: boolean | undefined): Outcome {
  if (found === undefined) return "unknown";
  return found ? "executed" : "not-executed";
}

/** All files as they were to be written: executed; none: not; some: nobody can tell. */
async function filesThere(
  repository: GitReadBack,
  branch: string,
  files: readonly unknown[],
): Promise<Outcome> {
  const outcomes = await Promise.all(
    files.map(async (file): Promise<Outcome> => {
      const { path, content } = Object(file) as Arguments;
      if (typeof path !== "string" || typeof content !== "string") return "unknown";
      const there = await repository.file(path, branch);
      if (there.kind === "unknown") return "unknown";
      return told(there.kind === "file" && there.sha === blobSha(content));
    }),
  );
  const [first, ...rest] = new Set(outcomes);
  return first === undefined || rest.length > 0 ? "unknown" : first;
}
