import type { A2aClient, AgentResult, AgentUpdate } from "../../a2a/client.ts";
import {
  type Caller,
  type RunningTask,
  type SendRequest,
  TaskError,
} from "../../a2a/task-service.ts";
import type { Event, EventBody, TurnUpdate } from "../../api/events.ts";
import { HEADERS, type ObjectRef, refKey } from "../../api/names.ts";
import type { OwnToken } from "../../process/auth/own-token.ts";
import type { Clock } from "../../process/clock.ts";
import type { AgentAddress } from "./agent-address.ts";

/** What {@link CalledAgents} needs. */
export interface CalledAgentsDeps {
  readonly agents: Pick<A2aClient, "call">;
  readonly address: AgentAddress;
  readonly token: OwnToken;
  readonly clock: Pick<Clock, "now">;
  readonly newId: () => string;
}

/** A turn that is followed to its end, or left. */
interface Called {
  readonly updates: AsyncIterator<AgentUpdate>;
  readonly agent: ObjectRef;
  readonly taskId: string;
  readonly contextId: string;
}

/**
 * Turns of agents that run in workers of ours, for callers inside this process.
 *
 * The workers keep the log: what is told here are copies, with positions of their own.
 */
export class CalledAgents {
  readonly #deps: CalledAgentsDeps;
  readonly #stops = new Map<string, AbortController>();

  constructor(deps: CalledAgentsDeps) {
    this.#deps = deps;
  }

  /** As `TaskService.send`. @throws TaskError `busy` when no worker answers. */
  async send(request: SendRequest, caller: Caller): Promise<RunningTask> {
    const { agent, parts, metadata, contextId, taskId } = request;
    const { agents, address } = this.#deps;
    const stop = new AbortController();
    const call = {
      url: address(agent).href,
      parts,
      metadata,
      headers: await this.headers(caller),
      ...(contextId === undefined ? {} : { contextId }),
      ...(taskId === undefined ? {} : { taskId }),
    };
    const updates = agents.call(call, stop.signal);
    const first = await this.#first(updates, agent);
    this.#stops.set(first.taskId, stop);
    const { taskId: id, contextId: context } = first;
    const called = { updates, agent, taskId: id, contextId: context };
    return { taskId: id, contextId: context, updates: this.#follow(called) };
  }

  /** Stops a turn that was begun here; one that has ended is left as it is. */
  cancel(taskId: string): void {
    this.#stops.get(taskId)?.abort(new Error("the caller left"));
  }

  /** What says to a worker who calls, and that this process may say so. */
  async headers({ user, groups = [], headers }: Caller): Promise<Record<string, string>> {
    const token = await this.#deps.token.value();
    return {
      ...headers,
      [HEADERS.userId]: user,
      ...(groups.length === 0 ? {} : { [HEADERS.userGroups]: groups.join(",") }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  async #first(updates: AsyncIterator<AgentUpdate>, agent: ObjectRef) {
    try {
      const step = await updates.next();
      if (step.done !== true && step.value.kind === "task") return step.value;
      throw new Error("it named no task");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new TaskError("busy", `agent ${refKey(agent)} does not answer: ${reason}`);
    }
  }

  async *#follow(called: Called): AsyncGenerator<TurnUpdate, void, undefined> {
    const { updates, agent, taskId } = called;
    let seq = 0;
    const event = (author: string, body: EventBody): TurnUpdate => ({
      kind: "event",
      event: this.#event(called, { author, body, seq: ++seq }),
    });
    try {
      for (;;) {
        const step = await updates.next();
        if (step.done === true) return;
        const update = step.value;
        if (update.kind === "partial") yield update;
        if (update.kind === "activity") yield update;
        if (update.kind === "result")
          for (const body of endOf(update)) yield event(refKey(agent), body);
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const state = this.#stops.get(taskId)?.signal.aborted === true ? "canceled" : "failed";
      const failure =
        state === "failed" ? { error: { code: "DELEGATE_FAILED" as const, message } } : {};
      yield event(refKey(agent), { type: "status", state, ...failure });
    } finally {
      this.#stops.delete(taskId);
    }
  }

  #event(
    { taskId, contextId }: Called,
    { author, body, seq }: Pick<Event, "author" | "body" | "seq">,
  ): Event {
    const { newId, clock } = this.#deps;
    const time = new Date(clock.now()).toISOString();
    return { seq, id: newId(), time, contextId, taskId, author, body };
  }
}

function endOf({ parts, state, usage, error }: AgentResult): EventBody[] {
  const message: EventBody[] =
    parts.length === 0 ? [] : [{ type: "message", role: "agent", parts: [...parts] }];
  return [
    ...message,
    {
      type: "status",
      state,
      ...(usage === undefined ? {} : { usage }),
      ...(error === undefined ? {} : { error }),
    },
  ];
}
