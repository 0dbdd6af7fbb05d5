import type { Event, NewEvent, TaskState, TurnError, Usage } from "../api/events.ts";
import type { ObjectRef } from "../api/names.ts";

/** A conversation of one user with one agent. Its id is the A2A contextId. */
export interface Session {
  readonly id: string;
  readonly agent: ObjectRef;
  readonly user: string;
  /** Shown to people; the first 20 characters of the first message. */
  readonly name: string;
  /** `agent`: a child session of another agent's turn, hidden from lists. */
  readonly source: "user" | "agent";
  /** Session that called this one. */
  readonly parentContextId?: string;
  /** First session of the chain; its own id at the root. */
  readonly rootContextId: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339. */
  readonly updatedAt: string;
}

/** A session before it is stored. */
export type NewSession = Omit<Session, "createdAt" | "updatedAt">;

/** A task as the store keeps it; state, usage and error follow the latest `status` event. */
export interface StoredTask {
  readonly id: string;
  readonly contextId: string;
  readonly agent: ObjectRef;
  readonly user: string;
  readonly state: TaskState;
  readonly usage?: Usage;
  readonly error?: TurnError;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Filter of {@link SessionStore.listTasks}. */
export interface TaskQuery {
  readonly agent: ObjectRef;
  readonly user: string;
  readonly contextId?: string;
  readonly state?: TaskState;
  /** 1..100. */
  readonly pageSize: number;
  readonly pageToken?: string;
}

/** An id that exists belongs to another user or another agent; told to callers as "not found". */
export class OwnerMismatchError extends Error {
  override readonly name = "OwnerMismatchError";
}

/**
 * Sessions, their append-only events and the tasks projected from them.
 *
 * Every read is scoped by owner: what belongs to another user is absent. What a method resolved for is
 * durable: a process killed afterwards loses nothing of it.
 */
export interface SessionStore {
  /**
   * Creates the session unless it exists.
   *
   * @throws OwnerMismatchError when the id is taken by another user or agent.
   */
  ensureSession(session: NewSession): Promise<Session>;
  getSession(id: string, user: string): Promise<Session | undefined>;
  /** Newest first; child sessions are left out. */
  listSessions(filter: {
    readonly user: string;
    readonly agent?: ObjectRef;
    readonly limit: number;
  }): Promise<readonly Session[]>;
  /** Deletes the session with its events and tasks. @returns Whether there was one. */
  deleteSession(id: string, user: string): Promise<boolean>;
  /** Creates a task in state `submitted`. @throws OwnerMismatchError when the id is taken. */
  createTask(task: Pick<StoredTask, "id" | "contextId" | "agent" | "user">): Promise<StoredTask>;
  getTask(id: string, user: string): Promise<StoredTask | undefined>;
  /** Newest first. @throws RangeError for a page token that is none. */
  listTasks(query: TaskQuery): Promise<{
    readonly tasks: readonly StoredTask[];
    readonly total: number;
    readonly nextPageToken?: string;
  }>;
  /**
   * Appends events of one session in one transaction, gives them their positions and moves their tasks
   * along with the `status` events among them. O(events), whatever the length of the session.
   */
  append(contextId: string, events: readonly NewEvent[]): Promise<readonly Event[]>;
  /** Events of a session, oldest first. */
  events(
    contextId: string,
    user: string,
    filter?: { readonly taskId?: string; readonly afterSeq?: number; readonly limit?: number },
  ): Promise<readonly Event[]>;
  /** Ends every task that is `submitted` or `working` with a `failed` status event: their worker is gone. */
  failOpenTasks(error: TurnError): Promise<readonly StoredTask[]>;
  close(): Promise<void>;
}

/** A fact an agent keeps for a user. */
export interface Memory {
  readonly id: string;
  readonly content: string;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** Memories, scoped by agent-independent user as `code-tools` needs them. */
export interface MemoryStore {
  addMemory(memory: { readonly user: string; readonly content: string }): Promise<Memory>;
  /** Best match first, by words in common; at most `limit`. */
  searchMemories(query: {
    readonly user: string;
    readonly text: string;
    readonly limit: number;
  }): Promise<readonly Memory[]>;
  /** Newest first. */
  listMemories(query: { readonly user: string; readonly limit: number }): Promise<readonly Memory[]>;
}
