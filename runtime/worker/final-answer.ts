import { sentence } from "../api/checked.ts";
import type { Part } from "../api/events.ts";
import { META } from "../api/names.ts";
import { envelopeAnswer, envelopeParts } from "./envelope-answer.ts";
import type { Answered } from "./model-loop.ts";
import { responseSchema } from "./response-schema.ts";
import { structuredAnswer } from "./structured-answer.ts";
import type { Turn } from "./turn-context.ts";
import { TurnFailure } from "./turn-failure.ts";

/** Media type of the part that holds an answer in the form of the agent's `responseSchema`. */
const OUTPUT_MEDIA_TYPE = "application/json";

const REQUEST = `Now give your answer as one JSON value of the given schema. Use only what you were told and what the tools returned.`;

/**
 * A turn's answer as the parts of its message: the text, the value that fits the agent's `responseSchema`,
 * and the envelope if the caller asked for one.
 *
 * @throws TurnFailure `INVALID_OUTPUT` when the model's value does not fit the schema, twice; the text is
 *   stored as a message then.
 * @throws LimitError, ModelError, or the turn's abort reason.
 */
export async function answerParts(turn: Turn, end: Answered): Promise<Part[]> {
  const text: Part = { text: end.text };
  const output = await outputParts(turn, end);
  if (turn.request.metadata[META.output] !== "envelope") return [text, ...output];
  return [...envelopeParts(await envelopeAnswer(turn, end), end.text), ...output];
}

async function outputParts(turn: Turn, end: Answered): Promise<readonly Part[]> {
  const form = await responseSchema(turn.config);
  if (form === undefined) return [];
  const { schema: format, read } = form;
  const answer = await structuredAnswer(turn, end, { format, request: REQUEST, read });
  if (answer.ok) return [{ data: answer.value, mediaType: OUTPUT_MEDIA_TYPE }];
  await turn.emit.event({ type: "message", role: "agent", parts: [{ text: end.text }] });
  throw new TurnFailure(
    "INVALID_OUTPUT",
    `the model's answer does not fit the agent's responseSchema: ${sentence(answer.violations)}`,
  );
}

/** The value in the form of the agent's `responseSchema` among a message's parts, if there is one. */
export function outputOf(parts: readonly Part[]): unknown {
  const part = parts.find((each) => "data" in each && each.mediaType === OUTPUT_MEDIA_TYPE);
  return part !== undefined && "data" in part ? part.data : undefined;
}
