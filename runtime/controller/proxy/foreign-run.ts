import type { AgentResult, AgentUpdate } from "../../a2a/client.ts";
import { Subscribers } from "../../a2a/subscribers.ts";
import {
  type EventBody,
  type NewEvent,
  type Part,
  type TurnError,
  type TurnUpdate,
  textOf,
} from "../../api/events.ts";
import { type ObjectRef, refKey } from "../../api/names.ts";
import type { Clock } from "../../process/clock.ts";
import { type SessionStore, TaskOverError } from "../../store/session-store.ts";
import type { Logger } from "../../telemetry/log.ts";

/** What a {@link ForeignRun} needs. */
export interface ForeignRunDeps {
  readonly sessions: SessionStore;
  readonly clock: Pick<Clock, "now">;
  readonly newId: () => string;
  readonly log: Logger;
}

/** A task at an agent that brings its own worker. */
export interface ForeignTask {
  readonly agent: ObjectRef;
  readonly taskId: string;
  readonly contextId: string;
}

/** Why a run was ended from here. */
export class ForeignStopError extends Error {
  override readonly name = "ForeignStopError";
  /** `canceled`: by its owner; `shutdown`: this process leaves. */
  readonly why: "canceled" | "shutdown";

  constructor(why: ForeignStopError["why"]) {
    super(`the task was stopped (${why})`);
    this.why = why;
  }
}

/**
 * Events that a foreign agent may add to a session's log. Not among them: what this platform itself answers for, such
 * as people's decisions.
 */
const TAKEN: ReadonlySet<EventBody["type"]> = new Set(["message", "tool-call", "tool-result"]);

/** Follows one turn of a foreign agent and keeps its log: events go to the store first, then to listeners. */
export class ForeignRun {
  readonly task: ForeignTask;
  readonly #deps: ForeignRunDeps;
  readonly #subscribers = new Subscribers();
  #answer = "";

  constructor(deps: ForeignRunDeps, task: ForeignTask) {
    this.#deps = deps;
    this.task = task;
  }

  /** Updates from now on. */
  subscribe(): AsyncIterable<TurnUpdate> {
    return this.#subscribers.subscribe();
  }

  /** Stores the user's message. @throws What the store throws. */
  async begin(parts: readonly Part[]): Promise<void> {
    await this.#write("user", { type: "message", role: "user", parts: [...parts] });
    await this.#write(refKey(this.task.agent), { type: "status", state: "working" });
  }

  /**
   * Takes a turn's updates to its end and stores how it came out. Never rejects.
   *
   * @param signal - Aborts with a {@link ForeignStopError} when the turn is to end.
   */
  async follow(updates: AsyncIterator<AgentUpdate>, signal: AbortSignal): Promise<void> {
    try {
      await this.#end(await this.#outcome(updates, signal));
    } catch (error) {
      // Cancelled in the store while we were at it: the end it has is the end.
      if (!(error instanceof TaskOverError))
        this.#deps.log.error("task could not be stored", {
          task: this.task.taskId,
          error: String(error),
        });
    } finally {
      this.#subscribers.close();
    }
  }

  async #outcome(updates: AsyncIterator<AgentUpdate>, signal: AbortSignal): Promise<AgentResult> {
    try {
      for (;;) {
        const step = await updates.next();
        if (step.done === true) return failed("the agent ended without a result");
        if (step.value.kind === "result") return step.value;
        await this.#take(step.value);
      }
    } catch (error) {
      if (error instanceof TaskOverError) throw error;
      const reason: unknown = signal.reason;
      if (!(reason instanceof ForeignStopError))
        return failed(error instanceof Error ? error.message : String(error));
      if (reason.why === "canceled") return { kind: "result", state: "canceled", parts: [] };
      const message = "the platform was stopped while the task was running; send it again";
      return failed(message, "WORKER_LOST");
    }
  }

  async #take(update: Exclude<AgentUpdate, AgentResult>): Promise<void> {
    if (update.kind === "partial") {
      const { text, thought } = update;
      this.#subscribers.publish({ kind: "partial", text, thought });
    } else if (update.kind === "activity" && TAKEN.has(update.body.type)) {
      const { author, body } = update;
      if (author.includes("/") && author !== refKey(this.task.agent))
        this.#subscribers.publish({ kind: "activity", author, body });
      else await this.#own(body);
    }
  }

  async #own(body: EventBody): Promise<void> {
    if (body.type === "message") {
      if (body.role === "user") return; // it is stored already, as it was sent
      this.#answer = textOf(body.parts);
    }
    await this.#write(refKey(this.task.agent), body);
  }

  async #end({ state, parts, usage, error, pending = [] }: AgentResult): Promise<void> {
    const author = refKey(this.task.agent);
    const isTold = parts.length === 0 || (parts.every(isText) && textOf(parts) === this.#answer);
    if (!isTold) await this.#write(author, { type: "message", role: "agent", parts: [...parts] });
    if (state === "input-required" && pending.length > 0)
      await this.#write(author, { type: "approval-requested", pending: [...pending] });
    await this.#write(author, {
      type: "status",
      state,
      ...(usage === undefined ? {} : { usage }),
      ...(error === undefined ? {} : { error }),
    });
  }

  async #write(author: string, body: EventBody): Promise<void> {
    const { sessions, newId, clock } = this.#deps;
    const { contextId, taskId } = this.task;
    const time = new Date(clock.now()).toISOString();
    const event: NewEvent = { id: newId(), time, contextId, taskId, author, body };
    for (const stored of await sessions.append(contextId, [event]))
      this.#subscribers.publish({ kind: "event", event: stored });
  }
}

function isText(part: Part): boolean {
  return "text" in part;
}

function failed(message: string, code: TurnError["code"] = "DELEGATE_FAILED"): AgentResult {
  return { kind: "result", state: "failed", parts: [], error: { code, message } };
}
