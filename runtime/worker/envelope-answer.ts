import { type Checked, check, sentence } from "../api/checked.ts";
import { type Envelope, EnvelopeAnswer } from "../api/envelope.ts";
import { envelopeAnswerJsonSchema, wrapFreeText } from "../api/envelope-markdown.ts";
import { type Event, textOf } from "../api/events.ts";
import { ENVELOPE_MEDIA_TYPE, refKey } from "../api/names.ts";
import { splitTool } from "../api/tool-catalogue.ts";
import { shortened } from "./context/readable.ts";
import type { Answered } from "./model-loop.ts";
import { structuredAnswer } from "./structured-answer.ts";
import type { Turn } from "./turn-context.ts";
import { TurnFailure } from "./turn-failure.ts";

/** Bytes of one tool result that an envelope quotes. */
const EXCERPT_BYTES = 400;
/** Most tool results that an envelope quotes. */
const MAX_EVIDENCE = 20;

const REQUEST = `Now give your answer as one JSON object of the given schema. Use only what the tools returned. "issues" lists every problem with its evidence; "resources" holds one table per Kubernetes kind that matters.`;

/**
 * Asks the model to put its answer into an envelope (decisions 7); where it cannot, the free text is wrapped,
 * so that an answer is never lost. Evidence and usage are the runtime's own.
 */
export async function envelopeAnswer(turn: Turn, end: Answered): Promise<Envelope> {
  const form = { format: envelopeAnswerJsonSchema(), request: REQUEST, read: parseAnswer };
  let why: string;
  try {
    const answer = await structuredAnswer(turn, end, form);
    if (answer.ok) return completed(turn, answer.value);
    why = sentence(answer.violations);
  } catch (error) {
    if (!(error instanceof TurnFailure)) throw error;
    why = error.message; // no room for one more call
  }
  turn.deps.log.warn("envelope could not be read", { agent: refKey(turn.config.ref), why });
  return withRuntimeFacts(turn, wrapFreeText(turn.config.ref.name, end.text));
}

function parseAnswer(text: string): Checked<EnvelopeAnswer> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, violations: [{ path: "", message: "no JSON" }] };
  }
  return check(EnvelopeAnswer, value, "");
}

function completed(turn: Turn, answer: EnvelopeAnswer): Envelope {
  return withRuntimeFacts(turn, {
    ...answer,
    schema_version: "2",
    agent: turn.config.ref.name,
    status: "ok",
    data: { ...answer.data, tool_calls_made: 0 },
    evidence: [],
  });
}

function withRuntimeFacts(turn: Turn, envelope: Envelope): Envelope {
  const { inputTokens, outputTokens, modelCalls, toolCalls } = turn.budget.usage;
  return {
    ...envelope,
    data: { ...envelope.data, tool_calls_made: toolCalls },
    evidence: evidence(turn.history().filter(({ taskId }) => taskId === turn.request.taskId)),
    usage: { inputTokens, outputTokens, modelCalls, toolCalls },
  };
}

function evidence(events: readonly Event[]): Envelope["evidence"] {
  return events
    .flatMap(({ body }) => (body.type === "tool-result" && body.ok ? [body] : []))
    .slice(-MAX_EVIDENCE)
    .map(({ name, parts }) => ({
      tool: name,
      cluster: splitTool(name)?.cluster ?? "",
      excerpt: shortened(textOf(parts), EXCERPT_BYTES),
    }));
}

/** An envelope as the parts of a message: data for programs, text for everybody else. */
export function envelopeParts(envelope: Envelope, text: string) {
  return [{ text }, { data: envelope, mediaType: ENVELOPE_MEDIA_TYPE }];
}
