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
  /** The worker that runs it; it may be forgotten. */
  readonly owner_id: string | null;
}

/** Rows of `workers`: processes that run tasks. */
interface WorkersTable {
  readonly id: string;
  readonly url: string;
  /** Its last heartbeat. */
  readonly seen_at: string;
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

/** Rows of `approvals`: projections of the approval events. */
export interface ApprovalsTable {
  readonly task_id: string;
  readonly call_id: string;
  /** Position of the event that asked: a call may be asked for again after a decision. */
  readonly seq: number;
  readonly context_id: string;
  readonly agent_namespace: string;
  readonly agent_name: string;
  readonly user_id: string;
  readonly tool: string;
  readonly kind: string;
  readonly state: string;
  readonly args_hash: string;
  readonly approver: string | null;
  readonly reason: string | null;
  readonly requested_at: string;
  readonly expires_at: string | null;
  readonly decided_at: string | null;
}

/** Rows of `agent_memories`. */
export interface AgentMemoriesTable {
  readonly id: string;
  readonly agent_namespace: string;
  readonly agent_name: string;
  readonly user_id: string;
  readonly content: string;
  /** JSON. */
  readonly metadata: string | null;
  /** Float32 numbers in the order of bytes of the machine (SQLite), a `vector` (Postgres); of length 1. */
  readonly vector: Uint8Array;
  readonly created_at: string;
  readonly expires_at: string;
  readonly access_count: number;
}

/** Rows of `reports`. */
export interface ReportsTable {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly markdown: string;
  readonly incident: string | null;
  readonly created_at: string;
}

/** Rows of `feedback`. */
export interface FeedbackTable {
  readonly id: string;
  readonly user_id: string;
  readonly message_id: string | null;
  /** 0 or 1. */
  readonly positive: number;
  readonly text: string;
  readonly issue_type: string | null;
  readonly created_at: string;
}

/** Rows of `shares`. */
export interface SharesTable {
  readonly token: string;
  readonly context_id: string;
  readonly user_id: string;
  /** 0 or 1. */
  readonly read_only: number;
  readonly created_at: string;
}

/** Every table of the store, as the newest migration leaves it. */
export interface StoreTables {
  readonly sessions: SessionsTable;
  readonly events: EventsTable;
  readonly tasks: TasksTable;
  readonly workers: WorkersTable;
  readonly approvals: ApprovalsTable;
  readonly agent_memories: AgentMemoriesTable;
  readonly reports: ReportsTable;
  readonly feedback: FeedbackTable;
  readonly shares: SharesTable;
  readonly memories: MemoriesTable;
  readonly memory_words: MemoryWordsTable;
}
