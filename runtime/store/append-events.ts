import { isDeepStrictEqual } from "node:util";
import type { Kysely, Transaction } from "kysely";
import { type Event, type EventOf, isTerminal, type NewEvent } from "../api/events.ts";
import { checkId } from "./arguments.ts";
import { type ApprovalOwner, projectApprovals } from "./project-approvals.ts";
import { eventOf, stateOf } from "./session-rows.ts";
import { TaskOverError, UnknownIdError } from "./session-store.ts";
import type { EventsTable, SessionsTable, StoreTables } from "./tables.ts";
import { transact } from "./transact.ts";

/** 500 rows of 7 values per statement; SQLite binds 32,766 values, Postgres 65,535. */
const ROWS_PER_INSERT = 500;

/** Events of one session on their way into it. */
export interface Batch {
  /** The session. */
  readonly contextId: string;
  readonly events: readonly NewEvent[];
  /** RFC 3339. */
  readonly now: string;
}

/** Some event of a batch is stored already; {@link append} then looks which. */
class StoredAlready extends Error {
  override readonly name = "StoredAlready";
}

/** As `SessionStore.append`. */
export async function append(db: Kysely<StoreTables>, batch: Batch): Promise<readonly Event[]> {
  if (batch.events.length === 0) return [];
  try {
    return await transact(db, (tx) => appendEvents(tx, batch));
  } catch (error) {
    if (!(error instanceof StoredAlready)) throw error;
    return transact(db, (tx) => appendAgain(tx, batch));
  }
}

/**
 * Appends a batch within a transaction of the caller, in two statements up to 500 events, two for each task
 * that moves, one for each that ends and one or two for each approval, whatever the length of the session.
 *
 * @throws StoredAlready when an event is; else as `SessionStore.append`. The caller's transaction must then
 *   be rolled back.
 */
export async function appendEvents(
  tx: Transaction<StoreTables>,
  batch: Batch,
): Promise<readonly Event[]> {
  const { contextId, events } = batch;
  for (const event of events) {
    if (event.contextId !== contextId) {
      throw new RangeError(`failed to append event ${event.id}: it is of another session`);
    }
    checkId("event id", event.id);
    checkId("task id", event.taskId);
  }
  const session = await reserve(tx, batch);
  const first = session.last_seq - events.length + 1;
  const appended = events.map((event, index) => ({ ...event, seq: first + index }));
  await insert(tx, appended.map(rowOf));
  await moveTasks(tx, batch);
  await projectApprovals(tx, session, appended);
  return appended;
}

/** Appends what is new of a batch that a writer may be repeating. */
async function appendAgain(tx: Transaction<StoreTables>, batch: Batch): Promise<readonly Event[]> {
  await lockSession(tx, batch.contextId);
  const known = await storedEvents(tx, batch.events);
  const fresh = batch.events.filter(({ id }) => !known.has(id));
  const appended = fresh.length === 0 ? [] : await appendEvents(tx, { ...batch, events: fresh });
  for (const event of appended) known.set(event.id, event);
  return batch.events.flatMap(({ id }) => known.get(id) ?? []);
}

/** Those of `events` that are stored, by id. @throws RangeError for one that differs, or comes twice. */
async function storedEvents(
  tx: Transaction<StoreTables>,
  events: readonly NewEvent[],
): Promise<Map<string, Event>> {
  const given = new Map(events.map((event) => [event.id, event]));
  if (given.size < events.length) {
    throw new RangeError("failed to append events: an event id comes twice");
  }
  const known = new Map<string, Event>();
  const ids = [...given.keys()];
  for (let start = 0; start < ids.length; start += ROWS_PER_INSERT) {
    const rows = await tx
      .selectFrom("events")
      .selectAll()
      .where("id", "in", ids.slice(start, start + ROWS_PER_INSERT))
      .execute();
    for (const row of rows) {
      const event = given.get(row.id);
      if (event === undefined || !isSame(eventOf(row), event)) {
        throw new RangeError(
          `failed to append event ${row.id}: another one with this id is stored`,
        );
      }
      known.set(row.id, eventOf(row));
    }
  }
  return known;
}

/** Compares what JSON keeps, whatever the order of keys. */
function isSame(stored: Event, given: NewEvent): boolean {
  return isDeepStrictEqual(stored, eventOf(rowOf({ ...given, seq: stored.seq })));
}

/** Makes appends to a session take turns. @throws UnknownIdError when there is none. */
export async function lockSession(
  tx: Transaction<StoreTables>,
  id: string,
): Promise<SessionsTable> {
  const row = await tx
    .updateTable("sessions")
    .set((eb) => ({ last_seq: eb("last_seq", "+", 0) }))
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw new UnknownIdError("session", id);
  return row;
}

/** Takes the next positions. Holds the session's row until the transaction ends: appends take turns. */
async function reserve(
  tx: Transaction<StoreTables>,
  batch: Batch,
): Promise<ApprovalOwner & Pick<SessionsTable, "last_seq">> {
  const count = batch.events.length;
  const session = await tx
    .updateTable("sessions")
    .set((eb) => ({ last_seq: eb("last_seq", "+", count), updated_at: batch.now }))
    .where("id", "=", batch.contextId)
    .returning(["last_seq", "agent_namespace", "agent_name", "user_id"])
    .executeTakeFirst();
  if (session === undefined) throw new UnknownIdError("session", batch.contextId);
  return session;
}

function rowOf(event: Event): EventsTable {
  return {
    context_id: event.contextId,
    seq: event.seq,
    id: event.id,
    task_id: event.taskId,
    time: event.time,
    author: event.author,
    body: JSON.stringify(event.body),
  };
}

async function insert(tx: Transaction<StoreTables>, rows: readonly EventsTable[]): Promise<void> {
  for (let start = 0; start < rows.length; start += ROWS_PER_INSERT) {
    const chunk = rows.slice(start, start + ROWS_PER_INSERT);
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto("events")
      .values(chunk)
      .onConflict((conflict) => conflict.column("id").doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows !== BigInt(chunk.length)) {
      throw new StoredAlready("failed to append events: an event id is stored already");
    }
  }
}

async function moveTasks(tx: Transaction<StoreTables>, batch: Batch): Promise<void> {
  const moves = new Map<string, EventOf<"status">[]>();
  for (const { taskId, body } of batch.events) {
    if (body.type !== "status") continue;
    const known = moves.get(taskId);
    if (known === undefined) moves.set(taskId, [body]);
    else known.push(body);
  }
  for (const [taskId, statuses] of moves) {
    await moveTask(tx, { taskId, contextId: batch.contextId, statuses, now: batch.now });
  }
}

interface Move {
  readonly taskId: string;
  readonly contextId: string;
  readonly statuses: readonly EventOf<"status">[];
  readonly now: string;
}

async function moveTask(tx: Transaction<StoreTables>, move: Move): Promise<void> {
  const row = await tx
    .selectFrom("tasks")
    .select(["id", "state", "usage"])
    .where("id", "=", move.taskId)
    .where("context_id", "=", move.contextId)
    .executeTakeFirst();
  if (row === undefined) throw new UnknownIdError("task", move.taskId);
  let state = stateOf(row);
  let usage = row.usage;
  let error: string | null = null;
  for (const status of move.statuses) {
    if (isTerminal(state)) throw new TaskOverError(move.taskId, state, status.state);
    state = status.state;
    error = status.error === undefined ? null : JSON.stringify(status.error);
    if (status.usage !== undefined) usage = JSON.stringify(status.usage);
  }
  await tx
    .updateTable("tasks")
    .set({ state, usage, error, updated_at: move.now })
    .where("id", "=", move.taskId)
    .execute();
}
