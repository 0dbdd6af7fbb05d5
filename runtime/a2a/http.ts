import { validateVersion } from "@a2a-js/sdk/server";
import { type Context, Hono } from "hono";
import { type ObjectRef, refKey } from "../api/names.ts";
import { type Clock, systemClock } from "../process/clock.ts";
import { BodyTooLargeError, readBody } from "../process/request-body.ts";
import type { Logger } from "../telemetry/log.ts";
import { agentCard, type CardSource, cardJson, VERSIONS, type Version } from "./card.ts";
import { agentNotFoundMessage, INTERNAL_MESSAGE, RPC_CODE, rpcError } from "./errors.ts";
import { AgentRequestHandler } from "./request-handler.ts";
import { answerRpc, parseRpc, streamFailure } from "./rpc.ts";
import { eventStreamResponse } from "./sse.ts";
import type { Caller, TaskService } from "./task-service.ts";
import { MESSAGE_LIMITS, type MessageLimits } from "./wire-in.ts";

/** 1 MiB of JSON: bounds memory per request. Raise with `maxBodyBytes` of the app. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Characters of a name in an error; names of Kubernetes objects are no longer. */
const MAX_NAME = 253;

/** What {@link a2aApp} serves and how. */
export interface A2aAppOptions {
  /** The agent of that name, as it is now; `undefined`: 404. */
  readonly agents: (ref: ObjectRef) => CardSource | undefined;
  readonly tasks: TaskService;
  /** Who calls; authentication has happened before. */
  readonly caller: (request: Request) => Caller | Promise<Caller>;
  /** What stands before `prefix` in the cards, e.g. `http://127.0.0.1:8083`. */
  readonly baseUrl: string;
  readonly log: Logger;
  /** Path before `/{namespace}/{name}/`; `/api/a2a` unless set. */
  readonly prefix?: string;
  readonly limits?: MessageLimits;
  /** Bytes of a request body; 1 MiB unless set. */
  readonly maxBodyBytes?: number;
  readonly clock?: Clock;
}

/**
 * Serves every agent over A2A 1.0 and 0.3 (JSON-RPC and server-sent events) with its card.
 *
 * A client that goes away ends its stream, never the task. Errors are JSON-RPC objects; their HTTP
 * status is 200 except for an unknown agent (404), version (400), content type (415), a body that is too
 * large (413) and a fault of ours before the request was understood (500).
 */
export function a2aApp(options: A2aAppOptions): Hono {
  const app = new Hono();
  const at = `${options.prefix ?? "/api/a2a"}/:namespace/:name`;
  for (const path of [at, `${at}/`]) {
    app.post(path, (context) => serveRpc(options, context));
    app.all(path, (context) => {
      context.header("allow", "POST");
      return refuse(context, 405, RPC_CODE.invalidRequest, "send JSON-RPC by POST");
    });
  }
  for (const name of ["agent-card.json", "agent.json"])
    for (const path of [`${at}/.well-known/${name}`, `${at}/.well-known/${name}/`])
      app.get(path, (context) => serveCard(options, context));
  app.onError((error, context) => {
    const told = context.req.raw.signal.aborted ? "debug" : "error"; // a client that left is no fault
    options.log[told]("a2a request failed", { path: context.req.path, error: String(error) });
    return refuse(context, 500, RPC_CODE.internal, INTERNAL_MESSAGE);
  });
  return app;
}

function serveCard(options: A2aAppOptions, context: Context): Response {
  const ref = refOf(context);
  const source = options.agents(ref);
  if (source === undefined) return unknownAgent(context, ref);
  const version = requestedVersion(context) === "1.0" ? "1.0" : "0.3";
  context.header("vary", "A2A-Version");
  context.header("cache-control", "no-cache");
  return context.json(cardJson(source, urlOf(options, ref), version));
}

async function serveRpc(options: A2aAppOptions, context: Context): Promise<Response> {
  const ref = refOf(context);
  const source = options.agents(ref);
  if (source === undefined) return unknownAgent(context, ref);
  const card = agentCard(source, urlOf(options, ref));
  const version = requestedVersion(context);
  try {
    validateVersion(version, card, "JSONRPC");
  } catch {
    const message = `A2A version ${version.slice(0, 20)} is not served; ${VERSIONS.join(" and ")} are`;
    return refuse(context, 400, RPC_CODE.version, message);
  }
  const text = await readJson(options, context);
  if (typeof text !== "string") return text;
  const parsed = parseRpc(text);
  if (!parsed.ok) return context.json(parsed.answer as object);
  const gone = new AbortController();
  const leave = (): void => {
    gone.abort();
  };
  const { signal } = context.req.raw;
  signal.addEventListener("abort", leave);
  const over = (): void => {
    signal.removeEventListener("abort", leave);
    leave();
  };
  const handler = new AgentRequestHandler({
    agent: ref,
    card,
    tasks: options.tasks,
    caller: await options.caller(context.req.raw),
    clock: options.clock ?? systemClock,
    log: options.log,
    limits: options.limits ?? MESSAGE_LIMITS,
    gone: gone.signal,
  });
  const answer = await answerRpc(parsed.request, version as Version, handler);
  if (answer.kind === "single") {
    over();
    return context.json(answer.body as object);
  }
  const failed = (error: unknown) => streamFailure(parsed.request, version as Version, error);
  const { first, rest } = answer;
  return eventStreamResponse({ first, rest, failed, over }, options.clock ?? systemClock);
}

/** The body, or the answer that refuses it. */
async function readJson(options: A2aAppOptions, context: Context): Promise<string | Response> {
  const type = context.req.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json" && type !== "application/a2a+json") {
    const message = "the content type must be application/json";
    return refuse(context, 415, RPC_CODE.contentType, message);
  }
  try {
    return await readBody(context.req.raw, options.maxBodyBytes ?? MAX_BODY_BYTES);
  } catch (error) {
    if (!(error instanceof BodyTooLargeError)) throw error;
    context.header("connection", "close"); // what is left of the body is not worth a connection
    return refuse(context, 413, RPC_CODE.invalidRequest, error.message);
  }
}

/** By header, or by query as the specification allows (section 3.6.1); absent or empty means 0.3. */
function requestedVersion(context: Context): string {
  const version = context.req.header("a2a-version") ?? context.req.query("A2A-Version");
  return version === undefined || version === "" ? "0.3" : version;
}

function refOf(context: Context): ObjectRef {
  const { namespace = "", name = "" } = context.req.param() as Record<string, string | undefined>;
  return { namespace: namespace.slice(0, MAX_NAME), name: name.slice(0, MAX_NAME) };
}

function urlOf({ baseUrl, prefix = "/api/a2a" }: A2aAppOptions, ref: ObjectRef): string {
  return `${baseUrl}${prefix}/${refKey(ref)}/`;
}

function unknownAgent(context: Context, ref: ObjectRef): Response {
  return refuse(context, 404, RPC_CODE.agentNotFound, agentNotFoundMessage(ref));
}

function refuse(
  context: Context,
  status: 400 | 404 | 405 | 413 | 415 | 500,
  code: number,
  message: string,
): Response {
  return context.json(rpcError(null, code, message), status);
}
