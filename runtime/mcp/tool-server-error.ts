import { type ObjectRef, refKey } from "../api/names.ts";

/**
 * What kept a tool server from answering.
 *
 * `unreachable`: no connection, a broken one, or an HTTP 5xx; `timeout`: one of our limits ran out;
 * `unauthorized`: HTTP 401 or 403; `protocol`: an answer that is not MCP, or one that is too large.
 */
export type ToolServerErrorCode = "unreachable" | "timeout" | "protocol" | "unauthorized";

/**
 * A tool server did not answer a request.
 *
 * The message is made of our own words, status numbers and system error codes: never of text, headers
 * or addresses that could hold a credential.
 */
export class ToolServerError extends Error {
  override readonly name = "ToolServerError";
  /** What went wrong. */
  readonly code: ToolServerErrorCode;
  /** Whether the same request may be made again: it may succeed, and the first one did no harm. */
  readonly retryable: boolean;
  /** The server as `namespace/name`. */
  readonly server: string;

  constructor(
    server: ObjectRef,
    failure: {
      readonly code: ToolServerErrorCode;
      readonly reason: string;
      readonly retryable: boolean;
    },
    options?: ErrorOptions,
  ) {
    super(`tool server ${refKey(server)}: ${failure.reason}`, options);
    this.code = failure.code;
    this.retryable = failure.retryable;
    this.server = refKey(server);
  }
}
