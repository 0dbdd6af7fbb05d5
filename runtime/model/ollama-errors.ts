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

const ErrorBody = z.object({ error: z.string() });

/** What {@link refusal} knows of an answer other than 200. */
export interface RefusedCall {
  /** Base URL of the server. */
  readonly url: string;
  /** Model that was asked for, if the request named one. */
  readonly model: string | undefined;
  readonly status: number;
  /** Body of the answer, or its beginning. */
  readonly body: string;
}

/** Error for an answer with a status other than 200. */
export function refusal({ url, model, status, body }: RefusedCall): ModelError {
  const said = saidBy(body);
  if (status === 404) {
    if (model !== undefined && said !== undefined)
      return new ModelError(
        `Ollama at ${url} has no model "${model}". Install it with: ollama pull ${model}`,
        { code: "not-found", retryable: false, status },
      );
    return new ModelError(`${url} answered 404: it is not the address of an Ollama server`, {
      code: "not-found",
      retryable: false,
      status,
    });
  }
  const quote = said === undefined ? "" : `: ${said}`;
  if (status === 503 || status === 429)
    return new ModelError(`Ollama at ${url} is overloaded (${status})${quote}`, {
      code: "overloaded",
      retryable: true,
      status,
    });
  const gateway = status === 502 || status === 504;
  return new ModelError(`Ollama at ${url} answered ${status}${quote}`, {
    code: gateway ? "unreachable" : "rejected",
    retryable: status >= 500,
    status,
  });
}

/** Error for a line `{"error": ...}` inside an answer: Ollama's way to fail after its headers. */
export function brokenAnswer(url: string, said: string): ModelError {
  return new ModelError(`Ollama at ${url} failed: ${quotable(said)}`, {
    code: "rejected",
    retryable: true,
  });
}

/** Error for an answer that is not what Ollama's protocol says. */
export function outOfProtocol(url: string, what: string, cause?: unknown): ModelError {
  return new ModelError(`Ollama at ${url} ${what}`, { code: "protocol", retryable: true, cause });
}

/** Error for a connection that failed with `error`; a ModelError is passed through. */
export function connectionFailure(url: string, error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  const code = systemCode(error);
  if (code === undefined)
    return outOfProtocol(url, "ended its answer before it was complete", error);
  if (code.startsWith("HPE_")) return outOfProtocol(url, `does not speak HTTP (${code})`, error);
  return new ModelError(`failed to talk to Ollama at ${url}: ${code}`, {
    code: "unreachable",
    retryable: PASSING.has(code),
    cause: error,
  });
}

/** Code of the first error in the chain of causes that has one. */
function systemCode(error: unknown): string | undefined {
  for (let depth = 0, at = error; depth < 8 && at instanceof Error; depth += 1, at = at.cause) {
    const { code } = at as { readonly code?: unknown };
    if (typeof code === "string") return code;
  }
  return undefined;
}

function saidBy(body: string): string | undefined {
  try {
    const parsed = ErrorBody.safeParse(JSON.parse(body));
    return parsed.success ? quotable(parsed.data.error) : undefined;
  } catch {
    return undefined;
  }
}

function quotable(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim();
  return line.length > MAX_QUOTE ? `${line.slice(0, MAX_QUOTE)}...` : line;
}
