import { HEADERS } from "../api/names.ts";

/** Headers that HTTP or MCP itself sets; configuration and callers have no say in them. */
const RESERVED = new Set([
  "accept",
  "connection",
  "content-length",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "last-event-id",
  "mcp-protocol-version",
  "mcp-session-id",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Headers that differ from request to request and say nothing about whose session it is. */
const PER_REQUEST = new Set<string>([
  HEADERS.source,
  HEADERS.parentContextId,
  HEADERS.rootContextId,
  HEADERS.agentName,
  HEADERS.traceparent,
  "tracestate",
  "baggage",
]);

/** Headers of a call, by what they belong to; names in lower case. */
export interface RequestHeaders {
  /** With every request of a connection; calls that differ here do not share one. */
  readonly connection: Readonly<Record<string, string>>;
  /** With the one request. */
  readonly request: Readonly<Record<string, string>>;
}

/** Headers configured for a server and those of a call; the configured ones win (kagent-api section 2.5). */
export function splitHeaders(
  configured: Readonly<Record<string, string>>,
  ofCall: Readonly<Record<string, string>>,
): RequestHeaders {
  const connection: Record<string, string> = {};
  const request: Record<string, string> = {};
  for (const [given, value] of [...Object.entries(ofCall), ...Object.entries(configured)]) {
    const name = given.toLowerCase();
    if (RESERVED.has(name)) continue;
    (PER_REQUEST.has(name) ? request : connection)[name] = value;
  }
  return { connection, request };
}
