import { isJsonRpcError } from "@a2a-js/sdk/errors";
import { RPC_CODE } from "./errors.ts";

/**
 * Why a call of an agent gave no result.
 *
 * `unreachable`: no connection, or it broke; `not-found`: no such agent or task; `timeout`: a limit of
 * ours passed; `protocol`: what came back is not A2A; `failed`: the agent's server refused the request.
 */
export type AgentCallErrorCode = "unreachable" | "not-found" | "timeout" | "protocol" | "failed";

/** A call of an agent gave no result; the message names the agent's endpoint and holds no secret. */
export class AgentCallError extends Error {
  override readonly name = "AgentCallError";
  readonly code: AgentCallErrorCode;
  /** True only when nothing was started: the same call again does no work twice. */
  readonly retryable: boolean;

  constructor(
    code: AgentCallErrorCode,
    message: string,
    options: { readonly retryable?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** System errors of a connection that was never made. */
const NOT_CONNECTED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);
/** HTTP answers of proxies whose server is away, and of servers that take nothing at the moment. */
const AWAY = new Set([429, 502, 503, 504]);
/** Characters of a server's own words in our message. */
const MAX_QUOTE = 500;

/**
 * An agent's address as messages show it, without the query.
 *
 * @throws AgentCallError `failed` for what is no http address, or holds credentials: they belong into headers.
 */
export function shownUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username + parsed.password)
    throw new AgentCallError(
      "failed",
      "failed to call agent: its address is no http URL without credentials",
    );
  return `${parsed.origin}${parsed.pathname}`;
}

/** The error for an HTTP answer that is no A2A. */
export function statusError(url: string, status: number): AgentCallError {
  const message = `failed to call agent at ${url}: HTTP ${status}`;
  if (status === 404) return new AgentCallError("not-found", message);
  if (AWAY.has(status)) return new AgentCallError("unreachable", message, { retryable: true });
  const refused = status >= 400 && status < 600;
  return new AgentCallError(refused ? "failed" : "protocol", message);
}

/** The error for whatever the SDK or the network threw. */
export function toCallError(url: string, thrown: unknown): AgentCallError {
  const error = fromStream(thrown);
  if (error instanceof AgentCallError) return error;
  const failed = `failed to call agent at ${url}`;
  if (isJsonRpcError(error)) {
    const message = `${failed}: ${error.message.slice(0, MAX_QUOTE)} (${error.envelopeCode})`;
    return new AgentCallError(rpcErrorCode(error.envelopeCode), message, { cause: error });
  }
  const system = systemCode(error);
  if (system !== undefined) {
    const retryable = NOT_CONNECTED.has(system);
    return new AgentCallError("unreachable", `${failed}: ${system}`, { retryable, cause: error });
  }
  const reason = error instanceof Error ? error.message.slice(0, MAX_QUOTE) : "unknown error";
  // fetch says "fetch failed" and "terminated" by TypeError, whatever lies beneath
  const code = error instanceof TypeError ? "unreachable" : "protocol";
  return new AgentCallError(code, `${failed}: ${reason}`, { cause: error });
}

/** Whether the agent itself answered with an error of its protocol: it is there, and asking again changes nothing. */
export function isRpcRefusal(error: AgentCallError): boolean {
  return isJsonRpcError(error.cause);
}

function rpcErrorCode(code: number): AgentCallErrorCode {
  if (code === RPC_CODE.agentNotFound || code === RPC_CODE.taskNotFound) return "not-found";
  if (code === RPC_CODE.version || code === RPC_CODE.methodNotFound) return "protocol";
  return "failed";
}

/** The SDK wraps an error that came as an event of a stream. */
function fromStream(error: unknown): unknown {
  return error instanceof Error && isJsonRpcError(error.cause) ? error.cause : error;
}

function systemCode(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === "string") return code;
  }
  return undefined;
}
