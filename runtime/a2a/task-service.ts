import type { Decider } from "../api/approvers.ts";
import type { Event, Part, TaskState, TurnError, TurnUpdate, Usage } from "../api/events.ts";
import type { ObjectRef } from "../api/names.ts";

/** Who calls, as the edge established it. */
export interface Caller {
  /** Owner of sessions and tasks. */
  readonly user: string;
  /** Request headers, names in lower case; for lineage and for headers a tool may be given. */
  readonly headers: Readonly<Record<string, string>>;
  /** Groups of the user, for the approvers of agents. */
  readonly groups?: readonly string[];
  /** The controller itself: it may say that a request for approval has expired, and nothing else. */
  readonly trusted?: boolean;
  /**
   * Who really decides, when an agent passes a decision on. The edge sets it from `x-kagent-approver` of requests that
   * are proven to come from an agent of the platform, and of no others.
   */
  readonly approver?: Decider;
}

/** A message to an agent. */
export interface SendRequest {
  readonly agent: ObjectRef;
  readonly messageId: string;
  readonly parts: readonly Part[];
  /** Metadata of the message and of the request, message first. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Continues a session; absent: a new one. */
  readonly contextId?: string;
  /** Answers a task that waits for input. */
  readonly taskId?: string;
}

/** A task as its readers see it: a projection of the session's events. */
export interface TaskView {
  readonly id: string;
  readonly contextId: string;
  readonly agent: ObjectRef;
  readonly state: TaskState;
  /** RFC 3339; when `state` was last set. */
  readonly updatedAt: string;
  readonly usage?: Usage;
  readonly error?: TurnError;
  /** Events of the task, oldest first. */
  readonly events: readonly Event[];
}

/** A page of tasks, newest first. */
export interface TaskPage {
  readonly tasks: readonly TaskView[];
  /** Number of all tasks that match. */
  readonly total: number;
  /** Token of the next page; absent on the last one. */
  readonly nextPageToken?: string;
}

/** What {@link TaskService.list} filters by. */
export interface TaskFilter {
  readonly agent: ObjectRef;
  readonly contextId?: string;
  readonly state?: TaskState;
  /** 1..100. */
  readonly pageSize: number;
  readonly pageToken?: string;
}

/** Why a request about a task cannot be served; the edge maps it to its protocol's codes. */
export type TaskErrorCode =
  | "task-not-found"
  | "context-not-found"
  | "not-cancelable"
  | "not-expecting-input"
  | "not-permitted"
  | "busy"
  | "invalid"
  | "agent-not-found";

/** A request about a task cannot be served. The message is for callers. */
export class TaskError extends Error {
  override readonly name = "TaskError";
  readonly code: TaskErrorCode;

  constructor(code: TaskErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A task under way: its identity, and its updates from the first one on. */
export interface RunningTask {
  readonly taskId: string;
  readonly contextId: string;
  /**
   * Updates from the start; ends after the update with a terminal or `input-required` status.
   * Leaving the iteration early does not stop the task.
   */
  readonly updates: AsyncIterable<TurnUpdate>;
  /**
   * The task is somebody else's, and the caller one of its approvers: it may not be read, and `updates` tell of the
   * decision and the state alone.
   */
  readonly foreign?: true;
}

/** Runs and remembers tasks; every method is scoped to the caller's own. */
export interface TaskService {
  /**
   * Starts a task, or continues one that waits for input. The user's message is stored when this resolves.
   *
   * @throws TaskError
   */
  send(request: SendRequest, caller: Caller): Promise<RunningTask>;
  /** @throws TaskError `task-not-found` */
  get(agent: ObjectRef, taskId: string, caller: Caller): Promise<TaskView>;
  /** @throws TaskError `invalid` for a page token that is none. */
  list(filter: TaskFilter, caller: Caller): Promise<TaskPage>;
  /**
   * Stops a task and resolves once its final state is stored.
   *
   * @throws TaskError `task-not-found`, `not-cancelable`
   */
  cancel(agent: ObjectRef, taskId: string, caller: Caller): Promise<TaskView>;
  /**
   * The task as it is now and everything that follows, nothing missing in between.
   *
   * @throws TaskError `task-not-found`
   */
  subscribe(
    agent: ObjectRef,
    taskId: string,
    caller: Caller,
  ): Promise<{ readonly task: TaskView; readonly updates: AsyncIterable<TurnUpdate> }>;
}
