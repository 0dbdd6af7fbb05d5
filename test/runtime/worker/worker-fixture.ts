import type { Caller, RunningTask, TaskView } from "../../../runtime/a2a/task-service.ts";
import type { AgentConfig } from "../../../runtime/api/agent-config.ts";
import { openRequest } from "../../../runtime/api/approval-request.ts";
import { type EventBody, type Part, type TurnUpdate, textOf } from "../../../runtime/api/events.ts";
import { type ObjectRef, refKey } from "../../../runtime/api/names.ts";
import type { ChatModel } from "../../../runtime/model/chat-model.ts";
import { openStore, type Store } from "../../../runtime/store/open-store.ts";
import type { SessionStore } from "../../../runtime/store/session-store.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { Tasks, type TasksDeps } from "../../../runtime/worker/tasks.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { agentsInProcess } from "./agents-in-process.ts";
import { Outside } from "./turn-harness.ts";

/** People and the controller, as an edge would tell of them. */
export const ana: Caller = { user: "ana", headers: {} };
export const ben: Caller = { user: "ben", headers: {} };
export const controller: Caller = { user: "controller", headers: {}, trusted: true };

/** What a worker is made of. */
export interface WorkerOptions {
  readonly agents: readonly AgentConfig[];
  /** By name of the agent. */
  readonly models: Readonly<Record<string, ChatModel>>;
  readonly outside?: Outside;
  readonly clock?: FakeClock;
  /** Goes on with the data of a worker before it. */
  readonly store?: Store;
  /** Stands between the worker and its store. */
  readonly sessions?: (store: SessionStore) => SessionStore;
  readonly over?: Partial<TasksDeps>;
}

let ids = 0;

/** A worker with its store: agents that call one another, tools that record what they were asked. */
export class TestWorker {
  readonly tasks: Tasks;
  readonly store: Store;
  readonly outside: Outside;
  readonly clock: FakeClock;

  private constructor(options: WorkerOptions, store: Store) {
    const { agents, models, outside = new Outside(), clock = new FakeClock() } = options;
    this.store = store;
    this.outside = outside;
    this.clock = clock;
    const configs = new Map(agents.map((config) => [refKey(config.ref), config]));
    this.tasks = new Tasks({
      ...outside.deps(new ScriptedModel()),
      model: async ({ model }) => models[model] ?? new ScriptedModel(),
      agents: agentsInProcess(() => this.tasks),
      clock,
      newId: () => `id-${++ids}`,
      sessions: options.sessions?.(store.sessions) ?? store.sessions,
      approvals: store.approvals,
      config: (ref) => configs.get(refKey(ref)),
      log: silentLog,
      ...options.over,
    });
    opened.push(this);
  }

  static async open(options: WorkerOptions): Promise<TestWorker> {
    const clock = options.clock ?? new FakeClock();
    const store = options.store ?? (await openStore({ path: ":memory:", clock }));
    return new TestWorker({ ...options, clock }, store);
  }

  /** Sends a message and waits for the end of the turn. */
  async send(
    agent: ObjectRef,
    message: string | object,
    more: { readonly taskId?: string; readonly contextId?: string } = {},
    caller: Caller = ana,
  ): Promise<TurnEnd> {
    const running = await this.start(agent, message, more, caller);
    return await this.end(agent, running, caller);
  }

  /** Sends a message: text, or data that decides. */
  async start(
    agent: ObjectRef,
    message: string | object,
    more: { readonly taskId?: string; readonly contextId?: string } = {},
    caller: Caller = ana,
  ): Promise<RunningTask> {
    const parts: Part[] = typeof message === "string" ? [{ text: message }] : [{ data: message }];
    return await this.tasks.send({ agent, messageId: "m", parts, metadata: {}, ...more }, caller);
  }

  /** Waits for the end of a turn. */
  async end(agent: ObjectRef, running: RunningTask, caller: Caller = ana): Promise<TurnEnd> {
    const updates = await drain(running.updates);
    const { taskId, contextId } = running;
    const told = updates.flatMap((update) => (update.kind === "event" ? [update.event.body] : []));
    if (running.foreign === true) return { taskId, contextId, told, view: undefined };
    return { taskId, contextId, told, view: await this.tasks.get(agent, taskId, caller) };
  }

  /** Tools that were called, with their arguments, since the last look. */
  ran(): readonly (readonly [string, Readonly<Record<string, unknown>>])[] {
    return this.outside.calls.splice(0).map(({ name, args }) => [name, args] as const);
  }

  async close(data: "keep" | "drop" = "drop"): Promise<void> {
    await this.tasks.close();
    if (data === "drop") await this.store.close();
  }
}

const opened: TestWorker[] = [];

/** Closes every worker of a test. */
export async function closeWorkers(): Promise<void> {
  const all = opened.splice(0);
  for (const worker of all) await worker.close("keep");
  for (const worker of all) await worker.store.close();
}

/** How a turn came to its end. */
export interface TurnEnd {
  readonly taskId: string;
  readonly contextId: string;
  /** Events that its caller was told. */
  readonly told: readonly EventBody[];
  /** The task as its owner sees it. */
  readonly view: TaskView | undefined;
}

/** Text of the answer. */
export function answerOf({ view }: TurnEnd): string {
  const body = view?.events.findLast(
    (event) => event.body.type === "message" && event.body.role === "agent",
  )?.body;
  return body?.type === "message" ? textOf(body.parts) : "";
}

/** Calls that wait. */
export function pendingOf({ view, taskId }: TurnEnd) {
  return openRequest(view?.events ?? [], taskId)?.body.pending ?? [];
}

/** Bodies of one type among the events of a task. */
export function bodiesOf<T extends EventBody["type"]>(
  { view }: TurnEnd,
  type: T,
): readonly Extract<EventBody, { type: T }>[] {
  return (view?.events ?? []).flatMap(({ body }) =>
    body.type === type ? [body as Extract<EventBody, { type: T }>] : [],
  );
}

/** Every update to the end. */
async function drain(updates: AsyncIterable<TurnUpdate>): Promise<readonly TurnUpdate[]> {
  const all: TurnUpdate[] = [];
  for await (const update of updates) all.push(update);
  return all;
}

/** Lets everything run that waits for nothing but its turn. */
export async function settled(rounds = 20): Promise<void> {
  for (let n = 0; n < rounds; n += 1) await new Promise(setImmediate);
}
