import type { ObjectRef } from "../api/names.ts";
import { LimitError } from "./call-limit.ts";
import { ToolServerError, type ToolServerErrorCode } from "./tool-server-error.ts";

/** How servers call a session they do not know; the SDK's say -32001 or -32000 and use these words. */
const SESSION_WORDS =
  /\bsession\b.{0,40}\b(not found|expired|invalid|unknown|required|terminated)\b|\b(no valid|invalid|unknown|missing)\b.{0,20}\bsession\b|\bnot initialized\b/i;
/** The codes they use; a tool that speaks of sessions uses others. */
const SESSION_CODES = new Set([-32000, -32001, -32600]);

/** A request failed on the wire. */
export class WireError extends Error {
  override readonly name = "WireError";
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** The server may have done what it was asked, its answer cannot come any more. */
  readonly lost: boolean;

  constructor(status: number, lost: boolean, options: ErrorOptions) {
    super(`the request failed (HTTP ${status})`, options);
    this.status = status;
    this.lost = lost;
  }
}

/** A server's answer is larger than it may be. */
export class AnswerTooLargeError extends Error {
  override readonly name = "AnswerTooLargeError";

  /** @param maxBytes - The limit. */
  constructor(maxBytes: number) {
    super(`the answer is larger than ${maxBytes} bytes`);
  }
}

/** The server answered with a JSON-RPC error; the message is the server's. */
export class RemoteError extends Error {
  override readonly name = "RemoteError";
  /** JSON-RPC code. */
  readonly code: number;

  constructor(code: number, message: string, options: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The server lost the session, and the request was not made again. */
export class SessionLostError extends Error {
  override readonly name = "SessionLostError";
}

/** Whether the server does not know the session of a request any more, which then was not carried out. */
export function isSessionLost(error: unknown, session: "kept" | "none"): boolean {
  if (error instanceof RemoteError) {
    return SESSION_CODES.has(error.code) && SESSION_WORDS.test(error.message);
  }
  if (!(error instanceof WireError) || session === "none") return false;
  if (error.status === 404) return true;
  return error.status === 400 && SESSION_WORDS.test(messageOf(error.cause));
}

/**
 * `error` in the words of the pool.
 *
 * @param repeatable - Whether it does no harm to make the request twice.
 */
export function toolServerError(
  server: ObjectRef,
  error: unknown,
  repeatable: boolean,
): ToolServerError {
  if (error instanceof ToolServerError) return error;
  const { code, reason, retryable } = reasonOf(error);
  const again = retryable === "when-repeatable" ? repeatable : retryable === "yes";
  return new ToolServerError(server, { code, reason, retryable: again }, { cause: error });
}

interface Reason {
  readonly code: ToolServerErrorCode;
  readonly reason: string;
  readonly retryable: "yes" | "no" | "when-repeatable";
}

function reasonOf(error: unknown): Reason {
  if (error instanceof LimitError) return limitReason(error);
  if (error instanceof SessionLostError) {
    return { code: "unreachable", reason: "it lost the session", retryable: "when-repeatable" };
  }
  if (error instanceof RemoteError) {
    const reason = `it answered with error ${error.code}`;
    return { code: "protocol", reason, retryable: "no" };
  }
  if (error instanceof WireError) return wireReason(error);
  return { code: "protocol", reason: "the answer is not what MCP asks for", retryable: "no" };
}

function limitReason({ kind, message }: LimitError): Reason {
  if (kind === "closed") return { code: "unreachable", reason: message, retryable: "no" };
  const retryable = kind === "connect" ? "yes" : "when-repeatable";
  return { code: "timeout", reason: message, retryable };
}

function wireReason({ status, lost, cause }: WireError): Reason {
  if (cause instanceof AnswerTooLargeError) {
    return { code: "protocol", reason: "the answer is too large", retryable: "no" };
  }
  if (lost) {
    const reason = "the connection broke before the result came";
    return { code: "unreachable", reason, retryable: "when-repeatable" };
  }
  if (status === 0) {
    return { code: "unreachable", reason: `no connection${systemCode(cause)}`, retryable: "yes" };
  }
  const reason = `it answered HTTP ${status}`;
  if (status === 401 || status === 403) return { code: "unauthorized", reason, retryable: "no" };
  if (status === 429 || status === 503) return { code: "unreachable", reason, retryable: "yes" };
  if (status >= 500) return { code: "unreachable", reason, retryable: "when-repeatable" };
  return { code: "protocol", reason, retryable: "no" };
}

function systemCode(cause: unknown): string {
  if (!(cause instanceof Error) || !("code" in cause)) return "";
  return typeof cause.code === "string" ? ` (${cause.code})` : "";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}
