import type { Caller } from "../../a2a/task-service.ts";
import { CALLER_AUTHORIZATION, HEADERS } from "../../api/names.ts";
import { rpcError } from "../../mcp/http-edge.ts";
import { type AccessRules, refusedAccess } from "../../process/access.ts";
import {
  type Authenticator,
  authRequestOf,
  groupsOf,
  type Identity,
  isIdentity,
  type Refusal,
} from "../../process/auth/identity.ts";
import type { RateLimiter } from "../../process/rate-limit.ts";
import type { NodeBindings } from "../proxy/a2a-proxy.ts";
import { callerOf } from "./caller.ts";

/** Serves one kind of request. */
type Handler = (request: Request) => Promise<Response> | Response;

/** The same for requests of callers that the door does not know. */
type OwnHandler = (request: Request, bindings: NodeBindings) => Promise<Response> | Response;

/** What stands behind a {@link FrontDoor}. */
export interface FrontDoorDeps {
  readonly authenticator: Authenticator;
  /** Unset: nobody is slowed down. */
  readonly limiter?: RateLimiter;
  /** Host and Origin that are served. */
  readonly access: AccessRules;
  /** `/api/a2a/...` */
  readonly agents: (bindings: NodeBindings, identity: Identity) => Promise<Response>;
  /** `/mcp` */
  readonly mcp: Handler;
  /** The rest of `/api`, and `/health` and `/version`, which everybody may read. */
  readonly api: Handler;
  /** What knows its own callers, by the path's beginning, e.g. `/internal/store`, `/metrics`. */
  readonly own?: Readonly<Record<string, OwnHandler>>;
  /** Aborts when the process ends. */
  readonly signal: AbortSignal;
}

/** Paths that say nothing about anybody. */
const OPEN = new Set(["/health", "/version"]);

/**
 * The controller's door: every request is let in, slowed down or refused here, before anything reads it.
 *
 * Refusals are JSON-RPC errors where JSON-RPC is spoken, `{error}` elsewhere: 401, 403, 429 with `Retry-After`, 503.
 */
export class FrontDoor {
  readonly #deps: FrontDoorDeps;
  readonly #identities = new WeakMap<Request, Identity>();

  constructor(deps: FrontDoorDeps) {
    this.#deps = deps;
  }

  /** Answers a request of Node's server. */
  async fetch(request: Request, env: object): Promise<Response> {
    const bindings = env as NodeBindings;
    const { incoming } = bindings;
    const url = incoming.url ?? "/";
    const path = url.split("?", 1)[0] ?? "/";
    const { access, api, own = {} } = this.#deps;
    const refused = refusedAccess({ get: headerOf(incoming.headers) }, access);
    if (refused !== undefined) return refusal(path, { refused, status: 403 });
    if (OPEN.has(path)) return await api(request);
    for (const prefix in own)
      if (path === prefix || path.startsWith(`${prefix}/`))
        return (await own[prefix]?.(request, bindings)) ?? NOTHING;
    const identity = await this.#letIn(bindings);
    if (!isIdentity(identity)) return refusal(path, identity);
    return await this.#serve(request, bindings, { path, identity });
  }

  /** Who calls, for handlers behind the door. A request that has not come through it is nobody's. */
  callerOf(request: Request): Caller {
    const identity = this.#identities.get(request);
    return identity === undefined ? { user: "", headers: {} } : callerOf(identity, request.headers);
  }

  async #letIn({ incoming }: NodeBindings): Promise<Identity | Throttled | Refusal> {
    const { authenticator, limiter, signal } = this.#deps;
    const identity = await authenticator.authenticate(authRequestOf(incoming), signal);
    // Who cannot say who it is shares one allowance with all others at its address.
    const who = isIdentity(identity) ? identity.name : `?${incoming.socket.remoteAddress ?? ""}`;
    const waitMs = limiter?.take(who) ?? 0;
    return waitMs === 0 ? identity : { refused: "too many requests", status: 429, waitMs };
  }

  async #serve(
    request: Request,
    bindings: NodeBindings,
    { path, identity }: { readonly path: string; readonly identity: Identity },
  ): Promise<Response> {
    const { agents, mcp, api } = this.#deps;
    if (path.startsWith("/api/a2a/")) return await agents(bindings, identity);
    if (path === "/mcp" || path === "/mcp/") return await mcp(asIdentified(request, identity));
    this.#identities.set(request, identity);
    return await api(request);
  }
}

/** Too fast. */
interface Throttled {
  readonly refused: string;
  readonly status: 429;
  readonly waitMs: number;
}

const NOTHING = new Response(null, { status: 404 });

function refusal(path: string, refused: Refusal | Throttled): Response {
  const headers = {
    ...(refused.status === 401 ? { "www-authenticate": "Bearer" } : {}),
    ...("waitMs" in refused ? { "retry-after": String(Math.ceil(refused.waitMs / 1_000)) } : {}),
  };
  const { status, refused: why } = refused;
  return path.startsWith("/api/a2a/") || path.startsWith("/mcp")
    ? rpcError(status, -32000, why, headers)
    : Response.json({ error: why }, { status, headers });
}

/** The request with the identity that was established, and nothing that only services may say unless one did. */
function asIdentified(request: Request, identity: Identity): Request {
  const headers = new Headers(request.headers);
  for (const name of ["authorization", "cookie", CALLER_AUTHORIZATION]) headers.delete(name);
  if (!identity.trusted)
    for (const name of [...headers.keys()])
      if (name.startsWith("x-kagent-") || name === HEADERS.agentName) headers.delete(name);
  headers.set(HEADERS.userId, identity.name);
  const groups = groupsOf(identity);
  if (groups.length > 0) headers.set(HEADERS.userGroups, groups.join(","));
  else headers.delete(HEADERS.userGroups);
  const { method, signal, url } = request;
  const body: ReadableStream<Uint8Array> | null = request.body;
  const init = { method, headers, signal, ...(body === null ? {} : { body, duplex: "half" }) };
  return new Request(url, init as RequestInit);
}

function headerOf(headers: NodeBindings["incoming"]["headers"]): (name: string) => string | null {
  return (name) => {
    const value = headers[name];
    return value === undefined ? null : Array.isArray(value) ? value.join(", ") : value;
  };
}
