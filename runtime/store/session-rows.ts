import {
  type Event,
  type EventBody,
  TASK_STATES,
  type TaskState,
  TurnError,
  Usage,
} from "../api/events.ts";
import type { Session, StoredTask } from "./session-store.ts";
import type { EventsTable, SessionsTable, TasksTable } from "./tables.ts";

/** A row of `sessions` as callers see it. */
export function sessionOf(row: SessionsTable): Session {
  return {
    id: row.id,
    agent: { namespace: row.agent_namespace, name: row.agent_name },
    user: row.user_id,
    name: row.name,
    source: row.source === "agent" ? "agent" : "user",
    ...(row.parent_context_id === null ? {} : { parentContextId: row.parent_context_id }),
    rootContextId: row.root_context_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** A row of `tasks` as callers see it. */
export function taskOf(row: TasksTable): StoredTask {
  return {
    id: row.id,
    contextId: row.context_id,
    agent: { namespace: row.agent_namespace, name: row.agent_name },
    user: row.user_id,
    state: stateOf(row),
    ...(row.usage === null ? {} : { usage: Usage.parse(JSON.parse(row.usage)) }),
    ...(row.error === null ? {} : { error: TurnError.parse(JSON.parse(row.error)) }),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** State of a row of `tasks`. @throws Error for a word that is no state: the row is damaged. */
export function stateOf(row: Pick<TasksTable, "id" | "state">): TaskState {
  const state = TASK_STATES.find((known) => known === row.state);
  if (state === undefined) throw new Error(`failed to read task ${row.id}: state ${row.state}`);
  return state;
}

/** A row of `events` as callers see it. */
export function eventOf(row: EventsTable): Event {
  return {
    seq: row.seq,
    id: row.id,
    time: row.time,
    contextId: row.context_id,
    taskId: row.task_id,
    author: row.author,
    // Written from an EventBody by this store alone. Checking 100,000 of them again on each read would
    // cost more than reading them, and would refuse what a newer version has written.
    body: JSON.parse(row.body) as EventBody,
  };
}
