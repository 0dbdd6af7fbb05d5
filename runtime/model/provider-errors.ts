import * as z from "zod";
import { ModelError } from "./chat-model.ts";

/** 300 characters of what a server says go into an error: enough for its sentence, not for a prompt. */
const MAX_QUOTE = 300;

/** Failures of a connection that a second attempt may not meet. */
const PASSING = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_SOCKET",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Ollama's form, and that of OpenAI and those who follow it. */
const ErrorBody = z.object({
  error: z.union([z.string(), z.object({ message: z.string() }).transform((e) => e.message)]),
});

/**
 * Error for an answer with a status other than 2xx.
 *
 * @param subject - The provider and its address, e.g. `Ollama at http://127.0.0.1:11434`.
 */
export function refusalOf(subject: string, status: number, body: string): ModelError {
  const said = saidBy(body);
  const quote = said === undefined ? "" : `: ${said}`;
  if (status === 503 || status === 429)
    return new ModelError(`${subject} is overloaded (${status})${quote}`, {
      code: "overloaded",
      retryable: true,
      status,
    });
  const gateway = status === 502 || status === 504;
  return new ModelError(`${subject} answered ${status}${quote}`, {
    code: gateway ? "unreachable" : "rejected",
    retryable: status >= 500,
    status,
  });
}

/** Error for an answer that is not what the provider's protocol says. */
export function outOfProtocol(subject: string, what: string, cause?: unknown): ModelError {
  return new ModelError(`${subject} ${what}`, { code: "protocol", retryable: true, cause });
}

/** Error for a connection that failed with `error`; a ModelError is passed through. */
export function connectionFailure(subject: string, error: unknown): ModelError {
  const model = modelError(error);
  if (model !== undefined) return model;
  const code = systemCode(error);
  if (code === undefined)
    return outOfProtocol(subject, "ended its answer before it was complete", error);
  if (code.startsWith("HPE_"))
    return outOfProtocol(subject, `does not speak HTTP (${code})`, error);
  return new ModelError(`failed to talk to ${subject}: ${code}`, {
    code: "unreachable",
    retryable: PASSING.has(code),
    cause: error,
  });
}

/** Client libraries wrap what `fetch` threw. */
function modelError(error: unknown): ModelError | undefined {
  for (let depth = 0, at = error; depth < 8 && at instanceof Error; depth += 1, at = at.cause)
    if (at instanceof ModelError) return at;
  return undefined;
}

/** Code of the first error in the chain of causes that has one. */
function systemCode(error: unknown): string | undefined {
  for (let depth = 0, at = error; depth < 8 && at instanceof Error; depth += 1, at = at.cause) {
    const { code } = at as { readonly code?: unknown };
    if (typeof code === "string") return code;
  }
  return undefined;
}

/** What an error's body says, in one line of at most 300 characters. */
export function saidBy(body: string): string | undefined {
  try {
    const parsed = ErrorBody.safeParse(JSON.parse(body));
    return parsed.success ? quotable(parsed.data.error) : undefined;
  } catch {
    return undefined;
  }
}

/** `text` as one line of at most 300 characters. */
export function quotable(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim();
  return line.length > MAX_QUOTE ? `${line.slice(0, MAX_QUOTE)}...` : line;
}
