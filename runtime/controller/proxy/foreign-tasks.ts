import type { A2aClient, AgentUpdate } from "../../a2a/client.ts";
import {
  type Caller,
  type RunningTask,
  type SendRequest,
  TaskError,
  type TaskService,
  type TaskView,
} from "../../a2a/task-service.ts";
import { type Event, type TurnUpdate, textOf } from "../../api/events.ts";
import { HEADERS, type ObjectRef, refKey } from "../../api/names.ts";
import type { OwnToken } from "../../process/auth/own-token.ts";
import { orAbort } from "../../process/or-abort.ts";
import { OwnerMismatchError, type RunOwner, UnknownIdError } from "../../store/session-store.ts";
import { sessionName } from "../session-name.ts";
import type { AgentAddress } from "./agent-address.ts";
import { ForeignRun, type ForeignRunDeps, ForeignStopError } from "./foreign-run.ts";
import { isOver, StoredTasks, type StoredTasksDeps } from "./stored-tasks.ts";

/** 60 s until an agent names the task a message has become: it may be loading a model. */
const FIRST_MS = 60_000;
/** Longest wait for the end of a turn that is being cancelled. */
const CANCEL_MS = 2_000;
/** Headers of a caller that an agent of somebody else gets. */
const PASSED = [
  HEADERS.source,
  HEADERS.parentContextId,
  HEADERS.rootContextId,
  HEADERS.traceparent,
  "tracestate",
] as const;

/** What {@link ForeignTasks} needs. */
export interface ForeignTasksDeps extends StoredTasksDeps, ForeignRunDeps {
  readonly clock: StoredTasksDeps["clock"];
  readonly agents: Pick<A2aClient, "call" | "cancel">;
  readonly address: AgentAddress;
  /** Proves this process to the agent. */
  readonly token: OwnToken;
  /** This process as the one that runs what it follows; its heartbeat is somebody else's task. */
  readonly owner: RunOwner;
}

interface ActiveRun {
  readonly run: ForeignRun;
  readonly stop: AbortController;
  readonly finished: Promise<void>;
}

/**
 * Tasks of agents that bring their own worker, whichever version of A2A they speak.
 *
 * This process follows them and keeps their log: get, list and resubscribe work as with agents of ours, and a client
 * that leaves stops nothing. A task has the id that its agent gave it.
 */
export class ForeignTasks extends StoredTasks implements TaskService {
  readonly #deps: ForeignTasksDeps;
  readonly #runs = new Map<string, ActiveRun>();

  constructor(deps: ForeignTasksDeps) {
    super(deps);
    this.#deps = deps;
  }

  async send(request: SendRequest, caller: Caller): Promise<RunningTask> {
    const { agent, taskId } = request;
    const waiting = taskId === undefined ? undefined : await this.#waiting(agent, taskId, caller);
    const contextId = waiting?.contextId ?? request.contextId;
    if (contextId !== undefined) await this.#openSession(request, caller, contextId);
    const stop = new AbortController();
    const updates = await this.#call(request, { contextId, caller, signal: stop.signal });
    const first = await this.#first(updates, agent, stop);
    const { newId } = this.#deps;
    const named = first.kind === "task" ? first : { taskId: newId(), contextId: newId() };
    const ids = { taskId: taskId ?? named.taskId, contextId: contextId ?? named.contextId };
    const rest = first.kind === "task" ? updates : after(first, updates);
    try {
      return await this.#begin({ task: { agent, ...ids }, request, caller, stop }, rest);
    } catch (error) {
      stop.abort(new ForeignStopError("canceled"));
      throw error;
    }
  }

  override async cancel(agent: ObjectRef, taskId: string, caller: Caller): Promise<TaskView> {
    const task = await this.stored(agent, taskId, caller);
    const active = this.#runs.get(taskId);
    if (active !== undefined) {
      active.stop.abort(new ForeignStopError("canceled"));
      await this.#within(CANCEL_MS, active.finished);
    }
    const now = active === undefined ? undefined : await this.get(agent, taskId, caller);
    if (now?.state === "canceled") return now;
    if (task.state === "input-required") void this.#tellCanceled(agent, taskId, caller);
    return await super.cancel(agent, taskId, caller);
  }

  override async subscribe(
    agent: ObjectRef,
    taskId: string,
    caller: Caller,
  ): Promise<{ readonly task: TaskView; readonly updates: AsyncIterable<TurnUpdate> }> {
    await this.stored(agent, taskId, caller);
    // First the subscription, then the stored events: what comes in between is in both and sorted out.
    const live = this.#runs.get(taskId)?.run.subscribe();
    if (live === undefined) return await super.subscribe(agent, taskId, caller);
    const task = await this.get(agent, taskId, caller);
    return { task, updates: newer(live, task.events.at(-1)) };
  }

  /** Ends what it follows; resolves when that is stored. */
  async close(): Promise<void> {
    const active = [...this.#runs.values()];
    for (const { stop } of active) stop.abort(new ForeignStopError("shutdown"));
    await Promise.all(active.map(({ finished }) => finished));
  }

  async #call(
    { agent, parts, metadata, taskId }: SendRequest,
    {
      contextId,
      caller,
      signal,
    }: {
      readonly contextId: string | undefined;
      readonly caller: Caller;
      readonly signal: AbortSignal;
    },
  ): Promise<AsyncGenerator<AgentUpdate, void, undefined>> {
    const { agents, address } = this.#deps;
    const call = {
      url: address(agent).href,
      parts,
      metadata,
      headers: await this.#headers(caller),
      card: "read",
      ...(contextId === undefined ? {} : { contextId }),
      ...(taskId === undefined ? {} : { taskId }),
    } as const;
    return agents.call(call, signal);
  }

  async #begin(
    begun: {
      readonly task: ForeignRun["task"];
      readonly request: SendRequest;
      readonly caller: Caller;
      readonly stop: AbortController;
    },
    updates: AsyncIterator<AgentUpdate>,
  ): Promise<RunningTask> {
    const { task, request, caller, stop } = begun;
    const { taskId, contextId } = task;
    await this.#openSession(request, caller, contextId);
    if (request.taskId === undefined) await this.#createTask(task, caller);
    await this.#claim(taskId);
    const run = new ForeignRun(this.#deps, task);
    const subscription = run.subscribe();
    await run.begin(request.parts);
    const finished = run.follow(updates, stop.signal).finally(() => {
      this.#runs.delete(taskId);
    });
    this.#runs.set(taskId, { run, stop, finished });
    return { taskId, contextId, updates: subscription };
  }

  async #waiting(agent: ObjectRef, taskId: string, caller: Caller) {
    const task = await this.stored(agent, taskId, caller);
    if (task.state === "input-required" && !this.#runs.has(taskId)) return task;
    throw new TaskError(
      "not-expecting-input",
      `task ${taskId} is ${task.state}, not waiting for input`,
    );
  }

  /** The first thing the agent tells. @throws TaskError when it tells nothing. */
  async #first(
    updates: AsyncGenerator<AgentUpdate, void, undefined>,
    agent: ObjectRef,
    stop: AbortController,
  ): Promise<AgentUpdate> {
    const late = new AbortController();
    const disarm = this.#deps.clock.schedule(FIRST_MS, () => {
      late.abort(new Error(`no answer within ${FIRST_MS} ms`));
    });
    try {
      const step = await orAbort(updates.next(), late.signal);
      if (step.done === true) throw new Error("it ended without a result");
      return step.value;
    } catch (error) {
      stop.abort(new ForeignStopError("canceled"));
      const reason = error instanceof Error ? error.message : String(error);
      throw new TaskError("busy", `agent ${refKey(agent)} does not answer: ${reason}`);
    } finally {
      disarm();
    }
  }

  async #openSession(request: SendRequest, caller: Caller, contextId: string): Promise<void> {
    const parent = caller.headers[HEADERS.parentContextId];
    try {
      await this.#deps.sessions.ensureSession({
        id: contextId,
        agent: request.agent,
        user: caller.user,
        name: sessionName(textOf(request.parts)),
        source: caller.headers[HEADERS.source] === "agent" ? "agent" : "user",
        rootContextId: caller.headers[HEADERS.rootContextId] ?? contextId,
        ...(parent === undefined ? {} : { parentContextId: parent }),
      });
    } catch (error) {
      if (!(error instanceof OwnerMismatchError)) throw error;
      throw new TaskError("context-not-found", `there is no context ${contextId}`);
    }
  }

  async #createTask({ taskId, contextId, agent }: ForeignRun["task"], { user }: Caller) {
    try {
      await this.#deps.sessions.createTask({ id: taskId, contextId, agent, user });
    } catch (error) {
      if (!(error instanceof OwnerMismatchError)) throw error;
      throw new TaskError("invalid", `agent ${refKey(agent)} named a task that is there already`);
    }
  }

  async #claim(taskId: string): Promise<void> {
    const { sessions, owner } = this.#deps;
    try {
      await sessions.claimTask(taskId, owner.id);
    } catch (error) {
      if (!(error instanceof UnknownIdError)) throw error;
      await sessions.heartbeat(owner); // the first one, or we were silent for too long
      await sessions.claimTask(taskId, owner.id);
    }
  }

  async #headers(caller: Caller): Promise<Record<string, string>> {
    const token = await this.#deps.token.value();
    const passed = PASSED.flatMap((name) => {
      const value = caller.headers[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    return {
      ...Object.fromEntries(passed),
      [HEADERS.userId]: caller.user,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  /** Lets an agent that waits for people know that nobody will answer. */
  async #tellCanceled(agent: ObjectRef, taskId: string, caller: Caller): Promise<void> {
    const { agents, address, log } = this.#deps;
    try {
      const headers = await this.#headers(caller);
      const call = { url: address(agent).href, headers, taskId };
      await agents.cancel(call, AbortSignal.timeout(CANCEL_MS));
    } catch (error) {
      log.warn("agent could not be told to stop", { agent: refKey(agent), error: String(error) });
    }
  }

  async #within(ms: number, work: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<undefined>();
    const disarm = this.#deps.clock.schedule(ms, () => {
      late.resolve(undefined);
    });
    await Promise.race([work, late.promise]).finally(disarm);
  }
}

async function* after<T>(first: T, rest: AsyncIterator<T>): AsyncGenerator<T, void, undefined> {
  yield first;
  for (;;) {
    const step = await rest.next();
    if (step.done === true) return;
    yield step.value;
  }
}

async function* newer(
  updates: AsyncIterable<TurnUpdate>,
  last: Event | undefined,
): AsyncGenerator<TurnUpdate, void, undefined> {
  const seen = last?.seq ?? 0;
  for await (const update of updates) {
    if (update.kind === "event" && update.event.seq <= seen) continue;
    yield update;
    if (update.kind !== "event" || update.event.body.type !== "status") continue;
    if (isOver(update.event.body.state)) return;
  }
}
