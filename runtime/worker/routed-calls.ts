import { type EventOf, textOf } from "../api/events.ts";
import { refKey } from "../api/names.ts";
import { agentUse } from "./agent-use.ts";
import { askedParts } from "./attachments.ts";
import { findingsParts } from "./change-flow.ts";
import type { Delegation } from "./delegate.ts";
import {
  type DelegateAnswer,
  delegateAnswers,
  sentEnvelope,
  taskEvents,
} from "./delegate-answers.ts";
import { agentToolName } from "./toolbox.ts";
import type { Turn } from "./turn-context.ts";

/**
 * Agents of a route that are to be asked next, side by side; empty when there is nobody left.
 *
 * An agent that needs findings is asked once they are there, and not at all without them. An agent that is both asked
 * and read from is asked once.
 */
export function nextDelegations(turn: Turn, taken: EventOf<"routing">): readonly Delegation[] {
  const events = taskEvents(turn);
  const asked = new Set(
    events.flatMap(({ body }) =>
      body.type === "tool-call" && body.target.kind === "agent" ? [body.target.ref] : [],
    ),
  );
  const answers = delegateAnswers(events);
  const next = new Map<string, Delegation>();
  for (const agent of taken.agents) {
    const step = asked.has(agent) ? undefined : stepTo(taken, agent, { asked, answers });
    const delegation = step === undefined ? undefined : delegationOf(turn, step);
    if (step === undefined || delegation === undefined) continue;
    // What others need is asked for in the form in which they get it.
    if (step.purpose === "findings") next.set(step.agent, { ...delegation, output: "envelope" });
    else if (!next.has(step.agent)) next.set(step.agent, delegation);
  }
  return [...next.values()];
}

/** Who is to be asked next on the way to an agent, and with which findings. */
interface Step {
  readonly agent: string;
  readonly purpose: "findings" | "answer";
  readonly findings?: DelegateAnswer;
}

function stepTo(
  { readFirst }: EventOf<"routing">,
  agent: string,
  so: { readonly asked: ReadonlySet<string>; readonly answers: readonly DelegateAnswer[] },
): Step | undefined {
  const reader = readFirst?.[agent];
  if (reader === undefined) return { agent, purpose: "answer" };
  if (!so.asked.has(reader)) return { agent: reader, purpose: "findings" };
  const findings = so.answers.find((answer) => refKey(answer.agent) === reader);
  return isUsable(findings) ? { agent, purpose: "answer", findings } : undefined;
}

function delegationOf(turn: Turn, { agent, findings }: Step): Delegation | undefined {
  const use = agentUse(turn.config, agent);
  if (use === undefined) return undefined;
  return {
    callId: turn.deps.newId(),
    name: agentToolName(use.ref),
    use,
    parts: findings === undefined ? askedParts(turn) : findingsParts(turn, findings),
    output: turn.config.envelope === "render" ? "envelope" : "text",
  };
}

function isUsable(answer: DelegateAnswer | undefined): answer is DelegateAnswer {
  if (answer?.ok !== true) return false;
  const status = sentEnvelope(answer)?.status ?? "ok";
  return status === "ok" || status === "partial";
}

/**
 * The answers that a route comes to.
 *
 * Findings that another agent was asked with are that agent's business. Where there were none, because the agent that
 * was to give them failed or refused, the answer says what was not done.
 */
export function answersThatCount(
  { agents, readFirst = {} }: EventOf<"routing">,
  answers: readonly DelegateAnswer[],
): readonly DelegateAnswer[] {
  const answered = new Set(answers.map(({ agent }) => refKey(agent)));
  return answers.flatMap((answer) => {
    const key = refKey(answer.agent);
    const readers = agents.filter((agent) => readFirst[agent] === key);
    if (readers.length === 0) return [answer];
    const left = readers.filter((agent) => !answered.has(agent));
    if (left.length > 0) return [withoutFindings(answer, left)];
    return agents.includes(key) ? [answer] : [];
  });
}

function withoutFindings(answer: DelegateAnswer, left: readonly string[]): DelegateAnswer {
  const { agent, parts } = answer;
  const text = `No change was proposed: ${refKey(agent)} had to be asked for the state before ${left.join(", ")}, and gave no findings. ${textOf(parts)}`;
  return { agent, ok: false, parts: [{ text }] };
}
