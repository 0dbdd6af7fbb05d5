import type {
  Caller,
  RunningTask,
  SendRequest,
  TaskFilter,
  TaskPage,
  TaskService,
  TaskView,
} from "../a2a/task-service.ts";
import { TaskError } from "../a2a/task-service.ts";
import type { AgentConfig } from "../api/agent-config.ts";
import { type Event, isTerminal, type NewEvent, type TurnUpdate, textOf } from "../api/events.ts";
import { HEADERS, type ObjectRef, refKey } from "../api/names.ts";
import { OwnerMismatchError, type StoredTask } from "../store/session-store.ts";
import { Run, type RunDeps } from "./run.ts";

/** Characters of the first message that name a session (kagent-api section 3.2). */
const SESSION_NAME_LENGTH = 20;
/** Longest wait for a cancelled task's final state. */
const CANCEL_WAIT_MS = 2_000;

/** What {@link Tasks} needs. */
export interface TasksDeps extends RunDeps {
  /** The agents of this worker, as they are now; a turn keeps the one it started with. */
  readonly config: (agent: ObjectRef) => AgentConfig | undefined;
}

/** Runs and remembers the tasks of all agents of one worker. */
export class Tasks implements TaskService {
  readonly #deps: TasksDeps;
  /** Runs that are queued or under way, by task id, with their end. */
  readonly #runs = new Map<string, { readonly run: Run; readonly finished: Promise<void> }>();
  /** End of the last turn of each session: turns of one session never overlap. */
  readonly #sessions = new Map<string, Promise<void>>();
  #closed = false;

  constructor(deps: TasksDeps) {
    this.#deps = deps;
  }

  async send(request: SendRequest, caller: Caller): Promise<RunningTask> {
    const config = this.#config(request.agent);
    if (this.#closed) throw new TaskError("busy", "the platform is stopping");
    const waiting =
      request.taskId === undefined
        ? undefined
        : await this.#waitingTask({ ...request, taskId: request.taskId }, caller);
    const contextId = waiting?.contextId ?? request.contextId ?? this.#deps.newId();
    const taskId = waiting?.id ?? this.#deps.newId();
    const rootContextId = await this.#openSession(request, caller, contextId);
    if (waiting === undefined)
      await this.#deps.sessions.createTask({
        id: taskId,
        contextId,
        agent: request.agent,
        user: caller.user,
      });
    const message = await this.#storeMessage(request, taskId, contextId);
    const turnRequest = {
      taskId,
      contextId,
      rootContextId,
      user: caller.user,
      source: sourceOf(caller),
      parts: request.parts,
      metadata: request.metadata,
      headers: caller.headers,
    };
    return this.#start(config, turnRequest, message);
  }

  async get(agent: ObjectRef, taskId: string, caller: Caller): Promise<TaskView> {
    return await this.#view(await this.#stored(agent, taskId, caller));
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
    const task = await this.#stored(agent, taskId, caller);
    const active = this.#runs.get(taskId);
    if (active !== undefined) {
      active.run.stop("canceled");
      await this.#within(CANCEL_WAIT_MS, active.finished);
    } else if (isTerminal(task.state)) {
      throw new TaskError("not-cancelable", `task ${taskId} is ${task.state} already`);
    } else {
      const body = { type: "status", state: "canceled" } as const;
      await this.#deps.sessions.append(task.contextId, [this.#event(task, refKey(agent), body)]);
    }
    return await this.get(agent, taskId, caller);
  }

  async subscribe(
    agent: ObjectRef,
    taskId: string,
    caller: Caller,
  ): Promise<{ readonly task: TaskView; readonly updates: AsyncIterable<TurnUpdate> }> {
    await this.#stored(agent, taskId, caller);
    // First the subscription, then the stored events: what comes in between is in both and sorted out.
    const updates = this.#runs.get(taskId)?.run.subscribe();
    const task = await this.get(agent, taskId, caller);
    const seen = task.events.at(-1)?.seq ?? 0;
    return { task, updates: updates === undefined ? nothing() : after(seen, updates) };
  }

  /** Marks tasks that a worker before this one left open as failed. @returns How many there were. */
  async recover(): Promise<number> {
    const message = "the worker ended while the task was running; send it again";
    const lost = await this.#deps.sessions.failOpenTasks({ code: "WORKER_LOST", message });
    return lost.length;
  }

  /** Takes no more tasks and ends those under way; resolves when their end is stored. */
  async close(): Promise<void> {
    this.#closed = true;
    const active = [...this.#runs.values()];
    for (const { run } of active) run.stop("shutdown");
    await Promise.all(active.map(({ finished }) => finished));
  }

  #config(agent: ObjectRef): AgentConfig {
    const config = this.#deps.config(agent);
    if (config === undefined)
      throw new TaskError("agent-not-found", `agent ${refKey(agent)} does not run here`);
    return config;
  }

  async #stored(agent: ObjectRef, taskId: string, caller: Caller): Promise<StoredTask> {
    const task = await this.#deps.sessions.getTask(taskId, caller.user);
    if (task === undefined || refKey(task.agent) !== refKey(agent))
      throw new TaskError("task-not-found", `there is no task ${taskId}`);
    return task;
  }

  async #waitingTask(
    request: SendRequest & { readonly taskId: string },
    caller: Caller,
  ): Promise<StoredTask> {
    const task = await this.#stored(request.agent, request.taskId, caller);
    if (request.contextId !== undefined && request.contextId !== task.contextId)
      throw new TaskError("invalid", `task ${task.id} belongs to another context`);
    const active = this.#runs.get(task.id);
    if (task.state !== "input-required" || active?.run.over === false)
      throw new TaskError(
        "not-expecting-input",
        `task ${task.id} is ${task.state}, not waiting for input`,
      );
    return task;
  }

  /** @returns The root of the session's chain. */
  async #openSession(request: SendRequest, caller: Caller, contextId: string): Promise<string> {
    const parent = caller.headers[HEADERS.parentContextId];
    const rootContextId = caller.headers[HEADERS.rootContextId] ?? contextId;
    try {
      const session = await this.#deps.sessions.ensureSession({
        id: contextId,
        agent: request.agent,
        user: caller.user,
        name: sessionName(textOf(request.parts)),
        source: sourceOf(caller),
        rootContextId,
        ...(parent === undefined ? {} : { parentContextId: parent }),
      });
      return session.rootContextId;
    } catch (error) {
      if (error instanceof OwnerMismatchError)
        throw new TaskError("context-not-found", `there is no context ${contextId}`);
      throw error;
    }
  }

  async #storeMessage(request: SendRequest, taskId: string, contextId: string): Promise<Event> {
    const body: NewEvent["body"] = { type: "message", role: "user", parts: [...request.parts] };
    const event = this.#event({ id: taskId, contextId }, "user", body);
    const [stored] = await this.#deps.sessions.append(contextId, [event]);
    if (stored === undefined) throw new Error(`failed to store the message of task ${taskId}`);
    return stored;
  }

  #start(
    config: AgentConfig,
    request: ConstructorParameters<typeof Run>[2],
    message: Event,
  ): RunningTask {
    const { taskId, contextId, user } = request;
    const run = new Run(this.#deps, config, request, () =>
      this.#deps.sessions.events(contextId, user),
    );
    const updates = run.subscribe();
    run.publish(message);
    const before = this.#sessions.get(contextId) ?? Promise.resolve();
    const finished = before
      .then(() => run.start())
      .finally(() => {
        if (this.#runs.get(taskId)?.run === run) this.#runs.delete(taskId);
        if (this.#sessions.get(contextId) === finished) this.#sessions.delete(contextId);
      });
    this.#runs.set(taskId, { run, finished });
    this.#sessions.set(contextId, finished);
    return { taskId, contextId, updates };
  }

  async #view(task: StoredTask): Promise<TaskView> {
    const { id, contextId, agent, state, updatedAt, usage, error, user } = task;
    const events = await this.#deps.sessions.events(contextId, user, { taskId: id });
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

  #event(
    task: { readonly id: string; readonly contextId: string },
    author: string,
    body: NewEvent["body"],
  ): NewEvent {
    const { newId, clock } = this.#deps;
    const time = new Date(clock.now()).toISOString();
    return { id: newId(), time, contextId: task.contextId, taskId: task.id, author, body };
  }

  async #within(ms: number, work: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<undefined>();
    const disarm = this.#deps.clock.schedule(ms, () => {
      late.resolve(undefined);
    });
    await Promise.race([work, late.promise]).finally(disarm);
  }
}

function sourceOf(caller: Caller): "user" | "agent" {
  return caller.headers[HEADERS.source] === "agent" ? "agent" : "user";
}

function sessionName(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, " ");
  return line.length <= SESSION_NAME_LENGTH ? line : `${line.slice(0, SESSION_NAME_LENGTH)}...`;
}

async function* nothing(): AsyncGenerator<TurnUpdate, void, undefined> {
  // a task that is not running has no updates
}

async function* after(
  seq: number,
  updates: AsyncIterable<TurnUpdate>,
): AsyncGenerator<TurnUpdate, void, undefined> {
  for await (const update of updates)
    if (update.kind !== "event" || update.event.seq > seq) yield update;
}
