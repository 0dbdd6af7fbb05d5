import { type Context, Hono } from "hono";
import type { Caller } from "../a2a/task-service.ts";
import { parseRef, refKey } from "../api/names.ts";
import type { SessionStore } from "../store/session-store.ts";
import type { AgentDirectory, AgentEntry } from "./agent-directory.ts";
import { ignoredFeatures } from "./ignored-features.ts";

/** Most sessions in one list. */
const MAX_SESSIONS = 200;
/** Most events in one answer. */
const MAX_EVENTS = 10_000;

/** What the HTTP API reads from. */
export interface HttpApiDeps {
  readonly directory: AgentDirectory;
  readonly sessions: SessionStore;
  /** Who calls, as the edge established it. */
  readonly caller: (request: Request) => Caller;
  /** Whether everything has started. */
  readonly ready: () => boolean;
  /** Versions that `/version` tells. */
  readonly version: { readonly version: string; readonly commit: string };
}

/**
 * The HTTP API of kagent-api section 3.5, its reading half.
 *
 * Success is `{error: false, data, message}`, failure `{error: "<text>"}` with an HTTP status.
 */
export function httpApi(deps: HttpApiDeps): Hono {
  const app = new Hono();
  app.get("/health", (c) =>
    deps.ready() ? c.text("OK") : c.json({ error: "the platform is starting" }, 503),
  );
  app.get("/version", (c) =>
    c.json({
      kagent_version: deps.version.version,
      git_commit: deps.version.commit,
      build_date: "unknown",
    }),
  );
  app.get("/api/me", (c) => c.json({ sub: deps.caller(c.req.raw).user }));
  app.route("/", agentRoutes(deps));
  app.route("/", toolRoutes(deps));
  app.route("/", sessionRoutes(deps));
  app.notFound((c) => c.json({ error: `there is nothing at ${c.req.method} ${c.req.path}` }, 404));
  return app;
}

const ok = (c: Context, data: unknown): Response => c.json({ error: false, data, message: "" });
const notFound = (c: Context, what: string): Response =>
  c.json({ error: `there is no ${what}` }, 404);

function agentRoutes({ directory }: HttpApiDeps): Hono {
  const app = new Hono();
  app.get("/api/namespaces", (c) => {
    const names = new Set(directory.agents().map(({ ref }) => ref.namespace));
    return ok(
      c,
      [...names].map((name) => ({ name, status: "Active" })),
    );
  });
  app.get("/api/agents", (c) => ok(c, directory.agents().map(agentView)));
  app.get("/api/agents/:namespace/:name", (c) => {
    const ref = c.req.param();
    const entry = directory.agent(ref);
    return entry === undefined ? notFound(c, `agent ${refKey(ref)}`) : ok(c, agentView(entry));
  });
  app.get("/api/modelconfigs", (c) =>
    ok(
      c,
      directory
        .models()
        .map(({ metadata, spec, status }) => ({ ref: keyOf(metadata), spec, status })),
    ),
  );
  return app;
}

/** An Agent as the API tells it (kagent-api section 3.5). */
function agentView(entry: AgentEntry): object {
  const { ref, object, config, violations } = entry;
  const { declarative } = object.spec;
  return {
    id: refKey(ref).replace("/", "__NS__"),
    agent: object,
    modelProvider: config?.model.provider ?? "",
    model: config?.model.model ?? "",
    modelConfigRef: config === undefined ? "" : refKey(config.model.ref),
    memoryRefs: [],
    tools: declarative?.tools ?? [],
    accepted: config !== undefined,
    deploymentReady: config !== undefined,
    violations,
    ignored: ignoredFeatures(object),
    workloadMode: "deployment",
  };
}

function toolRoutes({ directory }: HttpApiDeps): Hono {
  const app = new Hono();
  const discovered = (metadata: Metadata) => directory.discovered(parseRef(keyOf(metadata)));
  app.get("/api/toolservers", (c) =>
    ok(
      c,
      directory.servers().map(({ metadata }) => ({
        ref: keyOf(metadata),
        groupKind: "RemoteMCPServer.kagent.dev",
        discoveredTools: discovered(metadata).map(({ name, description }) => ({
          name,
          description,
        })),
      })),
    ),
  );
  app.get("/api/tools", (c) =>
    ok(
      c,
      directory.servers().flatMap(({ metadata }) =>
        discovered(metadata).map(({ name, description }) => ({
          id: name,
          server_name: keyOf(metadata),
          group_kind: "RemoteMCPServer.kagent.dev",
          description,
        })),
      ),
    ),
  );
  return app;
}

interface Metadata {
  readonly name: string;
  readonly namespace?: string | undefined;
}

function keyOf({ name, namespace }: Metadata): string {
  return refKey(namespace === undefined ? parseRef(name) : { namespace, name });
}

function sessionRoutes({ sessions, caller }: HttpApiDeps): Hono {
  const app = new Hono();
  app.get("/api/sessions", async (c) => {
    const { user } = caller(c.req.raw);
    const found = await sessions.listSessions({ user, limit: MAX_SESSIONS });
    return ok(c, found.map(sessionView));
  });
  app.get("/api/sessions/agent/:namespace/:name", async (c) => {
    const { user } = caller(c.req.raw);
    const agent = c.req.param();
    const found = await sessions.listSessions({ user, agent, limit: MAX_SESSIONS });
    return ok(c, found.map(sessionView));
  });
  app.get("/api/sessions/:id", async (c) => {
    const { user } = caller(c.req.raw);
    const id = c.req.param("id");
    const session = await sessions.getSession(id, user);
    if (session === undefined) return notFound(c, `session ${id}`);
    const events = await sessions.events(id, user, { limit: MAX_EVENTS });
    return ok(c, {
      session: sessionView(session),
      events: events.map((event) => ({
        id: event.id,
        session_id: id,
        user_id: user,
        created_at: event.time,
        updated_at: event.time,
        data: JSON.stringify(event),
      })),
    });
  });
  app.delete("/api/sessions/:id", async (c) => {
    const id = c.req.param("id");
    const deleted = await sessions.deleteSession(id, caller(c.req.raw).user);
    return deleted ? ok(c, {}) : notFound(c, `session ${id}`);
  });
  return app;
}

function sessionView(session: Awaited<ReturnType<SessionStore["listSessions"]>>[number]): object {
  return {
    id: session.id,
    name: session.name,
    user_id: session.user,
    created_at: session.createdAt,
    updated_at: session.updatedAt,
    agent_id: refKey(session.agent).replace("/", "__NS__"),
    source: session.source,
  };
}
