import { randomUUID } from "node:crypto";
import {
  type Caller,
  type RunningTask,
  type SendRequest,
  TaskError,
  type TaskFilter,
  type TaskPage,
  type TaskService,
  type TaskView,
} from "../../runtime/a2a/task-service.ts";
import {
  type Event,
  type EventBody,
  type EventOf,
  isTerminal,
  type TurnUpdate,
} from "../../runtime/api/events.ts";
import { type ObjectRef, refKey } from "../../runtime/api/names.ts";
import type { Clock } from "../../runtime/process/clock.ts";

/** Updates that wait for one reader; who lags further behind is dropped and has to subscribe again. */
const MAX_WAITING = 10_000;

/** What a script does in a turn. A turn that ends without a status of its own is completed. */
export interface ScriptedTurn {
  readonly request: SendRequest;
  readonly caller: Caller;
  readonly taskId: string;
  /** 1 for the first message of the task. */
  readonly round: number;
  /** Aborts when the task is cancelled. */
  readonly signal: AbortSignal;
  emit(body: EventBody): void;
  say(text: string): void;
  partial(text: string, thought?: boolean): void;
  activity(author: string, body: EventBody): void;
}

/** How an agent behaves. */
export type Script = (turn: ScriptedTurn) => Promise<void> | void;

interface Task {
  readonly id: string;
  readonly contextId: string;
  readonly agent: ObjectRef;
  readonly user: string;
  readonly events: Event[];
  readonly readers: Set<Reader>;
  readonly stop: AbortController;
  round: number;
}

/** Tasks in memory, run by scripts: stands for the worker behind the A2A edge. */
export class ScriptedTasks implements TaskService {
  readonly #scripts: ReadonlyMap<string, Script>;
  readonly #now: Clock["now"];
  readonly #tasks = new Map<string, Task>();
  readonly #contexts = new Map<string, { owner: string; seq: number }>();

  /** @param scripts - By agent, `namespace/name`. */
  constructor(scripts: Readonly<Record<string, Script>>, now: Clock["now"] = Date.now) {
    this.#scripts = new Map(Object.entries(scripts));
    this.#now = now;
  }

  /** Readers that have not left: one per stream that is open. */
  get readers(): number {
    return [...this.#tasks.values()].reduce((sum, task) => sum + task.readers.size, 0);
  }

  async send(request: SendRequest, caller: Caller): Promise<RunningTask> {
    const script = this.#scripts.get(refKey(request.agent));
    if (script === undefined)
      throw new TaskError("agent-not-found", `agent ${refKey(request.agent)} does not run here`);
    const task =
      request.taskId === undefined
        ? this.#create(request, caller)
        : this.#waiting({ ...request, taskId: request.taskId }, caller);
    task.round += 1;
    const reader = new Reader(task.readers);
    this.#emit(task, "user", { type: "message", role: "user", parts: [...request.parts] });
    void this.#run(task, script, request, caller);
    return { taskId: task.id, contextId: task.contextId, updates: reader };
  }

  async get(agent: ObjectRef, taskId: string, caller: Caller): Promise<TaskView> {
    return viewOf(this.#owned(agent, taskId, caller));
  }

  async list(filter: TaskFilter, caller: Caller): Promise<TaskPage> {
    const { agent, contextId, state, pageSize, pageToken } = filter;
    const all = [...this.#tasks.values()]
      .toReversed()
      .filter((task) => task.user === caller.user && refKey(task.agent) === refKey(agent))
      .filter((task) => contextId === undefined || task.contextId === contextId)
      .map(viewOf)
      .filter((view) => state === undefined || view.state === state);
    const start = pageToken === undefined ? 0 : all.findIndex(({ id }) => id === pageToken) + 1;
    if (pageToken !== undefined && start === 0)
      throw new TaskError("invalid", "the page token is none");
    const tasks = all.slice(start, start + pageSize);
    const last = tasks.at(-1)?.id;
    const more = start + pageSize < all.length && last !== undefined;
    return { tasks, total: all.length, ...(more ? { nextPageToken: last } : {}) };
  }

  async cancel(agent: ObjectRef, taskId: string, caller: Caller): Promise<TaskView> {
    const task = this.#owned(agent, taskId, caller);
    const { state } = viewOf(task);
    if (isTerminal(state))
      throw new TaskError("not-cancelable", `task ${taskId} is ${state} already`);
    this.#emit(task, refKey(agent), { type: "status", state: "canceled" });
    task.stop.abort();
    return viewOf(task);
  }

  async subscribe(agent: ObjectRef, taskId: string, caller: Caller) {
    const task = this.#owned(agent, taskId, caller);
    const updates = new Reader(task.readers);
    const view = viewOf(task);
    if (isOver(view.state)) updates.end();
    return { task: view, updates };
  }

  #create(request: SendRequest, caller: Caller): Task {
    const contextId = request.contextId ?? randomUUID();
    const owner = `${caller.user} ${refKey(request.agent)}`;
    const context = this.#contexts.get(contextId) ?? { owner, seq: 0 };
    if (context.owner !== owner)
      throw new TaskError("context-not-found", `there is no context ${contextId}`);
    this.#contexts.set(contextId, context);
    const task: Task = {
      id: randomUUID(),
      contextId,
      agent: request.agent,
      user: caller.user,
      events: [],
      readers: new Set(),
      stop: new AbortController(),
      round: 0,
    };
    this.#tasks.set(task.id, task);
    return task;
  }

  #waiting(request: SendRequest & { readonly taskId: string }, caller: Caller): Task {
    const task = this.#owned(request.agent, request.taskId, caller);
    if (request.contextId !== undefined && request.contextId !== task.contextId)
      throw new TaskError("invalid", `task ${task.id} belongs to another context`);
    const { state } = viewOf(task);
    if (state !== "input-required")
      throw new TaskError("not-expecting-input", `task ${task.id} is ${state}`);
    return task;
  }

  #owned(agent: ObjectRef, taskId: string, caller: Caller): Task {
    const task = this.#tasks.get(taskId);
    if (task?.user !== caller.user || refKey(task.agent) !== refKey(agent))
      throw new TaskError("task-not-found", `there is no task ${taskId}`);
    return task;
  }

  async #run(task: Task, script: Script, request: SendRequest, caller: Caller): Promise<void> {
    const author = refKey(task.agent);
    const open = (): boolean => !isTerminal(viewOf(task).state);
    const emit = (body: EventBody): void => {
      if (open()) this.#emit(task, author, body);
    };
    const tell = (update: TurnUpdate): void => {
      if (open()) for (const reader of task.readers) reader.push(update);
    };
    await Promise.resolve(); // as a real turn: it begins after `send` has returned
    emit({ type: "status", state: "working" });
    try {
      await script({
        request,
        caller,
        taskId: task.id,
        round: task.round,
        signal: task.stop.signal,
        emit,
        say: (text) => {
          emit({ type: "message", role: "agent", parts: [{ text }] });
        },
        partial: (text, thought = false) => {
          tell({ kind: "partial", text, thought });
        },
        activity: (nested, body) => {
          tell({ kind: "activity", author: nested, body });
        },
      });
      if (!isOver(viewOf(task).state)) emit({ type: "status", state: "completed" });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      emit({ type: "status", state: "failed", error: { code: "INTERNAL", message } });
    }
  }

  #emit(task: Task, author: string, body: EventBody): void {
    const context = this.#contexts.get(task.contextId);
    if (context === undefined) throw new Error("the context is gone");
    context.seq += 1;
    const event: Event = {
      seq: context.seq,
      id: randomUUID(),
      time: new Date(this.#now()).toISOString(),
      contextId: task.contextId,
      taskId: task.id,
      author,
      body,
    };
    task.events.push(event);
    for (const reader of task.readers) {
      reader.push({ kind: "event", event: structuredClone(event) });
      if (body.type === "status" && isOver(body.state)) reader.end();
    }
  }
}

function isOver(state: EventOf<"status">["state"]): boolean {
  return isTerminal(state) || state === "input-required";
}

function viewOf({ id, contextId, agent, events }: Task): TaskView {
  const statuses = events.flatMap(({ body, time }) =>
    body.type === "status" ? [{ ...body, time }] : [],
  );
  const { state = "submitted", time, usage, error } = statuses.at(-1) ?? {};
  return {
    id,
    contextId,
    agent,
    state,
    updatedAt: time ?? events[0]?.time ?? "",
    events: structuredClone(events),
    ...(usage === undefined ? {} : { usage }),
    ...(error === undefined ? {} : { error }),
  };
}

class Reader implements AsyncIterableIterator<TurnUpdate> {
  readonly #readers: Set<Reader>;
  readonly #waiting: TurnUpdate[] = [];
  #asked: PromiseWithResolvers<IteratorResult<TurnUpdate, undefined>> | undefined;
  #ended = false;

  constructor(readers: Set<Reader>) {
    this.#readers = readers;
    readers.add(this);
  }

  push(update: TurnUpdate): void {
    if (this.#ended) return;
    if (this.#asked !== undefined) {
      this.#asked.resolve({ done: false, value: update });
      this.#asked = undefined;
    } else if (this.#waiting.push(update) > MAX_WAITING) {
      this.#waiting.length = 0;
      this.end();
    }
  }

  end(): void {
    this.#ended = true;
    this.#readers.delete(this);
    this.#asked?.resolve({ done: true, value: undefined });
    this.#asked = undefined;
  }

  next(): Promise<IteratorResult<TurnUpdate, undefined>> {
    const value = this.#waiting.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    this.#asked = Promise.withResolvers();
    return this.#asked.promise;
  }

  return(): Promise<IteratorResult<TurnUpdate, undefined>> {
    this.#waiting.length = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
