import { type Envelope, EnvelopeAnswer } from "../api/envelope.ts";
import { envelopeAnswerJsonSchema, wrapFreeText } from "../api/envelope-markdown.ts";
import { type Event, textOf } from "../api/events.ts";
import { ENVELOPE_MEDIA_TYPE, refKey } from "../api/names.ts";
import { splitTool } from "../api/tool-catalogue.ts";
import type { ChatMessage } from "../model/chat-model.ts";
import { shortened } from "./conversation.ts";
import { ask, openModel } from "./model-loop.ts";
import type { Turn } from "./turn-context.ts";

/** Bytes of one tool result that an envelope quotes. */
const EXCERPT_BYTES = 400;
/** Most tool results that an envelope quotes. */
const MAX_EVIDENCE = 20;

const REQUEST = `Now give your answer as one JSON object of the given schema. Use only what the tools returned. "issues" lists every problem with its evidence; "resources" holds one table per Kubernetes kind that matters.`;
const REPAIR = "That was not valid for the schema. Answer again with the JSON object alone.";

/**
 * Asks the model to put its answer into an envelope (decisions 7): one tool-free call, one repair, then
 * the free text wrapped, so that an answer is never lost. Evidence and usage are the runtime's own.
 */
export async function envelopeAnswer(
  turn: Turn,
  text: string,
  messages: readonly ChatMessage[],
): Promise<Envelope> {
  const model = await openModel(turn);
  const asked: ChatMessage[] = [...messages, { role: "user", text: REQUEST }];
  const format = envelopeAnswerJsonSchema();
  for (const attempt of ["first", "repair"] as const) {
    const step = await ask(turn, model, asked, [], format);
    const answer = parseAnswer(step.text);
    if (answer !== undefined) return completed(turn, answer);
    if (attempt === "repair") break;
    asked.push({ role: "assistant", text: step.text, toolCalls: [] });
    asked.push({ role: "user", text: REPAIR });
  }
  turn.deps.log.warn("envelope could not be read", { agent: refKey(turn.config.ref) });
  return withRuntimeFacts(turn, wrapFreeText(turn.config.ref.name, text));
}

function parseAnswer(text: string): EnvelopeAnswer | undefined {
  try {
    const parsed = EnvelopeAnswer.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // no JSON: the caller asks once more
  }
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
