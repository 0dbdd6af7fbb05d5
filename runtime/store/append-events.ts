import type { Transaction } from "kysely";
import { type Event, type EventOf, isTerminal, type NewEvent } from "../api/events.ts";
import { stateOf } from "./session-rows.ts";
import { TaskOverError, UnknownIdError } from "./session-store.ts";
import type { EventsTable, StoreTables } from "./tables.ts";

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

/**
 * Appends a batch within a transaction of the caller, in two statements up to 500 events and two for each
 * task that moves, whatever the length of the session.
 *
 * @throws As `SessionStore.append`; the caller's transaction must then be rolled back.
 */
export async function appendEvents(
  tx: Transaction<StoreTables>,
  batch: Batch,
): Promise<readonly Event[]> {
  const { contextId, events } = batch;
  const foreign = events.find((event) => event.contextId !== contextId);
  if (foreign !== undefined) {
    throw new RangeError(`failed to append event ${foreign.id}: it is of another session`);
  }
  const first = await reserve(tx, batch);
  const appended = events.map((event, index) => ({ ...event, seq: first + index }));
  await insert(tx, appended.map(rowOf));
  await moveTasks(tx, batch);
  return appended;
}

/** Takes the next positions. Holds the session's row until the transaction ends: appends take turns. */
async function reserve(tx: Transaction<StoreTables>, batch: Batch): Promise<number> {
  const count = batch.events.length;
  const session = await tx
    .updateTable("sessions")
    .set((eb) => ({ last_seq: eb("last_seq", "+", count), updated_at: batch.now }))
    .where("id", "=", batch.contextId)
    .returning("last_seq")
    .executeTakeFirst();
  if (session === undefined) throw new UnknownIdError("session", batch.contextId);
  return session.last_seq - count + 1;
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
      throw new RangeError("failed to append events: an event id is stored already");
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
