import type { Kysely } from "kysely";
import type { TurnError } from "../api/events.ts";
import { type ObjectRef, refKey } from "../api/names.ts";
import type { Clock } from "../process/clock.ts";
import { appendEvents } from "./append-events.ts";
import { checkId, checkLimit, storable } from "./arguments.ts";
import { listTasks } from "./list-tasks.ts";
import { eventOf, sessionOf, taskOf } from "./session-rows.ts";
import {
  type NewSession,
  OwnerMismatchError,
  type Session,
  type SessionStore,
  type StoredTask,
  UnknownIdError,
} from "./session-store.ts";
import type { StoreTables } from "./tables.ts";

/** What a store stands on. */
export interface StoreDeps {
  /** Times of sessions, tasks and memories. */
  readonly clock: Pick<Clock, "now">;
  /** Ids of what the store makes itself; unique. */
  readonly newId: () => string;
}

/**
 * Sessions, events and tasks in a database that `migrate` has prepared.
 *
 * The same queries serve each dialect: none depends on one, and each writing transaction first takes the
 * row of its session, so that appends take turns where connections do not.
 */
export function sessionStore(db: Kysely<StoreTables>, deps: StoreDeps): SessionStore {
  const now = () => new Date(deps.clock.now()).toISOString();
  let closed: Promise<void> | undefined;
  return {
    ensureSession: (session) => ensureSession(db, session, now()),
    getSession: (id, user) => getSession(db, id, user),
    listSessions: (filter) => listSessions(db, filter),
    deleteSession: (id, user) => deleteSession(db, id, user),
    createTask: (task) => createTask(db, task, now()),
    getTask: (id, user) => getTask(db, id, user),
    listTasks: (query) => listTasks(db, query),
    async append(contextId, events) {
      if (events.length === 0) return [];
      return db.transaction().execute((tx) => appendEvents(tx, { contextId, events, now: now() }));
    },
    events: (contextId, user, filter) => listEvents(db, { contextId, user, ...filter }),
    failOpenTasks: (error) => failOpenTasks(db, error, { now, newId: deps.newId }),
    close() {
      closed ??= db.destroy();
      return closed;
    },
  };
}

async function ensureSession(
  db: Kysely<StoreTables>,
  session: NewSession,
  now: string,
): Promise<Session> {
  const id = checkId("session id", session.id);
  const row = {
    id,
    agent_namespace: session.agent.namespace,
    agent_name: session.agent.name,
    user_id: checkId("user", session.user),
    name: storable(session.name),
    source: session.source,
    parent_context_id: session.parentContextId ?? null,
    root_context_id: session.rootContextId,
    last_seq: 0,
    created_at: now,
    updated_at: now,
  };
  return db.transaction().execute(async (tx) => {
    await tx
      .insertInto("sessions")
      .values(row)
      .onConflict((conflict) => conflict.column("id").doNothing())
      .execute();
    return ownSession(tx, { id, agent: session.agent, user: session.user });
  });
}

/** The session, if it is this user's with this agent. */
async function ownSession(
  db: Kysely<StoreTables>,
  wanted: { readonly id: string; readonly agent: ObjectRef; readonly user: string },
): Promise<Session> {
  const row = await db
    .selectFrom("sessions")
    .selectAll()
    .where("id", "=", wanted.id)
    .executeTakeFirst();
  if (row === undefined) throw new UnknownIdError("session", wanted.id);
  const session = sessionOf(row);
  if (session.user !== wanted.user || refKey(session.agent) !== refKey(wanted.agent)) {
    throw new OwnerMismatchError(`session ${wanted.id} belongs to another user or agent`);
  }
  return session;
}

async function getSession(
  db: Kysely<StoreTables>,
  id: string,
  user: string,
): Promise<Session | undefined> {
  const row = await db
    .selectFrom("sessions")
    .selectAll()
    .where("id", "=", id)
    .where("user_id", "=", user)
    .executeTakeFirst();
  return row === undefined ? undefined : sessionOf(row);
}

async function listSessions(
  db: Kysely<StoreTables>,
  filter: { readonly user: string; readonly agent?: ObjectRef; readonly limit: number },
): Promise<readonly Session[]> {
  const { agent } = filter;
  let query = db
    .selectFrom("sessions")
    .selectAll()
    .where("user_id", "=", filter.user)
    .where("source", "=", "user");
  if (agent !== undefined) {
    query = query
      .where("agent_namespace", "=", agent.namespace)
      .where("agent_name", "=", agent.name);
  }
  const rows = await query
    .orderBy("updated_at", "desc")
    .orderBy("id", "desc")
    .limit(checkLimit(filter.limit))
    .execute();
  return rows.map(sessionOf);
}

async function deleteSession(db: Kysely<StoreTables>, id: string, user: string): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const { numDeletedRows } = await tx
      .deleteFrom("sessions")
      .where("id", "=", id)
      .where("user_id", "=", user)
      .executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) return false;
    await tx
      .deleteFrom("sessions")
      .where("root_context_id", "=", id)
      .where("source", "=", "agent")
      .where("user_id", "=", user)
      .execute();
    return true;
  });
}

async function createTask(
  db: Kysely<StoreTables>,
  task: Pick<StoredTask, "id" | "contextId" | "agent" | "user">,
  now: string,
): Promise<StoredTask> {
  const id = checkId("task id", task.id);
  return db.transaction().execute(async (tx) => {
    await ownSession(tx, { id: task.contextId, agent: task.agent, user: task.user });
    const row = await tx
      .insertInto("tasks")
      .values({
        id,
        context_id: task.contextId,
        agent_namespace: task.agent.namespace,
        agent_name: task.agent.name,
        user_id: task.user,
        state: "submitted",
        usage: null,
        error: null,
        created_at: now,
        updated_at: now,
      })
      .onConflict((conflict) => conflict.column("id").doNothing())
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) throw new OwnerMismatchError(`task id ${id} is taken`);
    return taskOf(row);
  });
}

async function getTask(
  db: Kysely<StoreTables>,
  id: string,
  user: string,
): Promise<StoredTask | undefined> {
  const row = await db
    .selectFrom("tasks")
    .selectAll()
    .where("id", "=", id)
    .where("user_id", "=", user)
    .executeTakeFirst();
  return row === undefined ? undefined : taskOf(row);
}

async function listEvents(
  db: Kysely<StoreTables>,
  filter: {
    readonly contextId: string;
    readonly user: string;
    readonly taskId?: string;
    readonly afterSeq?: number;
    readonly limit?: number;
  },
) {
  const { contextId, user, taskId, afterSeq, limit } = filter;
  const own = db
    .selectFrom("sessions")
    .select("id")
    .where("id", "=", contextId)
    .where("user_id", "=", user);
  let query = db.selectFrom("events").selectAll().where("context_id", "=", own);
  if (taskId !== undefined) query = query.where("task_id", "=", taskId);
  if (afterSeq !== undefined) query = query.where("seq", ">", afterSeq);
  if (limit !== undefined) query = query.limit(checkLimit(limit));
  const rows = await query.orderBy("seq").execute();
  return rows.map(eventOf);
}

/** One transaction per session: a process killed between two leaves the rest to the next start. */
async function failOpenTasks(
  db: Kysely<StoreTables>,
  error: TurnError,
  deps: { readonly now: () => string; readonly newId: () => string },
): Promise<readonly StoredTask[]> {
  const sessions = await db
    .selectFrom("tasks")
    .select("context_id")
    .distinct()
    .where("state", "in", ["submitted", "working"])
    .orderBy("context_id")
    .execute();
  const failed: StoredTask[] = [];
  for (const { context_id } of sessions) {
    failed.push(...(await failTasksOf(db, context_id, { error, ...deps })));
  }
  return failed;
}

async function failTasksOf(
  db: Kysely<StoreTables>,
  contextId: string,
  deps: { readonly error: TurnError; readonly now: () => string; readonly newId: () => string },
): Promise<readonly StoredTask[]> {
  const now = deps.now();
  const { error } = deps;
  return db.transaction().execute(async (tx) => {
    const session = tx.updateTable("sessions").set({ updated_at: now });
    await session.where("id", "=", contextId).execute();
    const open = await tx
      .selectFrom("tasks")
      .selectAll()
      .where("context_id", "=", contextId)
      .where("state", "in", ["submitted", "working"])
      .orderBy("created_at")
      .orderBy("id")
      .execute();
    const events = open.map((row) => ({
      id: deps.newId(),
      time: now,
      contextId,
      taskId: row.id,
      author: `${row.agent_namespace}/${row.agent_name}`,
      body: { type: "status" as const, state: "failed" as const, error },
    }));
    if (events.length > 0) await appendEvents(tx, { contextId, events, now });
    return open.map((row) =>
      taskOf({ ...row, state: "failed", error: JSON.stringify(error), updated_at: now }),
    );
  });
}
