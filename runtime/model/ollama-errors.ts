import { ModelError } from "./chat-model.ts";
import {
  outOfProtocol as broken,
  connectionFailure as failed,
  quotable,
  refusalOf,
  saidBy,
} from "./provider-errors.ts";

/** How errors call the server. */
export function subjectOf(url: string): string {
  return `Ollama at ${url}`;
}

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
  if (status !== 404) return refusalOf(subjectOf(url), status, body);
  if (model !== undefined && saidBy(body) !== undefined)
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

/** Error for a line `{"error": ...}` inside an answer: Ollama's way to fail after its headers. */
export function brokenAnswer(url: string, said: string): ModelError {
  return new ModelError(`${subjectOf(url)} failed: ${quotable(said)}`, {
    code: "rejected",
    retryable: true,
  });
}

/** Error for an answer that is not what Ollama's protocol says. */
export function outOfProtocol(url: string, what: string, cause?: unknown): ModelError {
  return broken(subjectOf(url), what, cause);
}

/** Error for a connection that failed with `error`; a ModelError is passed through. */
export function connectionFailure(url: string, error: unknown): ModelError {
  return failed(subjectOf(url), error);
}
