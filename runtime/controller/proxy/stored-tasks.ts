import type {
  Caller,
  TaskFilter,
  TaskPage,
  TaskService,
  TaskView,
} from "../../a2a/task-service.ts";
import { TaskError } from "../../a2a/task-service.ts";
import { type Event, isTerminal, type TaskState, type TurnUpdate } from "../../api/events.ts";
import { type ObjectRef, refKey } from "../../api/names.ts";
import type { Clock } from "../../process/clock.ts";
import { type SessionStore, type StoredTask, TaskOverError } from "../../store/session-store.ts";

/** How often the store is asked what a task did that runs elsewhere; its live stream is there, this one fills in. */
const POLL_MS = 1_000;

/** What {@link StoredTasks} needs. */
export interface StoredTasksDeps {
  readonly sessions: SessionStore;
  readonly clock: Clock;
  readonly newId: () => string;
}

/**
 * Tasks as the store knows them, whoever runs them: what needs no worker is answered here.
 *
 * A task that is cancelled here has nobody who runs it, or nobody who can be reached: the store takes no other end of
 * it afterwards.
 */
export class StoredTasks implements Omit<TaskService, "send"> {
  readonly #deps: StoredTasksDeps;

  constructor(deps: StoredTasksDeps) {
    this.#deps = deps;
  }

  async get(agent: ObjectRef, taskId: string, caller: Caller): Promise<TaskView> {
    return await this.#view(await this.stored(agent, taskId, caller));
  }

  async list(filter: TaskFilter, caller: Caller): Promise<TaskPage> {
    try {
      const page = await this.#deps.sessions.listTasks({ ...filter, user: caller.user });
      const tasks = await Promise.all(page.tasks.map((task) => this.#view(task)));
      const { total, nextPageToken } = page;
      return { tasks, total, ...(nextPageToken === undefined ? {} : { nextPageToken }) };
    } catch (error) {
      if (error instanceof RangeError) throw new TaskError("invalid", "the page token is none");
      throw error;
    }
  }

  async cancel(agent: ObjectRef, taskId: string, caller: Caller): Promise<TaskView> {
    const { sessions, newId, clock } = this.#deps;
    const task = await this.stored(agent, taskId, caller);
    const { contextId } = task;
    if (isTerminal(task.state)) throw notCancelable(taskId, task.state);
    const time = new Date(clock.now()).toISOString();
    const body = { type: "status", state: "canceled" } as const;
    const author = refKey(agent);
    try {
      await sessions.append(contextId, [{ id: newId(), time, contextId, taskId, author, body }]);
    } catch (error) {
      if (error instanceof TaskOverError) throw notCancelable(taskId, error.state);
      throw error;
    }
    return await this.get(agent, taskId, caller);
  }

  async subscribe(
    agent: ObjectRef,
    taskId: string,
    caller: Caller,
  ): Promise<{ readonly task: TaskView; readonly updates: AsyncIterable<TurnUpdate> }> {
    const task = await this.get(agent, taskId, caller);
    return { task, updates: this.#follow(task, caller.user) };
  }

  /** @throws TaskError `task-not-found` */
  protected async stored(agent: ObjectRef, taskId: string, caller: Caller): Promise<StoredTask> {
    const task = await this.#deps.sessions.getTask(taskId, caller.user);
    if (task === undefined || refKey(task.agent) !== refKey(agent))
      throw new TaskError("task-not-found", `there is no task ${taskId}`);
    return task;
  }

  async *#follow(task: TaskView, user: string): AsyncGenerator<TurnUpdate, void, undefined> {
    const { sessions, clock } = this.#deps;
    const { signal } = new AbortController();
    let afterSeq = task.events.at(-1)?.seq ?? 0;
    let over = isOver(task.state);
    while (!over) {
      const filter = { taskId: task.id, afterSeq };
      const events = await sessions.events(task.contextId, user, filter);
      for (const event of events) {
        afterSeq = event.seq;
        over ||= event.body.type === "status" && isOver(event.body.state);
        yield { kind: "event", event };
      }
      over ||= await this.#isGone(task.id, user);
      if (!over) await clock.sleep(POLL_MS, signal);
    }
  }

  /** Whether somebody deleted the task meanwhile. */
  async #isGone(taskId: string, user: string): Promise<boolean> {
    return (await this.#deps.sessions.getTask(taskId, user)) === undefined;
  }

  async #view(task: StoredTask): Promise<TaskView> {
    const { contextId, user, id } = task;
    return taskView(task, await this.#deps.sessions.events(contextId, user, { taskId: id }));
  }
}

/** A task with its events, as readers see it. */
export function taskView(task: StoredTask, events: readonly Event[]): TaskView {
  const { id, contextId, agent, state, updatedAt, usage, error } = task;
  return {
    id,
    contextId,
    agent,
    state,
    updatedAt,
    events,
    ...(usage === undefined ? {} : { usage }),
    ...(error === undefined ? {} : { error }),
  };
}

/** Whether a turn is over in `state`: the task ended, or waits for people. */
export function isOver(state: TaskState): boolean {
  return isTerminal(state) || state === "input-required";
}

function notCancelable(taskId: string, state: TaskState): TaskError {
  return new TaskError("not-cancelable", `task ${taskId} is ${state} already`);
}
