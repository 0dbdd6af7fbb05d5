import { randomUUID } from "node:crypto";
import type { ChatChunk, ChatModel, ChatRequest } from "./chat-model.ts";
import { fitSchema } from "./offline/fit-schema.ts";
import { LABEL_LINE, OFFLINE_LABEL } from "./offline/label.ts";
import { answerNow, nextStep } from "./offline/planner.ts";
import { renderReport } from "./offline/render-report.ts";
import type { Report } from "./offline/report.ts";
import { asksForEnvelope, envelopeOf } from "./offline/report-envelope.ts";
import { situationOf } from "./offline/situation.ts";

/** Tokens are estimated at four characters each. */
const CHARACTERS_PER_TOKEN = 4;
/** 200 characters per piece of text. */
const PIECE = 200;

/**
 * A stand-in for a language model: rules that call tools and write answers from the results alone.
 *
 * It says of itself what it is: by its label, by the last line of each answer in prose and by the end of
 * the summary of each envelope. What no tool said it does not say. It uses no network and keeps nothing
 * between calls; equal conversations get equal answers, but for the ids of calls. A turn makes at most
 * twelve tool calls, none twice.
 *
 * Its token counts are estimates.
 */
export function offlineModel(): ChatModel {
  return { label: OFFLINE_LABEL, chat: answer };
}

async function* answer(
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<ChatChunk, void, void> {
  signal.throwIfAborted();
  const situation = situationOf(request);
  const step = request.tools.length > 0 ? nextStep(situation) : { report: answerNow(situation) };
  let written = 0;
  if ("calls" in step) {
    for (const { name, args } of step.calls) {
      written += name.length + JSON.stringify(args).length;
      yield { type: "tool-call", call: { id: `call_${randomUUID()}`, name, args } };
      signal.throwIfAborted();
    }
  } else {
    for (const text of piecesOf(textOf(step.report, request))) {
      written += text.length;
      yield { type: "text", text };
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    }
  }
  yield {
    type: "done",
    inputTokens: tokens(JSON.stringify([request.messages, request.tools]).length),
    outputTokens: tokens(written),
    cachedTokens: 0,
    stop: "end",
  };
}

function textOf(report: Report, { format, tools }: ChatRequest): string {
  const prose = `${renderReport(report)}\n\n${LABEL_LINE}`;
  if (format === undefined || tools.length > 0) return prose;
  const value = asksForEnvelope(format)
    ? envelopeOf(report, OFFLINE_LABEL)
    : fitSchema(format, report, prose);
  return JSON.stringify(value);
}

/** `text` in at least two pieces, none of them cut inside a character. */
function* piecesOf(text: string): Generator<string, void, void> {
  const size = Math.max(1, Math.min(PIECE, Math.ceil(text.length / 2)));
  for (let at = 0; at < text.length; ) {
    const end = at + size;
    const inside = /[\uD800-\uDBFF]/.test(text[end - 1] ?? "");
    yield text.slice(at, inside ? end + 1 : end);
    at = inside ? end + 1 : end;
  }
}

function tokens(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN);
}
