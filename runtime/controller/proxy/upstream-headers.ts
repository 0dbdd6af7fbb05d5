import type { IncomingHttpHeaders } from "node:http";
import type { AgentConfig } from "../../api/agent-config.ts";
import { CALLER_AUTHORIZATION, HEADERS } from "../../api/names.ts";
import { groupsOf, type Identity } from "../../process/auth/identity.ts";
import { endToEnd } from "../../process/http-proxy.ts";

/** Header of links that show a session to others; it opens nothing at an agent. */
export const SHARE_TOKEN = "x-share-token";

/** Headers that end here: they prove something to this process, or say what is said anew. */
const OWN: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "content-length",
  SHARE_TOKEN,
  HEADERS.userId,
  HEADERS.userGroups,
]);
/** What only services of the platform may say: whose turn this is part of, who decided, with which credentials. */
const LINEAGE_PREFIX = "x-kagent-";

/** How a request is passed on to a worker. */
export interface Passage {
  readonly identity: Identity;
  /** Proves this process to the worker; absent on a laptop. */
  readonly token: string | undefined;
  /** `passed`: the agent may use the caller's own credentials, see {@link usesCallerToken}. */
  readonly callerToken: "passed" | "kept";
}

/**
 * Headers of a request as a worker gets them: who calls as this process established it, nothing that a client must not
 * say, and this process's own token.
 */
export function upstreamHeaders(
  incoming: IncomingHttpHeaders,
  passage: Passage,
): Record<string, string | string[]> {
  const { identity, token, callerToken } = passage;
  const all = endToEnd(incoming);
  const headers: Record<string, string | string[]> = {};
  for (const name in all) {
    const value = all[name];
    if (value !== undefined && mayPass(name, passage)) headers[name] = value;
  }
  const groups = groupsOf(identity);
  headers[HEADERS.userId] = identity.name;
  if (groups.length > 0) headers[HEADERS.userGroups] = groups.join(",");
  if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
  const { authorization } = incoming;
  if (callerToken === "passed" && authorization !== undefined && provesUser(identity))
    headers[CALLER_AUTHORIZATION] = authorization;
  return headers;
}

/** Whether a header of the client is for the worker. */
function mayPass(name: string, { identity, callerToken }: Passage): boolean {
  if (OWN.has(name)) return false;
  if (name === CALLER_AUTHORIZATION && callerToken === "kept") return false;
  return identity.trusted || !isLineage(name);
}

/** Whether an agent passes its caller's `Authorization` on, to its model or to a tool (kagent-api section 2.5). */
export function usesCallerToken(config: AgentConfig | undefined): boolean {
  if (config === undefined) return false;
  const { model, toolServers } = config;
  return (
    model.apiKeyPassthrough === true ||
    toolServers.some(({ allowedHeaders }) =>
      allowedHeaders.some((name) => name.toLowerCase() === "authorization"),
    )
  );
}

/** Whether the caller's token is the user's own, not that of a service which speaks for the user. */
function provesUser(identity: Identity): boolean {
  return identity.kind === "user" && identity.service === undefined;
}

function isLineage(name: string): boolean {
  return name.startsWith(LINEAGE_PREFIX) || name === HEADERS.agentName;
}
