import type { A2aClient } from "../../a2a/client.ts";
import { a2aApp } from "../../a2a/http.ts";
import {
  type Caller,
  type RunningTask,
  type SendRequest,
  TaskError,
  type TaskService,
} from "../../a2a/task-service.ts";
import type { ObjectRef } from "../../api/names.ts";
import type { Identity } from "../../process/auth/identity.ts";
import type { OwnToken } from "../../process/auth/own-token.ts";
import type { Clock } from "../../process/clock.ts";
import type { RunOwner, SessionStore } from "../../store/session-store.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { AgentDirectory } from "../agent-directory.ts";
import { callerOf } from "../http/caller.ts";
import { A2aProxy, type NodeBindings } from "./a2a-proxy.ts";
import type { AgentAddress } from "./agent-address.ts";
import { CalledAgents } from "./called-agents.ts";
import { cardSource } from "./card-source.ts";
import { ForeignTasks } from "./foreign-tasks.ts";
import { StoredTasks } from "./stored-tasks.ts";

/** What {@link AgentFront} needs. */
export interface AgentFrontDeps {
  readonly directory: Pick<AgentDirectory, "agent">;
  readonly sessions: SessionStore;
  readonly agents: Pick<A2aClient, "call" | "cancel">;
  readonly address: AgentAddress;
  /** This process as the one that runs tasks of agents which bring their own worker. */
  readonly owner: RunOwner;
  readonly token: OwnToken;
  /** What stands before `/api/a2a` in cards (`A2A_BASE_URL`). */
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly log: Logger;
  /** Longest wait for a whole answer of a worker in milliseconds; 0, the default: none. */
  readonly totalMs?: number;
}

/** All agents of the cluster behind one door: workers of ours are passed on to, the others are spoken for. */
export class AgentFront {
  /** Tasks of agents that bring their own worker, and what the store knows of all others. */
  readonly tasks: TaskService;
  /** Begins and stops turns of any agent, for callers inside this process. */
  readonly turns: TurnService;
  readonly #foreign: ForeignTasks;
  readonly #proxy: A2aProxy;
  readonly #callers = new WeakMap<Request, Caller>();

  constructor(deps: AgentFrontDeps) {
    const { directory, owner, baseUrl, clock, log } = deps;
    this.#foreign = new ForeignTasks(deps);
    this.tasks = byWorker(directory, this.#foreign, new StoredTasks(deps));
    const called = new CalledAgents(deps);
    this.turns = {
      send: (request, caller) =>
        isForeign(directory, request.agent)
          ? this.#foreign.send(request, caller)
          : called.send(request, caller),
      cancel: async (agent, taskId, caller) => {
        if (isForeign(directory, agent)) await this.#foreign.cancel(agent, taskId, caller);
        else called.cancel(taskId);
      },
    };
    const app = a2aApp({
      agents: (ref) => {
        const entry = directory.agent(ref);
        return entry === undefined ? undefined : cardSource(entry);
      },
      tasks: this.tasks,
      caller: (request) => this.#callers.get(request) ?? NOBODY,
      baseUrl,
      log,
      clock,
    });
    this.#proxy = new A2aProxy({
      ...deps,
      ownerId: owner.id,
      here: (request, identity) => {
        this.#callers.set(request, callerOf(identity, request.headers));
        return app.fetch(request);
      },
    });
  }

  /** Answers a request to `/api/a2a/...`; its caller has been let in. */
  handle(bindings: NodeBindings, identity: Identity): Promise<Response> {
    return this.#proxy.handle(bindings, identity);
  }

  /** Ends the tasks that this process follows; resolves when that is stored. */
  close(): Promise<void> {
    return this.#foreign.close();
  }
}

/** Turns, begun and stopped. */
export interface TurnService {
  /** As `TaskService.send`. */
  send(request: SendRequest, caller: Caller): Promise<RunningTask>;
  /** Stops a turn. @throws TaskError as `TaskService.cancel`, where the task is known. */
  cancel(agent: ObjectRef, taskId: string, caller: Caller): Promise<unknown>;
}

/** Owns nothing: a request that nobody has identified sees no task. */
const NOBODY: Caller = { user: "", headers: {} };

/** Whether an agent brings its own worker. */
function isForeign(directory: Pick<AgentDirectory, "agent">, agent: ObjectRef): boolean {
  return directory.agent(agent)?.object.spec.type === "BYO";
}

function byWorker(
  directory: Pick<AgentDirectory, "agent">,
  foreign: TaskService,
  stored: StoredTasks,
): TaskService {
  const of = (agent: ObjectRef) => (isForeign(directory, agent) ? foreign : stored);
  return {
    send: (request, caller) =>
      isForeign(directory, request.agent)
        ? foreign.send(request, caller)
        : Promise.reject(new TaskError("busy", "messages of this agent go to its worker")),
    get: (agent, taskId, caller) => of(agent).get(agent, taskId, caller),
    list: (filter, caller) => of(filter.agent).list(filter, caller),
    cancel: (agent, taskId, caller) => of(agent).cancel(agent, taskId, caller),
    subscribe: (agent, taskId, caller) => of(agent).subscribe(agent, taskId, caller),
  };
}
