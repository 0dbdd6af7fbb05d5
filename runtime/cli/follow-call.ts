import { AgentCallError, callAgent } from "../a2a/client.ts";
import { untilAborted } from "../a2a/until-aborted.ts";
import type { Part } from "../api/events.ts";
import type { ObjectRef } from "../api/names.ts";
import type { CallReader } from "./call-report.ts";
import { agentUrl, type Connection, unreachable } from "./connection.ts";
import { CommandError, EXIT } from "./output.ts";

/** A message to an agent of the platform. */
export interface Message {
  readonly connection: Connection;
  readonly agent: ObjectRef;
  readonly parts: readonly Part[];
  /** Longest wait for the end of the turn. */
  readonly timeoutMs: number;
  /** Continues a session. */
  readonly contextId?: string;
  /** Answers a task that waits. */
  readonly taskId?: string;
  /** What Ctrl-C and a time-out do: a task that was asked for ends, one that was decided about goes on. */
  readonly onStop: "cancel" | "leave";
}

/**
 * Sends a message and hands everything that comes back to `reader`.
 *
 * @returns A failure to end with once the report is out: `--json` tells it in the report too.
 * @throws What went wrong otherwise.
 */
export async function follow(
  reader: CallReader,
  message: Message,
): Promise<CommandError | undefined> {
  const { connection, agent, parts, timeoutMs, contextId, taskId, onStop } = message;
  const stop = new AbortController();
  const interrupted = (): void => {
    stop.abort(new CommandError(`interrupted; ${FATE[onStop]}`, EXIT.failed));
  };
  const late = setTimeout(() => {
    stop.abort(new CommandError(`gave up waiting (--timeout); ${FATE[onStop]}`, EXIT.failed));
  }, timeoutMs);
  process.once("SIGINT", interrupted);
  const call = {
    url: agentUrl(connection, agent),
    parts,
    metadata: {},
    headers: connection.headers,
    ...(contextId === undefined ? {} : { contextId }),
    ...(taskId === undefined ? {} : { taskId }),
  };
  try {
    const updates =
      onStop === "cancel"
        ? callAgent(call, stop.signal)
        : untilAborted(callAgent(call, NEVER), stop.signal);
    for await (const update of updates) await reader.take(update);
    stop.signal.throwIfAborted();
    return undefined;
  } catch (error) {
    const failure = translated(error, connection);
    const known = failure instanceof CommandError || failure instanceof AgentCallError;
    if (!reader.json || !known) throw failure;
    const code = error instanceof AgentCallError ? error.code : "canceled";
    reader.report.error = { code, message: failure.message };
    return failure instanceof CommandError ? failure : undefined;
  } finally {
    clearTimeout(late);
    process.off("SIGINT", interrupted);
  }
}

/** What becomes of a task that nobody waits for any more. */
const FATE = { cancel: "the task was cancelled", leave: "the task goes on" } as const;
const NEVER = new AbortController().signal;

function translated(error: unknown, connection: Connection): unknown {
  if (error instanceof AgentCallError && error.code === "unreachable")
    return unreachable(connection, error);
  return error;
}
