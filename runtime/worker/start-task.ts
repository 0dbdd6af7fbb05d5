import { type Part, textOf } from "../api/events.ts";
import { refKey } from "../api/names.ts";
import { LimitError } from "./budget.ts";
import { agentCall, childContextId, type Delegation } from "./delegate.ts";
import type { ToolAnswer, Turn } from "./turn-context.ts";

/**
 * Starts a task of another agent and leaves it to itself: what it does is read until the task is known, and no further.
 *
 * Call and result are events of this turn; a task that could not be started is a result that says why.
 *
 * @throws LimitError before a call that would be one too many.
 * @throws The turn's abort reason.
 */
export async function startTask(turn: Turn, delegation: Delegation): Promise<void> {
  const { deps, budget, emit } = turn;
  const { callId, name, use } = delegation;
  const contextId = childContextId(turn, use);
  budget.startToolCall();
  budget.startDelegation();
  const begin = deps.clock.monotonic();
  await announce(turn, delegation);
  const { ok, parts } = await started(turn, delegation, contextId);
  const ms = Math.round(deps.clock.monotonic() - begin);
  await emit.event({
    type: "tool-result",
    callId,
    name,
    ok,
    parts: [...parts],
    ms,
    childContextId: contextId,
  });
}

/**
 * Does `work`, a call of another agent; where a limit forbids it, the call is in the log with a result that says so,
 * instead of the turn's end.
 *
 * @returns `undefined` for a call that a limit forbade.
 */
export async function withinLimits<T>(
  turn: Turn,
  delegation: Delegation,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    turn.signal.throwIfAborted();
    if (!(error instanceof LimitError)) throw error;
    const { callId, name } = delegation;
    const parts: Part[] = [{ text: `${error.message}.` }];
    await announce(turn, delegation);
    await turn.emit.event({ type: "tool-result", callId, name, ok: false, parts, ms: 0 });
    return undefined;
  }
}

async function announce(turn: Turn, { callId, name, use, parts }: Delegation): Promise<void> {
  const target = { kind: "agent", ref: refKey(use.ref) } as const;
  const args = { request: textOf(parts) };
  await turn.emit.event({ type: "tool-call", callId, name, args, target });
}

async function started(turn: Turn, delegation: Delegation, contextId: string): Promise<ToolAnswer> {
  const who = refKey(delegation.use.ref);
  const failed = (why: string) => ({ ok: false, parts: [{ text: why }] });
  try {
    const call = agentCall(turn, delegation, contextId);
    for await (const update of turn.deps.agents.call(call, turn.signal)) {
      if (update.kind === "task")
        return {
          ok: true,
          parts: [{ text: `Task ${update.taskId} of agent ${who} was started.` }],
        };
      // An agent without tasks answers at once.
      if (update.kind === "result" && update.state === "completed")
        return { ok: true, parts: update.parts };
      if (update.kind === "result")
        return failed(update.error?.message ?? `it ended ${update.state}`);
    }
    return failed(`agent ${who} named no task`);
  } catch (error) {
    turn.signal.throwIfAborted();
    return failed(error instanceof Error ? error.message : String(error));
  }
}
