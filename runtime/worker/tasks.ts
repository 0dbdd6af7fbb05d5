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
import { isDecision } from "../api/approval-request.ts";
import { type Event, isTerminal, type NewEvent, type TurnUpdate, textOf } from "../api/events.ts";
import { HEADERS, type ObjectRef, refKey } from "../api/names.ts";
import type { ApprovalStore } from "../store/approval-store.ts";
import { OwnerMismatchError, type RunOwner, type StoredTask } from "../store/session-store.ts";
import { cancelWaiting } from "./cancel-waiting.ts";
import { admit } from "./decision-door.ts";
import { expireApprovals } from "./expired-approvals.ts";
import { foreignUpdates } from "./foreign-updates.ts";
import { Run, type RunDeps } from "./run.ts";
import { TaskOwner } from "./task-owner.ts";
import type { TurnRequest } from "./turn-context.ts";

/** Characters of the first message that name a session (kagent-api section 3.2). */
const SESSION_NAME_LENGTH = 20;
/** Longest wait for a cancelled task's final state, and for other agents to hear of it. */
const CANCEL_WAIT_MS = 800;

/** What {@link Tasks} needs. */
export interface TasksDeps extends RunDeps {
  /** The agents of this worker, as they are now; a turn keeps the one it started with. */
  readonly config: (agent: ObjectRef) => AgentConfig | undefined;
  /** Finds requests that expire, and tasks for approvers who do not own them; without it neither happens here. */
  readonly approvals?: ApprovalStore;
  /** This process; `local` unless set. */
  readonly owner?: RunOwner;
}

/** A message that starts a turn, or goes on with one. */
type Start = Omit<TurnRequest, "parts" | "metadata">;

/** Runs and remembers the tasks of all agents of one worker. */
export class Tasks implements TaskService {
  readonly #deps: TasksDeps;
  /** Runs that are queued or under way, by task id, with their end. */
  readonly #runs = new Map<string, { readonly run: Run; readonly finished: Promise<void> }>();
  /** End of the last turn of each session: turns of one session never overlap. */
  readonly #sessions = new Map<string, Promise<void>>();
  /** Tasks whose answer is on its way in: of two answers at once only one is looked at. */
  readonly #answered = new Set<string>();
  readonly #owner: TaskOwner;
  #closed = false;

  constructor(deps: TasksDeps) {
    this.#deps = deps;
    this.#owner = new TaskOwner(deps);
  }

  /** Says every 5 s that this process lives, and ends requests for approval that have expired, until {@link close}. */
  async start(): Promise<void> {
    await this.#owner.start(async () => {
      await this.expireApprovals(this.#deps.clock.now());
    });
  }

  async send(request: SendRequest, caller: Caller): Promise<RunningTask> {
    const config = this.#config(request.agent);
    if (this.#closed) throw new TaskError("busy", "the platform is stopping");
    const { taskId } = request;
    if (taskId !== undefined) return await this.#answer(config, { ...request, taskId }, caller);
    if (isDecision(request.parts))
      throw new TaskError("invalid", "a decision names the task it is about: it has no taskId");
    return await this.#ask(config, request, caller);
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
      const told = cancelWaiting(this.#deps, task, caller);
      await this.#within(CANCEL_WAIT_MS, told);
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

  /**
   * Ends requests for approval that nobody answered in time: their calls count as rejected, and the turns go on so that
   * the model can say so. One that another agent asked for is told by that agent, or by itself a minute later.
   *
   * @param now - Milliseconds since 1970.
   * @returns How many there were.
   */
  async expireApprovals(now: number): Promise<number> {
    return await expireApprovals(this.#deps, now, (request, caller) => this.send(request, caller));
  }

  /**
   * Marks tasks that a worker before this one left open as failed; where several processes run tasks that is the
   * leader's business.
   *
   * @returns How many there were.
   */
  async recover(): Promise<number> {
    const message = "the worker ended while the task was running; send it again";
    const lost = await this.#deps.sessions.failOpenTasks?.({ code: "WORKER_LOST", message });
    return lost?.length ?? 0;
  }

  /**
   * Takes no more tasks and ends those under way; resolves when their end is stored.
   *
   * @param graceMs - How long those under way may come to an end of their own first.
   */
  async close(graceMs = 0): Promise<void> {
    this.#closed = true;
    const active = [...this.#runs.values()];
    const ends = Promise.all(active.map(({ finished }) => finished)).then(() => undefined);
    if (graceMs > 0) await this.#within(graceMs, ends);
    for (const { run } of active) run.stop("shutdown");
    await ends;
    this.#owner.stop(); // not before: a process that is silent while its turns end counts as lost
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

  /** Starts a new task. */
  async #ask(config: AgentConfig, request: SendRequest, caller: Caller): Promise<RunningTask> {
    const { user, headers } = caller;
    const { agent } = request;
    const contextId = request.contextId ?? this.#deps.newId();
    const taskId = this.#deps.newId();
    const rootContextId = await this.#openSession(request, caller, contextId);
    await this.#deps.sessions.createTask({ id: taskId, contextId, agent, user });
    const message = await this.#storeMessage(request, taskId, contextId);
    const start: Start = {
      taskId,
      contextId,
      rootContextId,
      user,
      source: sourceOf(caller),
      headers,
    };
    return this.#start(config, { ...start, ...contentOf(request) }, message);
  }

  /** Hands an answer to a task that waits for people. */
  async #answer(
    config: AgentConfig,
    request: SendRequest & { readonly taskId: string },
    caller: Caller,
  ): Promise<RunningTask> {
    const { taskId } = request;
    if (this.#answered.has(taskId) || this.#runs.get(taskId)?.run.over === false)
      throw await this.#notExpecting(request, caller);
    this.#answered.add(taskId);
    try {
      const { task, session, decision, foreign } = await admit(this.#deps, config, request, caller);
      // An expiry is nobody's message.
      const message =
        decision.kind === "expire"
          ? undefined
          : await this.#storeMessage(request, taskId, task.contextId);
      const start: Start = {
        taskId,
        contextId: task.contextId,
        rootContextId: session.rootContextId,
        user: task.user,
        source: session.source,
        // What an approver may do elsewhere is no business of the owner's turn: no credentials of theirs go with it.
        headers: foreign || decision.kind === "expire" ? traceOf(caller) : caller.headers,
        decision,
      };
      const running = this.#start(config, { ...start, ...contentOf(request) }, message);
      if (!foreign) return running;
      return { ...running, updates: foreignUpdates(running.updates), foreign: true };
    } finally {
      this.#answered.delete(taskId);
    }
  }

  /** Another answer is being worked on; whose task it is not is told what it would be told otherwise. */
  async #notExpecting(
    { agent, taskId }: SendRequest & { readonly taskId: string },
    caller: Caller,
  ): Promise<TaskError> {
    const { state } = await this.#stored(agent, taskId, caller);
    return new TaskError(
      "not-expecting-input",
      `task ${taskId} is ${state === "input-required" ? "being answered" : state}, not waiting for input`,
    );
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

  #start(config: AgentConfig, request: TurnRequest, message: Event | undefined): RunningTask {
    const { taskId, contextId, user } = request;
    const run = new Run(this.#deps, config, request, {
      claim: () => this.#owner.claim(taskId),
      load: () => this.#deps.sessions.events(contextId, user),
    });
    const updates = run.subscribe();
    if (message !== undefined) run.publish(message);
    const before = this.#sessions.get(contextId) ?? Promise.resolve();
    // One that is stopped while it waits for its turn ends at once; whoever comes next waits for those before it too.
    const finished = Promise.race([before, run.stopped])
      .then(() => run.start())
      .finally(() => {
        if (this.#runs.get(taskId)?.run === run) this.#runs.delete(taskId);
      });
    const end = Promise.all([before, finished]).then(() => {
      if (this.#sessions.get(contextId) === end) this.#sessions.delete(contextId);
    });
    this.#runs.set(taskId, { run, finished });
    this.#sessions.set(contextId, end);
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

function contentOf({ parts, metadata }: SendRequest): Pick<TurnRequest, "parts" | "metadata"> {
  return { parts, metadata };
}

/** The headers of a request that tell where it comes from, and nothing about who makes it. */
function traceOf({ headers }: Caller): Readonly<Record<string, string>> {
  const traceparent = headers[HEADERS.traceparent];
  return traceparent === undefined ? {} : { [HEADERS.traceparent]: traceparent };
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
