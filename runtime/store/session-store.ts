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

/**
 * A task as the store keeps it, a projection of its `status` events: state and error are those of the
 * latest one, usage that of the latest one that tells it.
 */
export interface StoredTask {
  readonly id: string;
  readonly contextId: string;
  readonly agent: ObjectRef;
  readonly user: string;
  readonly state: TaskState;
  readonly usage?: Usage;
  readonly error?: TurnError;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339; when the store took the latest `status` event, or created the task. */
  readonly updatedAt: string;
}

/** A process that runs tasks. */
export interface RunOwner {
  /** Unique per start of the process, e.g. `<pod>/<uuid>`. */
  readonly id: string;
  /** Where the process takes requests about its tasks, e.g. `http://10.0.0.7:8080`. */
  readonly url: string;
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

/** A call names what is not there (any more): somebody may have deleted it meanwhile. */
export class UnknownIdError extends Error {
  override readonly name = "UnknownIdError";
  /** What is missing; `worker`: a {@link RunOwner} that never sent a heartbeat, or was silent for long. */
  readonly kind: "session" | "task" | "worker";
  /** Its id. */
  readonly id: string;

  constructor(kind: UnknownIdError["kind"], id: string) {
    super(`failed to find ${kind} ${id}`);
    this.kind = kind;
    this.id = id;
  }
}

/** A `status` event of a task that is over; e.g. its turn ends after it was canceled. */
export class TaskOverError extends Error {
  override readonly name = "TaskOverError";
  readonly taskId: string;
  /** State in which the task has ended. */
  readonly state: TaskState;
  /** State it was to move to. */
  readonly wanted: TaskState;

  constructor(taskId: string, state: TaskState, wanted: TaskState) {
    super(`failed to move task ${taskId} to ${wanted}: it is over (${state})`);
    this.taskId = taskId;
    this.state = state;
    this.wanted = wanted;
  }
}

/**
 * Sessions, their append-only events and the tasks projected from them.
 *
 * Every read is scoped by owner: what belongs to another user is absent. What a method resolved for is
 * durable: a process killed afterwards loses nothing of it.
 */
export interface SessionStore {
  /**
   * Creates the session unless it exists; one that exists stays as it is.
   *
   * @throws OwnerMismatchError when the id is taken by another user or agent.
   * @throws RangeError for an id that cannot be stored: empty, over 512 characters, NUL in it, or not
   *   well-formed Unicode.
   */
  ensureSession(session: NewSession): Promise<Session>;
  getSession(id: string, user: string): Promise<Session | undefined>;
  /** Last used first; child sessions are left out. @throws RangeError for a `limit` that is none. */
  listSessions(filter: {
    readonly user: string;
    readonly agent?: ObjectRef;
    readonly limit: number;
  }): Promise<readonly Session[]>;
  /**
   * Renames a session; that is no use of it, so its place in lists stays.
   *
   * @returns The session as it is now; `undefined` when there is none.
   */
  updateSession(
    id: string,
    user: string,
    changes: { readonly name: string },
  ): Promise<Session | undefined>;
  /**
   * Deletes the session with its events and tasks, and with the child sessions below it: no list shows
   * those, so nobody else would.
   *
   * @returns Whether there was one.
   */
  deleteSession(id: string, user: string): Promise<boolean>;
  /**
   * Creates a task in state `submitted`.
   *
   * @throws OwnerMismatchError when the id is taken, or the session is another user's or agent's.
   * @throws UnknownIdError when there is no such session.
   * @throws RangeError for an id that cannot be stored, as of {@link ensureSession}.
   */
  createTask(task: Pick<StoredTask, "id" | "contextId" | "agent" | "user">): Promise<StoredTask>;
  getTask(id: string, user: string): Promise<StoredTask | undefined>;
  /**
   * Last updated first. A page goes on where the last one ended, even when its last task was deleted.
   *
   * @throws RangeError for a page token or a page size that is none.
   */
  listTasks(query: TaskQuery): Promise<{
    readonly tasks: readonly StoredTask[];
    readonly total: number;
    readonly nextPageToken?: string;
  }>;
  /**
   * Appends events of one session in one transaction, gives them their positions and moves their tasks
   * along with the `status` events among them. O(events), whatever the length of the session.
   *
   * Calls of one process for a session take effect in their order.
   *
   * All or nothing. A terminal state is final: a batch with a `status` event after it is refused, so that
   * the log cannot say two ends; other events are taken, they tell what still happened.
   *
   * @throws TaskOverError for a `status` event of a task that is over.
   * @throws UnknownIdError when there is no such session, or no task of it that a `status` event names.
   * @throws RangeError for an event of another session, or an event id that is stored already with another
   *   content. An event that is stored already as it is comes back with the position it has: a writer may repeat a
   *   batch whose answer it did not see.
   */
  append(contextId: string, events: readonly NewEvent[]): Promise<readonly Event[]>;
  /** Events of a session, oldest first. @throws RangeError for a `limit` that is none. */
  events(
    contextId: string,
    user: string,
    filter?: { readonly taskId?: string; readonly afterSeq?: number; readonly limit?: number },
  ): Promise<readonly Event[]>;
  /**
   * Ends every task that is `submitted` or `working` with a `failed` status event: their worker is gone.
   *
   * For a store that one process has for itself, at its start. Where several processes run tasks it would
   * end those of the others: {@link failLostTasks} is for them.
   */
  failOpenTasks(error: TurnError): Promise<readonly StoredTask[]>;
  /**
   * Says that a process lives; to be repeated every 5 s (decisions 18).
   *
   * @throws RangeError for an id or an address that cannot be stored, as of {@link ensureSession}.
   */
  heartbeat(owner: RunOwner): Promise<void>;
  /**
   * Makes `ownerId` the one that runs a task from now on.
   *
   * @throws UnknownIdError when there is no such task, or the owner never sent a heartbeat.
   */
  claimTask(taskId: string, ownerId: string): Promise<void>;
  /** Who runs a task, with the time since its last heartbeat; `undefined` when nobody does. */
  ownerOf(
    taskId: string,
    user: string,
  ): Promise<(RunOwner & { readonly silentMs: number }) | undefined>;
  /**
   * Ends tasks that are `submitted` or `working` and whose owner has been silent for `silentMs` (or that
   * nobody claimed for that long) as {@link failOpenTasks} does. Forgets such owners.
   *
   * Silence is told by the clocks of the processes that hold the store: they must agree to within seconds.
   *
   * @throws RangeError for a `silentMs` that is not above 0.
   */
  failLostTasks(error: TurnError, silentMs: number): Promise<readonly StoredTask[]>;
  /** Waits for the calls before it; those after it are refused. May be called again. */
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
  /**
   * Keeps a memory; when the user has too many, the oldest is forgotten.
   *
   * @throws RangeError when `content` is blank or over 10,000 characters.
   */
  addMemory(memory: { readonly user: string; readonly content: string }): Promise<Memory>;
  /** Best match first, by words in common, rare words more than common ones; at most `limit`. */
  searchMemories(query: {
    readonly user: string;
    readonly text: string;
    readonly limit: number;
  }): Promise<readonly Memory[]>;
  /** Newest first. */
  listMemories(query: {
    readonly user: string;
    readonly limit: number;
  }): Promise<readonly Memory[]>;
}
