import type { Envelope } from "../api/envelope.ts";
import { parseEnvelope, renderEnvelopes, wrapFreeText } from "../api/envelope-markdown.ts";
import { type Event, type Part, textOf } from "../api/events.ts";
import { ENVELOPE_MEDIA_TYPE, type ObjectRef, parseRef } from "../api/names.ts";
import { attachmentsIn } from "./attachments.ts";
import type { Turn } from "./turn-context.ts";

/** What another agent answered in this task. */
export interface DelegateAnswer {
  readonly agent: ObjectRef;
  /** False: it failed or refused, and `parts` say why. */
  readonly ok: boolean;
  readonly parts: readonly Part[];
}

/** Events of this turn's task, oldest first. */
export function taskEvents(turn: Turn): readonly Event[] {
  return turn.history().filter(({ taskId }) => taskId === turn.request.taskId);
}

/** What the agents that were asked in `events` answered, in the order of the calls. */
export function delegateAnswers(events: readonly Event[]): readonly DelegateAnswer[] {
  const results = new Map(
    events.flatMap(({ body }) =>
      body.type === "tool-result" ? [[body.callId, body] as const] : [],
    ),
  );
  return events.flatMap(({ body }) => {
    if (body.type !== "tool-call" || body.target.kind !== "agent") return [];
    const result = results.get(body.callId);
    if (result === undefined) return [];
    return [{ agent: parseRef(body.target.ref), ok: result.ok, parts: result.parts }];
  });
}

/** The envelope that an agent sent, if it sent one. */
export function sentEnvelope({ parts }: Pick<DelegateAnswer, "parts">): Envelope | undefined {
  for (const part of parts) {
    if (!("data" in part) || part.mediaType !== ENVELOPE_MEDIA_TYPE) continue;
    const envelope = parseEnvelope(part.data);
    if (envelope !== undefined) return envelope;
  }
  return undefined;
}

/** An answer as an envelope; one that came as text, or as a failure, is wrapped. */
function envelopeOf(answer: DelegateAnswer): Envelope {
  const sent = sentEnvelope(answer);
  if (sent !== undefined) return sent;
  const { agent, ok, parts } = answer;
  const text = textOf(parts);
  const wrapped = wrapFreeText(agent.name, text);
  return ok ? wrapped : { ...wrapped, status: "error", severity: "error", summary: text };
}

/** Answers of other agents as this agent's own, which is shown as it would be if a model had written it. */
export function ownAnswer(turn: Turn, answers: readonly DelegateAnswer[]): readonly Part[] {
  const rendered = turn.config.envelope === "render";
  const envelopes = rendered ? answers.map(envelopeOf) : [];
  const text = rendered
    ? renderEnvelopes(envelopes)
    : answers.map(({ parts }) => textOf(parts)).join("\n\n");
  if (turn.config.stream) turn.emit.partial(text, false);
  return [
    { text },
    ...envelopes.map((data) => ({ data, mediaType: ENVELOPE_MEDIA_TYPE })),
    ...attachmentsIn(answers.flatMap(({ parts }) => parts)),
  ];
}
