import * as z from "zod";
import { brokenAnswer, outOfProtocol } from "./ollama-errors.ts";

/** 8 MiB of UTF-8 per line: the largest tool call; bounds the memory a broken server can take. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;

const Count = z.int().min(0).nullish();

/** One line of a streamed answer of `/api/chat`; lenient, as servers add fields. */
export const OllamaLine = z.object({
  message: z
    .object({
      content: z.string().nullish(),
      thinking: z.string().nullish(),
      tool_calls: z
        .array(
          z.object({
            id: z.string().nullish(),
            function: z.object({ name: z.string().min(1), arguments: z.unknown() }),
          }),
        )
        .nullish(),
    })
    .nullish(),
  done: z.boolean().nullish(),
  done_reason: z.string().nullish(),
  prompt_eval_count: Count,
  eval_count: Count,
});
/** One line of a streamed answer of `/api/chat`. */
export type OllamaLine = z.output<typeof OllamaLine>;

const ErrorLine = z.object({ error: z.string() });

/** The words of a server without what it was sent to prove who asks. */
type Unsaid = (text: string) => string;

/**
 * The lines of a streamed answer, each checked to be JSON; empty ones are left out.
 *
 * npm `ollama` drops a line it cannot read and prints it: here it is an error instead.
 *
 * @throws ModelError for a line that is no JSON, too long, or Ollama's word that it failed.
 */
export async function* checkedLines(
  body: AsyncIterable<Uint8Array>,
  url: string,
  unsaid: Unsaid,
): AsyncGenerator<Uint8Array, void, void> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE_BYTES) throw outOfProtocol(url, "sent a line that is too long");
    const whole = lines.filter((line) => line.trim() !== "");
    for (const line of whole) check(line, url, unsaid);
    if (whole.length > 0) yield encoder.encode(`${whole.join("\n")}\n`);
  }
  rest += decoder.decode();
  if (rest.trim() === "") return;
  check(rest, url, unsaid);
  yield encoder.encode(`${rest}\n`);
}

/** An answer that comes whole. @throws ModelError for one that is longer than any line may be. */
export async function* boundedBytes(
  body: AsyncIterable<Uint8Array>,
  url: string,
): AsyncGenerator<Uint8Array, void, void> {
  let length = 0;
  for await (const bytes of body) {
    length += bytes.length;
    if (length > MAX_LINE_BYTES) throw outOfProtocol(url, "sent an answer that is too long");
    yield bytes;
  }
}

function check(line: string, url: string, unsaid: Unsaid): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    throw outOfProtocol(url, "sent a line that is no JSON", error);
  }
  const failure = ErrorLine.safeParse(parsed);
  if (failure.success) throw brokenAnswer(url, unsaid(failure.data.error));
  if (!OllamaLine.safeParse(parsed).success)
    throw outOfProtocol(url, "sent a line that is no piece of an answer");
}
