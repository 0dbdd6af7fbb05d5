import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { a2aApp } from "../../a2a/http.ts";
import type { Caller, TaskService } from "../../a2a/task-service.ts";
import { mayCall } from "../../api/access.ts";
import type { AgentConfig } from "../../api/agent-config.ts";
import { type ObjectRef, refKey } from "../../api/names.ts";
import { type Authenticator, authRequestOf, isIdentity } from "../../process/auth/identity.ts";
import type { Clock } from "../../process/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { AgentSetReport } from "./agent-set.ts";
import { callerOf } from "./caller.ts";

/** Path before `/{namespace}/{name}/` of every agent; a dedicated worker's one is at `/` too. */
const PREFIX = "/agents";
/** 10 s to find out who calls. */
const AUTHENTICATION_MS = 10_000;

/** Figures of the process, in the form that Prometheus reads. */
export interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}

/** What a worker says of itself. */
export interface WorkerHealth extends AgentSetReport {
  /** `draining`: it takes no more tasks; `degraded`: some files are not in use, or the store is away. */
  readonly status: "ok" | "degraded" | "draining";
  /** Whether the session store is away, and how many events wait for it. */
  readonly store: { readonly awayMs: number | undefined; readonly events: number };
}

/** What {@link workerApp} serves. */
export interface WorkerAppOptions {
  readonly agents: {
    config(ref: ObjectRef): AgentConfig | undefined;
    readonly root: ObjectRef | undefined;
  };
  readonly tasks: TaskService;
  readonly authenticator: Authenticator;
  readonly health: () => WorkerHealth;
  /** Absent: `/metrics` is not served. */
  readonly metrics?: () => Promise<MetricsText>;
  /** What cards name as address, without a slash at the end. */
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A worker's HTTP side: A2A, cards, health, figures. Cards and health are for everybody: probes ask for them. */
export function workerApp(options: WorkerAppOptions): Hono {
  const { agents, tasks, clock, log, baseUrl } = options;
  const callers = new WeakMap<Request, Caller>();
  const app = new Hono();
  app.get("/health", (context) => context.json({ status: "ok" }));
  app.get("/healthz", (context) => {
    const health = options.health();
    return context.json(health, health.status === "draining" ? 503 : 200);
  });
  const { metrics } = options;
  if (metrics !== undefined)
    app.get("/metrics", async (context) => {
      const { body, contentType } = await metrics();
      return context.body(body, 200, { "content-type": contentType });
    });
  const guard = authenticated(options, callers);
  app.post("/", guard);
  app.post(`${PREFIX}/:namespace/:name`, guard);
  app.post(`${PREFIX}/:namespace/:name/`, guard);
  app.route(
    "/",
    a2aApp({
      agents: (ref) => agents.config(ref),
      tasks,
      caller: (request) => callerIn(callers, request),
      baseUrl,
      prefix: PREFIX,
      ...(agents.root === undefined ? {} : { root: () => agents.root }),
      clock,
      log,
    }),
  );
  return app;
}

/** Lets in who proves to be somebody the agent may be called by. */
function authenticated(
  { authenticator, agents }: WorkerAppOptions,
  callers: WeakMap<Request, Caller>,
): MiddlewareHandler {
  return async (context, next) => {
    const request = context.req.raw;
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(AUTHENTICATION_MS)]);
    const { incoming } = context.env as HttpBindings;
    const identity = await authenticator.authenticate(authRequestOf(incoming), signal);
    if (!isIdentity(identity)) {
      if (identity.status === 401) context.header("www-authenticate", "Bearer");
      return context.json({ error: identity.refused }, identity.status);
    }
    const caller = callerOf(identity, request.headers);
    // Of those whom a trusted service speaks for, it has judged that itself.
    const config = identity.trusted ? undefined : configOf(agents, context);
    if (config !== undefined && !mayCall(config.access, caller)) {
      const error = `${caller.user} may not call agent ${refKey(config.ref)}`;
      return context.json({ error }, 403);
    }
    callers.set(request, caller);
    await next();
    return undefined;
  };
}

function configOf(agents: WorkerAppOptions["agents"], context: Context): AgentConfig | undefined {
  const { namespace, name } = context.req.param() as Readonly<Record<string, string | undefined>>;
  const ref = namespace === undefined || name === undefined ? agents.root : { namespace, name };
  return ref === undefined ? undefined : agents.config(ref);
}

function callerIn(callers: WeakMap<Request, Caller>, request: Request): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error("a request came past its authentication");
  return caller;
}
