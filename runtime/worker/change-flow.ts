import type { AgentToolUse } from "../api/agent-config.ts";
import type { Envelope } from "../api/envelope.ts";
import { type Part, textOf } from "../api/events.ts";
import { ENVELOPE_MEDIA_TYPE, refKey } from "../api/names.ts";
import { askedParts, attachments } from "./attachments.ts";
import { type DelegateAnswer, sentEnvelope, taskEvents } from "./delegate-answers.ts";
import type { Handover } from "./handoff.ts";
import type { Turn } from "./turn-context.ts";

/** The agent that proposes changes where an envelope with one names nobody (decisions 39). */
const GIT_AGENT = "git-agent";
/** What a hand-over says of itself that an envelope brought about. */
const WHEN = "follow_up_agent";

/**
 * The hand-over that the first envelope with a proposed change asks for (decisions 39); `undefined` when none proposes
 * one, or nobody is left who could make it: only agents among the tools can, and none that answered in this task.
 */
export function changeHandover(
  turn: Turn,
  answers: readonly DelegateAnswer[],
): Handover | undefined {
  for (const answer of answers) {
    const envelope = answer.ok ? sentEnvelope(answer) : undefined;
    const path = envelope?.data.proposed_change?.file_path.trim() ?? "";
    const use = envelope === undefined || path === "" ? undefined : followUp(turn, envelope);
    if (use !== undefined)
      return { use, when: WHEN, wait: true, parts: findingsParts(turn, answer) };
  }
  return undefined;
}

function followUp(turn: Turn, { follow_up_agent: named }: Envelope): AgentToolUse | undefined {
  const asked = new Set(
    taskEvents(turn).flatMap(({ body }) => (body.type === "tool-call" ? [body.target.ref] : [])),
  );
  const free = turn.config.agents.filter(({ ref }) => !asked.has(refKey(ref)));
  const called = (name: string) =>
    free.find(({ ref }) => ref.name === name || refKey(ref) === name);
  return called(named ?? GIT_AGENT) ?? called(GIT_AGENT);
}

/**
 * The request of this task with what another agent found out about it: the text for readers, the envelope as data, and
 * the files that came with the request.
 */
export function findingsParts(turn: Turn, answer: DelegateAnswer): readonly Part[] {
  const envelope = sentEnvelope(answer);
  const found = envelope?.summary ?? textOf(answer.parts);
  const text = `${textOf(askedParts(turn))}\n\nFindings of ${refKey(answer.agent)}: ${found}`;
  const data = envelope === undefined ? [] : [envelopePart(envelope)];
  return [{ text }, ...data, ...attachments(turn)];
}

/** Excerpts of tool results are for whoever checks an answer: here they would only fill the next context. */
function envelopePart({ usage: _, ...envelope }: Envelope): Part {
  return { data: { ...envelope, evidence: [] }, mediaType: ENVELOPE_MEDIA_TYPE };
}
