import type { Kysely } from "kysely";
import { type ObjectRef, refKey } from "../api/names.ts";
import type { Clock } from "../process/clock.ts";
import { append, lockSession } from "./append-events.ts";
import { checkId, checkLimit, storable } from "./arguments.ts";
import { deleteSession } from "./delete-sessions.ts";
import { failLostTasks, failOpenTasks } from "./fail-tasks.ts";
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
import { SessionTurns } from "./session-turns.ts";
import type { StoreTables } from "./tables.ts";
import { claimTask, heartbeat, ownerOf } from "./task-owners.ts";
import { transact } from "./transact.ts";

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
  const turns = new SessionTurns();
  let closed: Promise<void> | undefined;
  return {
    ensureSession: (session) => ensureSession(db, session, now()),
    getSession: (id, user) => getSession(db, id, user),
    listSessions: (filter) => listSessions(db, filter),
    updateSession: (id, user, { name }) => renameSession(db, { id, user, name }),
    deleteSession: (id, user) => deleteSession(db, { id, user, now: now() }),
    createTask: (task) => createTask(db, task, now()),
    getTask: (id, user) => getTask(db, id, user),
    listTasks: (query) => listTasks(db, query),
    append: (contextId, events) =>
      turns.take(contextId, () => append(db, { contextId, events, now: now() })),
    events: (contextId, user, filter) => listEvents(db, { contextId, user, ...filter }),
    failOpenTasks: (error) => failOpenTasks(db, { error, ...deps }),
    heartbeat: (owner) => heartbeat(db, owner, now()),
    claimTask: (taskId, ownerId) => claimTask(db, taskId, ownerId),
    ownerOf: (taskId, user) => ownerOf(db, { taskId, user, now: deps.clock.now() }),
    failLostTasks: (error, silentMs) => failLostTasks(db, silentMs, { error, ...deps }),
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
  return transact(db, async (tx) => {
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

async function renameSession(
  db: Kysely<StoreTables>,
  wanted: { readonly id: string; readonly user: string; readonly name: string },
): Promise<Session | undefined> {
  const row = await db
    .updateTable("sessions")
    .set({ name: storable(wanted.name) })
    .where("id", "=", wanted.id)
    .where("user_id", "=", wanted.user)
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? undefined : sessionOf(row);
}

async function createTask(
  db: Kysely<StoreTables>,
  task: Pick<StoredTask, "id" | "contextId" | "agent" | "user">,
  now: string,
): Promise<StoredTask> {
  const id = checkId("task id", task.id);
  return transact(db, async (tx) => {
    // Nobody deletes the session while its task is on its way.
    await lockSession(tx, task.contextId);
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
        owner_id: null,
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
