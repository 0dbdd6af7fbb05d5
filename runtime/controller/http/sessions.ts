import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import * as z from "zod";
import { accessPolicy, mayCall } from "../../api/access.ts";
import type { Event } from "../../api/events.ts";
import { DEFAULT_NAMESPACE, HEADERS, type ObjectRef, refKey } from "../../api/names.ts";
import type { Session } from "../../store/session-store.ts";
import { SHARE_TOKEN } from "../proxy/upstream-headers.ts";
import { adkEvents } from "./adk-events.ts";
import { ApiError, bodyOf, missing, ok, queryOf, RefText, refOf } from "./answers.ts";
import type { HttpApiDeps } from "./http-api-deps.ts";

/** Most sessions in one list. */
const MAX_SESSIONS = 200;
/** Most events in one answer. */
const MAX_EVENTS = 10_000;
/** 512 characters of an id, as the store takes it; printable. */
export const SessionId = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[^\p{Cc}]+$/u, "must be printable");
/** 500 characters of a name, which people read in a list. */
const Name = z.string().max(500);

const NewSession = z.object({
  agent_ref: RefText,
  name: Name.optional(),
  id: SessionId.optional(),
  source: z.enum(["user", "agent"]).default("user"),
});
const Changes = z.object({ name: Name.optional(), agent_ref: RefText.optional() });
const Part = z.object({
  order: z.enum(["asc", "desc"]).default("asc"),
  limit: z
    .string()
    .regex(/^-?\d{1,9}$/)
    .transform(Number)
    .optional(),
  after: z.iso.datetime({ offset: true }).optional(),
});
const NewEvent = z.object({ id: SessionId, data: z.string().max(1_048_576) });

/** `/api/sessions`: conversations of the caller (kagent-api section 3.5). */
export function sessionRoutes(deps: HttpApiDeps): Hono {
  const { sessions, caller } = deps;
  const app = new Hono();
  app.get("/api/sessions", async (c) => {
    const { user } = caller(c.req.raw);
    const found = await sessions.listSessions({ user, limit: MAX_SESSIONS });
    return ok(c, found.map(sessionView));
  });
  app.post("/api/sessions", (c) => createSession(deps, c));
  app.get("/api/sessions/agent/:namespace/:name", async (c) => {
    const { user } = caller(c.req.raw);
    const found = await sessions.listSessions({ user, agent: refOf(c), limit: MAX_SESSIONS });
    return ok(c, found.map(sessionView));
  });
  app.get("/api/sessions/:id", (c) => showSession(deps, c));
  app.on(["PUT", "PATCH"], "/api/sessions/:id", (c) => changeSession(deps, c));
  app.delete("/api/sessions/:id", async (c) => {
    const id = c.req.param("id");
    if (!(await sessions.deleteSession(id, caller(c.req.raw).user))) throw missing(`session ${id}`);
    return ok(c, {});
  });
  app.post("/api/sessions/:id/events", (c) => addEvent(deps, c));
  return app;
}

/** A session as kagent's clients read it. */
function sessionView(session: Session): object {
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

async function createSession(deps: HttpApiDeps, c: Context): Promise<Response> {
  const caller = deps.caller(c.req.raw);
  const {
    agent_ref,
    name = "",
    id = (deps.newId ?? randomUUID)(),
    source,
  } = await bodyOf(c, NewSession);
  const agent = whole(agent_ref);
  checkMayCall(deps, c, agent);
  const parent = caller.headers[HEADERS.parentContextId];
  const session = await deps.sessions.ensureSession({
    id,
    agent,
    user: caller.user,
    name,
    source: caller.headers[HEADERS.source] === "agent" ? "agent" : source,
    rootContextId: caller.headers[HEADERS.rootContextId] ?? id,
    ...(parent === undefined ? {} : { parentContextId: parent }),
  });
  return ok(c, sessionView(session), 201);
}

async function showSession(deps: HttpApiDeps, c: Context): Promise<Response> {
  const id = c.req.param("id") ?? "";
  const { order, limit, after } = queryOf(c, Part);
  const { session, readOnly } = await visibleSession(deps, c, id);
  const all = await deps.sessions.events(id, session.user, { limit: MAX_EVENTS });
  const from = after === undefined ? undefined : Date.parse(after);
  const later = from === undefined ? all : all.filter(({ time }) => Date.parse(time) > from);
  const ordered = order === "asc" ? later : later.toReversed();
  const told = limit === undefined || limit <= 0 ? ordered : ordered.slice(0, limit);
  return ok(c, {
    session: sessionView(session),
    events: told.map((event) => eventView(event, session)),
    ...(readOnly ? { read_only: true } : {}),
  });
}

/** The caller's own session, or the one that a share link opens. */
export async function visibleSession(
  { sessions, caller, shares }: HttpApiDeps,
  c: Context,
  id: string,
): Promise<{ readonly session: Session; readonly readOnly: boolean }> {
  const own = await sessions.getSession(id, caller(c.req.raw).user);
  if (own !== undefined) return { session: own, readOnly: false };
  const token = c.req.header(SHARE_TOKEN);
  const share = token === undefined ? undefined : await shares?.find(token);
  const session = share?.contextId === id ? await sessions.getSession(id, share.user) : undefined;
  if (session === undefined) throw missing(`session ${id}`);
  return { session, readOnly: true };
}

async function changeSession({ sessions, caller }: HttpApiDeps, c: Context): Promise<Response> {
  const id = c.req.param("id") ?? "";
  const { user } = caller(c.req.raw);
  const { name, agent_ref } = await bodyOf(c, Changes);
  const session = await sessions.getSession(id, user);
  if (session === undefined) throw missing(`session ${id}`);
  if (agent_ref !== undefined && refKey(whole(agent_ref)) !== refKey(session.agent))
    throw new ApiError(409, "a session stays with its agent; begin another one");
  const renamed = name === undefined ? session : await sessions.updateSession(id, user, { name });
  if (renamed === undefined) throw missing(`session ${id}`);
  return ok(c, sessionView(renamed));
}

/** An event that a framework of somebody else keeps with us: ours, or one of the Agent Development Kit. */
async function addEvent(deps: HttpApiDeps, c: Context): Promise<Response> {
  const contextId = c.req.param("id") ?? "";
  const { user } = deps.caller(c.req.raw);
  const session = await deps.sessions.getSession(contextId, user);
  if (session === undefined) throw missing(`session ${contextId}`);
  const { id, data } = await bodyOf(c, NewEvent);
  const time = new Date(deps.clock?.now() ?? Date.now()).toISOString();
  const events = adkEvents(data, { id, time, contextId, agent: session.agent });
  if (events === undefined) throw new ApiError(400, "data: must be the JSON of an event");
  await deps.sessions.append(contextId, events);
  return ok(
    c,
    { id, session_id: contextId, user_id: user, created_at: time, updated_at: time, data },
    201,
  );
}

function eventView(event: Event, { id, user }: Session): object {
  return {
    id: event.id,
    session_id: id,
    user_id: user,
    created_at: event.time,
    updated_at: event.time,
    data: JSON.stringify(event),
  };
}

/** A conversation with an agent that the caller may not call is refused before it begins. */
function checkMayCall({ directory, caller }: HttpApiDeps, c: Context, agent: ObjectRef): void {
  const entry = directory.agent(agent);
  if (entry === undefined) throw missing(`agent ${refKey(agent)}`);
  if (mayCall(accessPolicy(entry.object.metadata.annotations), caller(c.req.raw))) return;
  throw new ApiError(403, `you may not call agent ${refKey(agent)}; its owner lists who may`);
}

function whole({ namespace, name }: z.output<typeof RefText>): ObjectRef {
  return { namespace: namespace ?? DEFAULT_NAMESPACE, name };
}
