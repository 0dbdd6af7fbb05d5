import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import * as z from "zod";
import { taskJson } from "../../a2a/task-json.ts";
import type { Caller } from "../../a2a/task-service.ts";
import { isTerminal, type NewEvent, type Part, TASK_STATES } from "../../api/events.ts";
import { HEADERS, type ObjectRef, parseRef, refKey } from "../../api/names.ts";
import { type StoredTask, TaskOverError } from "../../store/session-store.ts";
import { OWNER_SILENT_MS } from "../proxy/a2a-proxy.ts";
import { taskView } from "../proxy/stored-tasks.ts";
import { ApiError, bodyOf, missing, ok } from "./answers.ts";
import type { HttpApiDeps } from "./http-api-deps.ts";
import { SessionId, visibleSession } from "./sessions.ts";

/** Most tasks of a session in one answer. */
const MAX_TASKS = 100;

const TextPart = z.looseObject({
  kind: z.literal("text").optional(),
  text: z.string().max(1_048_576),
});
const DataPart = z.looseObject({ kind: z.literal("data").optional(), data: z.unknown() });
const WireMessage = z.looseObject({
  messageId: SessionId,
  role: z.enum(["user", "agent"]),
  parts: z.array(z.union([TextPart, DataPart, z.looseObject({})])).max(100),
});
/** A task of A2A 0.3, as frameworks keep it with us. */
const WireTask = z.looseObject({
  id: SessionId,
  contextId: SessionId,
  status: z.looseObject({ state: z.enum(TASK_STATES) }),
  history: z.array(WireMessage).max(10_000).optional(),
});
type WireTask = z.output<typeof WireTask>;

/** `/api/tasks`: turns of the caller's conversations, as tasks of A2A 0.3 (kagent-api section 3.5). */
export function taskRoutes(deps: HttpApiDeps): Hono {
  const { sessions, caller } = deps;
  const app = new Hono();
  app.get("/api/sessions/:id/tasks", async (c) => {
    const { session } = await visibleSession(deps, c, c.req.param("id"));
    const { agent, user, id: contextId } = session;
    const page = await sessions.listTasks({ agent, user, contextId, pageSize: MAX_TASKS });
    const tasks = await Promise.all(page.tasks.map((task) => wireTask(deps, task)));
    return ok(c, tasks.toReversed());
  });
  app.get("/api/tasks/:id", async (c) => {
    const id = c.req.param("id");
    const task = await sessions.getTask(id, caller(c.req.raw).user);
    if (task === undefined) throw missing(`task ${id}`);
    return ok(c, await wireTask(deps, task));
  });
  app.post("/api/tasks", async (c) => {
    const task = await bodyOf(c, WireTask);
    await keepTask(deps, c, task);
    return ok(c, task, 201);
  });
  app.delete("/api/tasks/:id", async (c) => {
    const id = c.req.param("id");
    const task = await sessions.getTask(id, caller(c.req.raw).user);
    if (task === undefined) throw missing(`task ${id}`);
    throw new ApiError(409, `a task goes with its session; delete session ${task.contextId}`);
  });
  return app;
}

async function wireTask({ sessions }: HttpApiDeps, task: StoredTask): Promise<unknown> {
  const { contextId, user, id } = task;
  return taskJson(taskView(task, await sessions.events(contextId, user, { taskId: id })), user);
}

/**
 * Takes over what a framework tells of a task of its own: messages that are new, and its state.
 *
 * A task that a process of ours runs or follows is left alone: that process keeps its log.
 */
async function keepTask(deps: HttpApiDeps, c: Context, task: WireTask): Promise<void> {
  const { sessions } = deps;
  const caller = deps.caller(c.req.raw);
  const { user } = caller;
  const known = await sessions.getTask(task.id, user);
  const owner = known === undefined ? undefined : await sessions.ownerOf(task.id, user);
  if (owner !== undefined && owner.silentMs < OWNER_SILENT_MS) return;
  const { contextId, id } = task;
  const agent = await sessionAgent(deps, caller, contextId);
  if (known === undefined) await sessions.createTask({ id, contextId, agent, user });
  await append(deps, task, { author: refKey(agent), user, state: known?.state ?? "submitted" });
}

/** The agent of a session; one that is not there yet is begun where the caller says which agent it is. */
async function sessionAgent(
  { sessions }: HttpApiDeps,
  { user, headers }: Caller,
  contextId: string,
): Promise<ObjectRef> {
  const session = await sessions.getSession(contextId, user);
  if (session !== undefined) return session.agent;
  const named = headers[HEADERS.agentName]?.replace("__NS__", "/");
  if (named === undefined) throw new ApiError(400, `contextId: create session ${contextId} first`);
  const agent = parseRef(named);
  const source = headers[HEADERS.source] === "agent" ? "agent" : "user";
  const begun = { id: contextId, agent, user, name: "", source, rootContextId: contextId } as const;
  await sessions.ensureSession(begun);
  return agent;
}

async function append(
  { sessions, newId = randomUUID, clock }: HttpApiDeps,
  task: WireTask,
  known: { readonly author: string; readonly user: string; readonly state: StoredTask["state"] },
): Promise<void> {
  const { contextId, id: taskId, status, history = [] } = task;
  const time = new Date(clock?.now() ?? Date.now()).toISOString();
  const stored = await sessions.events(contextId, known.user, { taskId });
  const ids = new Set(stored.map((event) => event.id));
  const base = { time, contextId, taskId };
  const messages = history.flatMap(({ messageId, role, parts }): NewEvent[] => {
    const taken = parts.flatMap(partOf);
    const id = `${taskId}/${messageId}`;
    if (taken.length === 0 || ids.has(id)) return [];
    const author = role === "user" ? "user" : known.author;
    return [{ ...base, id, author, body: { type: "message", role, parts: taken } }];
  });
  const { state } = status;
  const isMoved = state !== known.state && !isTerminal(known.state);
  const move: NewEvent[] = isMoved
    ? [{ ...base, id: newId(), author: known.author, body: { type: "status", state } }]
    : [];
  try {
    await sessions.append(contextId, [...messages, ...move]);
  } catch (error) {
    if (!(error instanceof TaskOverError)) throw error; // over meanwhile: the end it has is the end
  }
}

function partOf(part: Readonly<Record<string, unknown>>): Part[] {
  if (typeof part["text"] === "string") return [{ text: part["text"] }];
  return "data" in part ? [{ data: part["data"] }] : [];
}
