import { HEADERS } from "../api/names.ts";

/** Headers that go on to tool servers: who asks, for which task, in which trace. */
const ALWAYS: readonly string[] = [...Object.values(HEADERS), "tracestate"];

/**
 * What of a request's headers is passed on to tool servers: identity, lineage and trace, and those
 * named in `also`.
 *
 * `X-MCP-*` never passes: with them a caller could switch tools of a server on that its configuration
 * has switched off.
 */
export function forwardedHeaders(
  headers: Readonly<Record<string, string>>,
  also: readonly string[],
): Readonly<Record<string, string>> {
  const allowed = new Set([...ALWAYS, ...also.map((name) => name.toLowerCase())]);
  return Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => allowed.has(name) && !name.startsWith("x-mcp-")),
  );
}
