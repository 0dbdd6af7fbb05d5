import type {
  AgentCard,
  CancelTaskRequest,
  GetTaskRequest,
  ListTasksRequest,
  ListTasksResponse,
  SendMessageRequest,
  StreamResponse,
  SubscribeToTaskRequest,
  Task,
} from "@a2a-js/sdk";
import { TaskState as WireState } from "@a2a-js/sdk";
import {
  ExtendedAgentCardNotConfiguredError,
  PushNotificationNotSupportedError,
  RequestMalformedError,
  UnsupportedOperationError,
} from "@a2a-js/sdk/errors";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import * as z from "zod";
import { isTerminal, type TurnUpdate } from "../api/events.ts";
import { type ObjectRef, refKey } from "../api/names.ts";
import type { Clock } from "../process/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { toProtocolError } from "./errors.ts";
import {
  type Caller,
  type RunningTask,
  type SendRequest,
  TaskError,
  type TaskService,
  type TaskView,
} from "./task-service.ts";
import { leave, untilAborted } from "./until-aborted.ts";
import { StreamMapper, taskFromView } from "./wire-events.ts";
import {
  checkHistoryLength,
  checkTaskId,
  type MessageLimits,
  parsed,
  toSendRequest,
} from "./wire-in.ts";
import { fromWireState } from "./wire-states.ts";

/** Tasks on a page unless the client says how many (specification section 3.1.4). */
const DEFAULT_PAGE_SIZE = 50;

/** What a {@link AgentRequestHandler} needs; made for one request. */
export interface RequestHandlerDeps {
  readonly agent: ObjectRef;
  readonly card: AgentCard;
  readonly tasks: TaskService;
  /** On whose behalf. */
  readonly caller: Caller;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: MessageLimits;
  /** Aborts when the client is gone: what waits for a task ends, the task goes on. */
  readonly gone: AbortSignal;
}

/**
 * The SDK's server interface over a {@link TaskService}, for one agent and one caller.
 *
 * Every method rejects with an `A2AError` only; what is unexpected is logged and told without its text.
 */
export class AgentRequestHandler implements A2ARequestHandler {
  readonly #deps: RequestHandlerDeps;

  constructor(deps: RequestHandlerDeps) {
    this.#deps = deps;
  }

  getAgentCard(): Promise<AgentCard> {
    return Promise.resolve(this.#deps.card);
  }

  getAuthenticatedExtendedAgentCard(): Promise<AgentCard> {
    return Promise.reject(new ExtendedAgentCardNotConfiguredError());
  }

  /** Waits for the end of the turn unless the client asked for the task at once. */
  sendMessage(params: SendMessageRequest): Promise<Task> {
    return this.#guarded("SendMessage", async () => {
      const historyLength = checkHistoryLength(params.configuration?.historyLength);
      const running = await this.#send(this.#sendRequest(params));
      if (running.foreign === true) return this.#task(await this.#decided(running));
      if (params.configuration?.returnImmediately === true)
        leave(running.updates[Symbol.asyncIterator]());
      else await drain(untilAborted(running.updates, this.#deps.gone));
      return this.#task(await this.#get(running.taskId), historyLength);
    });
  }

  /**
   * 1.0 begins with the task; 0.3 as kagent does, with a `submitted` status. A message that answers a
   * waiting task begins with that task in 1.0, with nothing of its own in 0.3.
   */
  async *sendMessageStream(
    params: SendMessageRequest,
    context: ServerCallContext,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    try {
      const request = this.#sendRequest(params);
      // as it is before the message: what the message sets off comes as updates
      const known = request.taskId === undefined ? undefined : await this.#known(request.taskId);
      const running = await this.#send(request);
      const { taskId, contextId, updates } = running;
      const before = running.foreign === true ? this.#emptyView(running) : known;
      const mapper = this.#mapper(taskId, contextId);
      const legacy = context.requestedVersion !== "1.0";
      const first = mapper.sent(request, before);
      if (!legacy) yield first;
      else if (before === undefined) yield mapper.submittedStatus(request);
      yield* this.#follow(mapper, updates);
    } catch (error) {
      throw this.#protocolError("SendStreamingMessage", error);
    }
  }

  /** The task as it is, then what follows. A task that is over has nothing to subscribe to (-32004). */
  async *resubscribe(
    params: SubscribeToTaskRequest,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    try {
      const { agent, caller, tasks } = this.#deps;
      const { task, updates } = await tasks.subscribe(agent, checkTaskId(params.id), caller);
      if (isTerminal(task.state)) {
        leave(updates[Symbol.asyncIterator]());
        throw new UnsupportedOperationError({
          message: `task ${task.id} is ${task.state} already`,
        });
      }
      const mapper = this.#mapper(task.id, task.contextId);
      yield mapper.joined(task);
      yield* this.#follow(mapper, updates);
    } catch (error) {
      throw this.#protocolError("SubscribeToTask", error);
    }
  }

  getTask(params: GetTaskRequest): Promise<Task> {
    return this.#guarded("GetTask", async () => {
      const historyLength = checkHistoryLength(params.historyLength);
      return this.#task(await this.#get(checkTaskId(params.id)), historyLength);
    });
  }

  /** A task that is cancelled already is returned as it is: asking twice is no error. */
  cancelTask(params: CancelTaskRequest): Promise<Task> {
    return this.#guarded("CancelTask", async () => {
      const { agent, caller, tasks } = this.#deps;
      const id = checkTaskId(params.id);
      try {
        return this.#task(await tasks.cancel(agent, id, caller));
      } catch (error) {
        if (!(error instanceof TaskError) || error.code !== "not-cancelable") throw error;
        const view = await this.#get(id);
        if (view.state !== "canceled") throw error;
        return this.#task(view);
      }
    });
  }

  listTasks(params: ListTasksRequest): Promise<ListTasksResponse> {
    return this.#guarded("ListTasks", async () => {
      const { agent, caller, tasks } = this.#deps;
      const { contextId, pageToken, pageSize, historyLength } = parsed(
        ListParams,
        params,
        "params",
      );
      if (params.statusTimestampAfter)
        throw new UnsupportedOperationError({ message: "statusTimestampAfter is not supported" });
      const state = fromWireState(params.status);
      if (params.status === WireState.TASK_STATE_AUTH_REQUIRED)
        return { tasks: [], nextPageToken: "", pageSize, totalSize: 0 }; // no task ever has it
      if (state === undefined && params.status !== WireState.TASK_STATE_UNSPECIFIED)
        throw new RequestMalformedError({ message: "params.status: unknown state" });
      const page = await tasks.list(
        {
          agent,
          pageSize,
          ...(contextId === "" ? {} : { contextId }),
          ...(pageToken === "" ? {} : { pageToken }),
          ...(state === undefined ? {} : { state }),
        },
        caller,
      );
      const artifacts = params.includeArtifacts === true ? "include" : "omit";
      return {
        tasks: page.tasks.map((view) =>
          taskFromView(view, caller.user, { historyLength, artifacts }),
        ),
        nextPageToken: page.nextPageToken ?? "",
        pageSize,
        totalSize: page.total,
      };
    });
  }

  createTaskPushNotificationConfig(): Promise<never> {
    return Promise.reject(new PushNotificationNotSupportedError());
  }

  getTaskPushNotificationConfig(): Promise<never> {
    return Promise.reject(new PushNotificationNotSupportedError());
  }

  listTaskPushNotificationConfigs(): Promise<never> {
    return Promise.reject(new PushNotificationNotSupportedError());
  }

  deleteTaskPushNotificationConfig(): Promise<never> {
    return Promise.reject(new PushNotificationNotSupportedError());
  }

  async *#follow(
    mapper: StreamMapper,
    updates: AsyncIterable<TurnUpdate>,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    for await (const update of untilAborted(updates, this.#deps.gone)) yield* mapper.map(update);
  }

  #sendRequest(params: SendMessageRequest): SendRequest {
    if (params.configuration?.taskPushNotificationConfig !== undefined)
      throw new PushNotificationNotSupportedError();
    return toSendRequest(this.#deps.agent, params, this.#deps.limits);
  }

  #send(request: SendRequest): Promise<RunningTask> {
    return this.#deps.tasks.send(request, this.#deps.caller);
  }

  #get(taskId: string): Promise<TaskView> {
    const { agent, caller, tasks } = this.#deps;
    return tasks.get(agent, taskId, caller);
  }

  /** The task unless it is not the caller's to read: an approver may still decide about it. */
  async #known(taskId: string): Promise<TaskView | undefined> {
    try {
      return await this.#get(taskId);
    } catch (error) {
      if (error instanceof TaskError && error.code === "task-not-found") return undefined;
      throw error;
    }
  }

  #emptyView({ taskId: id, contextId }: RunningTask): TaskView {
    const { agent, clock } = this.#deps;
    const updatedAt = new Date(clock.now()).toISOString();
    return { id, contextId, agent, state: "working", updatedAt, events: [] };
  }

  /** What an approver learns of somebody else's task: that it was decided, and the state it came to. */
  async #decided(running: RunningTask): Promise<TaskView> {
    let view = this.#emptyView(running);
    for await (const update of untilAborted(running.updates, this.#deps.gone)) {
      if (update.kind !== "event") continue;
      const { body, time } = update.event;
      view = { ...view, updatedAt: time, events: [...view.events, update.event] };
      if (body.type === "status") view = { ...view, state: body.state };
      if (body.type === "error") view = { ...view, error: body.error };
    }
    return view;
  }

  #task(view: TaskView, historyLength?: number): Task {
    return taskFromView(view, this.#deps.caller.user, { historyLength });
  }

  #mapper(taskId: string, contextId: string): StreamMapper {
    const { agent, caller, clock } = this.#deps;
    const identity = { agent, user: caller.user, taskId, contextId };
    return new StreamMapper(identity, () => new Date(clock.now()).toISOString());
  }

  async #guarded<T>(method: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#protocolError(method, error);
    }
  }

  #protocolError(method: string, error: unknown): Error {
    const { agent, log } = this.#deps;
    return toProtocolError(error, log, { agent: refKey(agent), method });
  }
}

const ListParams = z.object({
  contextId: z.string().max(200),
  pageToken: z.string().max(2_000),
  pageSize: z.int().min(1).max(100).default(DEFAULT_PAGE_SIZE),
  historyLength: z.int().min(0).optional(),
});

async function drain(updates: AsyncIterable<unknown>): Promise<void> {
  const iterator = updates[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}
