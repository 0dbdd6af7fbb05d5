import type { AgentToolUse } from "../api/agent-config.ts";
import type { Event, EventOf, Part } from "../api/events.ts";
import { textOf } from "../api/events.ts";
import { META, refKey } from "../api/names.ts";
import { requestApproval } from "./approval-ask.ts";
import { type DelegateResult, type Delegation, delegate } from "./delegate.ts";
import { delegateAnswers, ownAnswer, taskEvents } from "./delegate-answers.ts";
import { matchingHandoff } from "./handoff-rules.ts";
import { withRemark } from "./remark.ts";
import { startTask, withinLimits } from "./start-task.ts";
import { agentToolName } from "./toolbox.ts";
import type { Turn, TurnOutcome } from "./turn-context.ts";

/** A call of another agent by the runtime, once this agent's own answer is in the log. */
export interface Handover {
  readonly use: AgentToolUse;
  /** The condition that held, or `follow_up_agent`. */
  readonly when: string;
  /** Whether the other agent's answer is the turn's. */
  readonly wait: boolean;
  /** What the other agent is told. */
  readonly parts: readonly Part[];
}

/**
 * Ends a turn with its answer, which is in the log already, or hands it over by the agent's own rules (decisions 8).
 *
 * @throws The turn's abort reason.
 */
export async function afterAnswer(turn: Turn, answer: readonly Part[]): Promise<TurnOutcome> {
  const rule = matchingHandoff(turn.config, answer, ({ rule: broken, problem }) => {
    const agent = refKey(turn.config.ref);
    turn.deps.log.error("hand-off cannot be judged", { agent, when: broken.when, problem });
  });
  if (rule === undefined) return completed(turn);
  const { use, when, wait } = rule;
  return await handOver(turn, { use, when, wait, parts: answer });
}

/**
 * Calls another agent in the name of this one. Without `wait` it goes on alone once its task is there; with it the turn
 * ends with its answer, or waits with it for people. A failure is told behind this agent's own answer.
 *
 * @throws The turn's abort reason.
 */
export async function handOver(
  turn: Turn,
  { use, when, wait, parts }: Handover,
): Promise<TurnOutcome> {
  await turn.emit.event({ type: "handoff", agent: refKey(use.ref), when, wait });
  const delegation: Delegation = {
    callId: turn.deps.newId(),
    name: agentToolName(use.ref),
    use,
    parts,
    output: wantsEnvelope(turn) ? "envelope" : "text",
  };
  if (wait) {
    const result = await withinLimits(turn, delegation, () => delegate(turn, delegation));
    return await concludeHandoff(turn, result === undefined ? [] : [result]);
  }
  await withinLimits(turn, delegation, () => startTask(turn, delegation));
  const handed = handedAnswer(turn);
  return handed?.ok === true ? completed(turn) : await tellFailure(turn, refKey(use.ref), handed);
}

/** The last hand-over of this task, once there is one: whatever the task waits for belongs to it. */
export function handoffOf(turn: Turn): EventOf<"handoff"> | undefined {
  return taskEvents(turn).findLast(isHandoff)?.body;
}

/**
 * Ends a turn with the answer of the agent it was handed over to, or waits for people if that agent does.
 *
 * @param results - How the call went on just now; what it came to is read from the log.
 */
export async function concludeHandoff(
  turn: Turn,
  results: readonly DelegateResult[],
): Promise<TurnOutcome> {
  const pending = results.flatMap((result) => result.pending);
  if (pending.length > 0) {
    await requestApproval(turn, pending);
    return { state: "input-required", usage: turn.budget.usage };
  }
  const handed = handedAnswer(turn);
  if (handed?.ok !== true) return await tellFailure(turn, handoffOf(turn)?.agent ?? "", handed);
  const rendered = turn.config.envelope === "render";
  const parts = rendered ? ownAnswer(turn, [handed]) : shown(turn, handed.parts);
  await turn.emit.event({ type: "message", role: "agent", parts: [...parts] });
  return completed(turn);
}

function completed(turn: Turn): TurnOutcome {
  return { state: "completed", usage: turn.budget.usage };
}

function wantsEnvelope({ config, request }: Turn): boolean {
  return config.envelope === "render" || request.metadata[META.output] === "envelope";
}

function isHandoff(event: Event): event is Event & { readonly body: EventOf<"handoff"> } {
  return event.body.type === "handoff";
}

/** What the other agent answered; `undefined` when it was never reached. */
function handedAnswer(turn: Turn) {
  const events = taskEvents(turn);
  return delegateAnswers(events.slice(events.findLastIndex(isHandoff))).at(-1);
}

function shown(turn: Turn, parts: readonly Part[]): readonly Part[] {
  if (turn.config.stream) turn.emit.partial(textOf(parts), false);
  return parts;
}

/** The turn has answered, so it is no failure; but what was to happen after it did not, and its caller has to know. */
async function tellFailure(
  turn: Turn,
  agent: string,
  handed: { readonly parts: readonly Part[] } | undefined,
): Promise<TurnOutcome> {
  const why = handed === undefined ? "it could not be asked." : textOf(handed.parts);
  const remark = `Handing over to ${agent} failed: ${why}`;
  const events = taskEvents(turn);
  const own = events
    .slice(0, events.findLastIndex(isHandoff))
    .findLast(({ body }) => body.type === "message" && body.role === "agent")?.body;
  const parts = withRemark(own?.type === "message" ? own.parts : [], remark);
  if (turn.config.stream) turn.emit.partial(`\n\n${remark}`, false);
  await turn.emit.event({ type: "message", role: "agent", parts: [...parts] });
  return completed(turn);
}
