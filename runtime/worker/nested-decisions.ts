import type { CallDecision } from "../api/approval-decision.ts";
import type { PendingCall } from "../api/events.ts";
import { parseRef } from "../api/names.ts";
import { agentUse } from "./agent-use.ts";
import { type DelegateResult, delegate } from "./delegate.ts";
import { answerCall } from "./tool-calls.ts";
import { agentToolName } from "./toolbox.ts";
import type { Turn } from "./turn-context.ts";

type Waiting = NonNullable<PendingCall["delegate"]>;

/**
 * Hands people's decisions to the agents that wait for them, one message for each task.
 *
 * @returns How these tasks went on; one may wait for people again.
 * @throws The turn's abort reason.
 */
export async function resumeDelegates(
  turn: Turn,
  decisions: readonly CallDecision[],
): Promise<readonly DelegateResult[]> {
  const byTask = Map.groupBy(decisions, ({ call }) => call.delegate?.taskId);
  const resumed = await Promise.all(
    [...byTask.values()].map((group) => resumeDelegate(turn, group)),
  );
  return resumed.filter((result) => result !== undefined);
}

async function resumeDelegate(
  turn: Turn,
  group: readonly CallDecision[],
): Promise<DelegateResult | undefined> {
  const waiting = group[0]?.call.delegate;
  if (waiting === undefined) return undefined;
  const name = agentToolName(parseRef(waiting.agent));
  const use = agentUse(turn.config, waiting.agent);
  if (use === undefined) {
    const text = `Agent ${waiting.agent} is not available any more.`;
    await answerCall(turn, { id: waiting.callId, name }, text, "failed");
    return undefined;
  }
  const { taskId, contextId, callId, output }: Waiting = waiting;
  const parts = [{ data: batch(group) }];
  return await delegate(turn, { callId, name, use, parts, output, resumes: { taskId, contextId } });
}

/** The decisions in the form that agents take them (kagent-api section 3.3). */
function batch(group: readonly CallDecision[]): object {
  const answer = group.find((item) => item.decision === "answer");
  if (answer !== undefined)
    return {
      decision_type: "approve",
      ask_user_answers: answer.answers.map((words) => ({ answer: words })),
    };
  const reasons = group.flatMap((item) =>
    item.decision === "reject" && item.reason !== undefined
      ? [[item.call.callId, item.reason] as const]
      : [],
  );
  const edits = group.flatMap((item) =>
    item.decision === "approve" && item.editedArgs !== undefined
      ? [[item.call.callId, item.editedArgs] as const]
      : [],
  );
  return {
    decision_type: "batch",
    decisions: Object.fromEntries(group.map(({ call, decision }) => [call.callId, decision])),
    ...(reasons.length === 0 ? {} : { rejection_reasons: Object.fromEntries(reasons) }),
    ...(edits.length === 0 ? {} : { edited_args: Object.fromEntries(edits) }),
  };
}
