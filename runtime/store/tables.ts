/** Rows of `sessions`. Times are RFC 3339 in UTC with milliseconds, so that text order is time order. */
export interface SessionsTable {
  readonly id: string;
  readonly agent_namespace: string;
  readonly agent_name: string;
  readonly user_id: string;
  readonly name: string;
  readonly source: string;
  readonly parent_context_id: string | null;
  readonly root_context_id: string;
  /** Position of the newest event; 0 without events. Its row lock makes appends take turns. */
  readonly last_seq: number;
  readonly created_at: string;
  readonly updated_at: string;
}

/** Rows of `events`: the log, one row per event, never changed. */
export interface EventsTable {
  readonly context_id: string;
  readonly seq: number;
  readonly id: string;
  readonly task_id: string;
  readonly time: string;
  readonly author: string;
  /** JSON of the event's body. */
  readonly body: string;
}

/** Rows of `tasks`: projections of the `status` events. */
export interface TasksTable {
  readonly id: string;
  readonly context_id: string;
  readonly agent_namespace: string;
  readonly agent_name: string;
  readonly user_id: string;
  readonly state: string;
  /** JSON. */
  readonly usage: string | null;
  /** JSON. */
  readonly error: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

/** Rows of `memories`. */
export interface MemoriesTable {
  readonly id: string;
  readonly user_id: string;
  /** Order of arrival among the memories of a user. */
  readonly seq: number;
  readonly content: string;
  readonly created_at: string;
}

/** Rows of `memory_words`: each word of each memory once. */
interface MemoryWordsTable {
  readonly user_id: string;
  readonly word: string;
  readonly memory_id: string;
  /** `seq` of the memory. */
  readonly seq: number;
}

/** Every table of the store, as the newest migration leaves it. */
export interface StoreTables {
  readonly sessions: SessionsTable;
  readonly events: EventsTable;
  readonly tasks: TasksTable;
  readonly memories: MemoriesTable;
  readonly memory_words: MemoryWordsTable;
}
