import type { IncomingMessage, ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { agentNotFoundMessage, RPC_CODE, type RpcId, rpcError } from "../../a2a/errors.ts";
import { parseRpc } from "../../a2a/rpc.ts";
import { accessPolicy, mayCall } from "../../api/access.ts";
import { sentence } from "../../api/checked.ts";
import { type ObjectRef, refKey } from "../../api/names.ts";
import { groupsOf, type Identity } from "../../process/auth/identity.ts";
import type { OwnToken } from "../../process/auth/own-token.ts";
import type { Clock } from "../../process/clock.ts";
import { HttpProxy, ProxyError } from "../../process/http-proxy.ts";
import { BodyTooLargeError, readIncoming } from "../../process/request-body.ts";
import type { RunOwner, SessionStore } from "../../store/session-store.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { AgentDirectory, AgentEntry } from "../agent-directory.ts";
import { type AgentAddress, controllerPath, ownerAddress } from "./agent-address.ts";
import { type RoutePlan, routePlan } from "./route-plan.ts";
import { upstreamHeaders, usesCallerToken } from "./upstream-headers.ts";

/** 1 MiB per message: what a message with data may weigh; files travel by reference. */
const MAX_BODY_BYTES = 1024 * 1024;
/** 5 s for a connection to a worker in the same cluster. */
const CONNECT_MS = 5_000;
/** 15 s of silence until a comment goes out: below the idle limits of common proxies (decisions 24). */
const COMMENT_MS = 15_000;
/**
 * Times for a Service to notice that a pod has come or gone, before a message that reached nobody is sent again: a
 * Deployment is ready a second or two before every node sends its traffic there.
 */
const RETRY_MS = [250, 500, 1_000, 2_000] as const;
/** A process that was silent for longer runs nothing any more (decisions 18). */
export const OWNER_SILENT_MS = 20_000;

/** `/api/a2a/{namespace}/{name}` and what follows: names of Kubernetes, nothing encoded. */
const PATH =
  /^\/api\/a2a\/([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\/([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)((?:\/[A-Za-z0-9._~:@!$&'()*+,;=-]*)*)$/;

/** What the server on Node hands along with a request. */
export interface NodeBindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** What an {@link A2aProxy} needs. */
export interface A2aProxyDeps {
  readonly directory: Pick<AgentDirectory, "agent">;
  readonly sessions: Pick<SessionStore, "ownerOf" | "listTasks">;
  /**
   * Answers what needs no worker (cards, get, list, the end of tasks that nobody runs), and all about agents that bring
   * their own worker.
   */
  readonly here: (request: Request, identity: Identity) => Promise<Response> | Response;
  readonly address: AgentAddress;
  /** This process as the one that runs tasks of agents which bring their own worker. */
  readonly ownerId: string;
  readonly token: OwnToken;
  readonly clock: Clock;
  readonly log: Logger;
  /** Longest wait for a whole answer in milliseconds; 0, the default: none. */
  readonly totalMs?: number;
}

/** A request about one agent, let in. */
interface Passing extends NodeBindings {
  readonly entry: AgentEntry;
  readonly identity: Identity;
  readonly body: Buffer;
  readonly id: RpcId;
}

/**
 * The front door of all agents, at `/api/a2a/{namespace}/{name}/` (decisions 16).
 *
 * Answers of workers are passed on byte by byte in whichever version of A2A the client speaks. What concerns a task
 * under way goes to the process that runs it, a message to any of the agent's; a client that leaves ends its stream,
 * never the task.
 */
export class A2aProxy {
  readonly #deps: A2aProxyDeps;
  readonly #proxy: HttpProxy;

  constructor(deps: A2aProxyDeps) {
    this.#deps = deps;
    const limits = { maxBodyBytes: MAX_BODY_BYTES, connectMs: CONNECT_MS, commentMs: COMMENT_MS };
    this.#proxy = new HttpProxy({ ...limits, clock: deps.clock });
  }

  /** Answers one request; never rejects but for a fault of ours. */
  async handle(bindings: NodeBindings, identity: Identity): Promise<Response> {
    const { method, url = "" } = bindings.incoming;
    const at = url.indexOf("?");
    const place = placeOf(at < 0 ? url : url.slice(0, at));
    const entry = place === undefined ? undefined : this.#deps.directory.agent(place.ref);
    if (place === undefined || entry === undefined) return notFound(place?.ref);
    const { annotations } = entry.object.metadata;
    const caller = { user: identity.name, groups: groupsOf(identity) };
    if (!mayCall(accessPolicy(annotations), caller)) return forbidden(entry.ref, identity);
    return method === "POST" && (place.rest === "" || place.rest === "/")
      ? await this.#message(bindings, entry, identity)
      : await this.#here(bindings, identity);
  }

  async #message(bindings: NodeBindings, entry: AgentEntry, identity: Identity): Promise<Response> {
    try {
      const body = await readIncoming(bindings.incoming, MAX_BODY_BYTES);
      return await this.#answer({ ...bindings, entry, identity, body });
    } catch (error) {
      if (bindings.outgoing.destroyed) return RESPONSE_ALREADY_SENT; // nobody is left to answer
      if (!(error instanceof BodyTooLargeError)) throw error;
      return Response.json(rpcError(null, RPC_CODE.invalidRequest, error.message), {
        status: 413,
        headers: { connection: "close" }, // what is left of the body is not worth a connection
      });
    }
  }

  async #answer(request: Omit<Passing, "id">): Promise<Response> {
    const parsed = parseRpc(request.body.toString("utf8"));
    if (!parsed.ok) return await this.#here(request, request.identity, request.body);
    const plan = routePlan(parsed.request);
    const passing = { ...request, id: parsed.request.id };
    const targets = await this.#targets(passing, plan);
    if (targets.length === 0) return await this.#here(request, request.identity, request.body);
    const failure = await this.#forward(passing, targets);
    if (failure === undefined) return RESPONSE_ALREADY_SENT;
    // Who ran the task is gone before anybody has noticed: the store has the last word about it.
    if (plan.kind === "task" && failure.unseen)
      return await this.#here(request, request.identity, request.body);
    return this.#unanswered(passing, failure);
  }

  /** Where the request goes, the first choice first; nowhere: it is answered here. */
  async #targets({ entry, identity }: Passing, plan: RoutePlan): Promise<readonly URL[]> {
    if (plan.kind === "here") return [];
    const owner = await this.#liveOwner(entry.ref, identity.name, plan);
    if (entry.object.spec.type === "BYO") {
      if (owner === undefined || owner.id === this.#deps.ownerId) return [];
      return [new URL(controllerPath(entry.ref), owner.url)];
    }
    const service = this.#deps.address(entry.ref);
    const ofOwner = owner === undefined ? undefined : ownerAddress(service, owner);
    if (plan.kind === "task") return ofOwner === undefined ? [] : [ofOwner];
    return [ofOwner ?? service, ...RETRY_MS.map(() => service)];
  }

  /** The process that runs the task, or the last one of the conversation: turns of one do not overlap there. */
  async #liveOwner(
    agent: ObjectRef,
    user: string,
    plan: Exclude<RoutePlan, { kind: "here" }>,
  ): Promise<RunOwner | undefined> {
    const { sessions } = this.#deps;
    let { taskId } = plan;
    if (plan.kind === "message" && taskId === undefined && plan.contextId !== undefined) {
      const { contextId } = plan;
      const { tasks } = await sessions.listTasks({ agent, user, contextId, pageSize: 1 });
      taskId = tasks[0]?.id;
    }
    if (taskId === undefined) return undefined;
    const owner = await sessions.ownerOf(taskId, user);
    return owner !== undefined && owner.silentMs < OWNER_SILENT_MS ? owner : undefined;
  }

  /** Tries the targets in turn, the next one only when the one before has seen nothing. @returns Why none answered. */
  async #forward(passing: Passing, targets: readonly URL[]): Promise<ProxyError | undefined> {
    const { incoming, outgoing, body, entry, identity } = passing;
    const { clock, token, totalMs = 0 } = this.#deps;
    const headers = upstreamHeaders(incoming.headers, {
      identity,
      token: await token.value(),
      callerToken: usesCallerToken(entry.config) ? "passed" : "kept",
    });
    headers["content-length"] = String(body.length);
    if (totalMs > 0) {
      const disarm = clock.schedule(totalMs, () => outgoing.destroy());
      outgoing.once("close", disarm);
    }
    let failure: ProxyError | undefined;
    for (const [attempt, target] of targets.entries()) {
      const waitMs = RETRY_MS[attempt - 1];
      if (waitMs !== undefined) await clock.sleep(waitMs, new AbortController().signal);
      if (outgoing.destroyed) return undefined;
      try {
        await this.#proxy.forward({ incoming, outgoing, target, headers, body });
        return undefined;
      } catch (error) {
        if (!(error instanceof ProxyError)) throw error;
        failure = error;
        if (!failure.unseen) break;
      }
    }
    return failure;
  }

  /** A request that this process answers itself. */
  async #here(
    { incoming, outgoing }: NodeBindings,
    identity: Identity,
    body?: Buffer,
  ): Promise<Response> {
    const gone = new AbortController();
    outgoing.once("close", () => {
      gone.abort();
    });
    const headers = new Headers();
    for (const name in incoming.headers) {
      const value = incoming.headers[name];
      if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
    }
    const request = new Request(new URL(incoming.url ?? "/", "http://here"), {
      method: incoming.method ?? "GET",
      headers,
      signal: gone.signal,
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
    return await this.#deps.here(request, identity);
  }

  #unanswered({ entry, id }: Passing, failure: ProxyError): Response {
    const agent = refKey(entry.ref);
    const { cause = failure } = failure;
    const error = cause instanceof Error ? cause.message : failure.message;
    this.#deps.log.warn("agent does not answer", { agent, error });
    const late = failure.kind === "connect-timeout";
    return Response.json(rpcError(id, RPC_CODE.internal, unansweredMessage(entry, failure)), {
      status: late ? 504 : 502,
    });
  }
}

/** What a caller can do about an agent that does not answer. */
function unansweredMessage({ ref, violations }: AgentEntry, failure: ProxyError): string {
  const agent = refKey(ref);
  if (violations.length > 0) return `agent ${agent} is not accepted: ${sentence(violations)}`;
  if (failure.unseen)
    return `agent ${agent} does not answer; nothing was started. Try again, or look at its pods`;
  return `agent ${agent} broke off before it answered; ask for its tasks before you send the message again`;
}

interface Place {
  readonly ref: ObjectRef;
  readonly rest: string;
}

function placeOf(path: string): Place | undefined {
  const match = PATH.exec(path);
  if (match === null) return undefined;
  const [, namespace = "", name = "", rest = ""] = match;
  return { ref: { namespace, name }, rest };
}

function notFound(ref: ObjectRef | undefined): Response {
  const message =
    ref === undefined
      ? "no agent here: the path is /api/a2a/{namespace}/{name}/"
      : agentNotFoundMessage(ref);
  return Response.json(rpcError(null, RPC_CODE.agentNotFound, message), { status: 404 });
}

function forbidden(ref: ObjectRef, { name }: Identity): Response {
  const message = `${name} may not call agent ${refKey(ref)}; its owner lists who may`;
  return Response.json(rpcError(null, RPC_CODE.invalidRequest, message), { status: 403 });
}
