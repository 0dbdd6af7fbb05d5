import type { AgentConfig } from "../api/agent-config.ts";
import {
  type Event,
  type EventBody,
  type NewEvent,
  NO_USAGE,
  type TurnUpdate,
} from "../api/events.ts";
import { refKey } from "../api/names.ts";
import type { SessionStore } from "../store/session-store.ts";
import { Subscribers } from "./subscribers.ts";
import { runTurn } from "./turn.ts";
import type { TurnDeps, TurnEmitter, TurnOutcome, TurnRequest } from "./turn-context.ts";

/** Longest wait for a turn to notice its abort; afterwards it runs into the void. */
const ABORT_GRACE_MS = 500;

/** What a {@link Run} needs. */
export interface RunDeps extends TurnDeps {
  readonly sessions: SessionStore;
}

/** Why a run was stopped from outside. */
export class StopError extends Error {
  override readonly name = "StopError";
  /** `canceled`: by its owner; `shutdown`: the process leaves. */
  readonly why: "canceled" | "shutdown";

  constructor(why: "canceled" | "shutdown") {
    super(`the task was stopped (${why})`);
    this.why = why;
  }
}

/**
 * One turn on its way: its events go to the store first, then to whoever listens.
 *
 * Events that come while a write is under way are written together by the next one.
 */
export class Run {
  readonly taskId: string;
  readonly contextId: string;
  readonly #deps: RunDeps;
  readonly #config: AgentConfig;
  readonly #request: TurnRequest;
  readonly #load: () => Promise<readonly Event[]>;
  #history: Event[] = [];
  readonly #subscribers = new Subscribers();
  readonly #stop = new AbortController();
  readonly #waiting: {
    readonly event: NewEvent;
    readonly stored: PromiseWithResolvers<undefined>;
  }[] = [];
  #writing = false;
  #over = false;

  /** @param load - Reads the session as it is when the turn begins. */
  constructor(
    deps: RunDeps,
    config: AgentConfig,
    request: TurnRequest,
    load: () => Promise<readonly Event[]>,
  ) {
    this.#deps = deps;
    this.#config = config;
    this.#request = request;
    this.#load = load;
    this.taskId = request.taskId;
    this.contextId = request.contextId;
  }

  /** Whether the turn has come to its end; its last event may still be on its way to the store. */
  get over(): boolean {
    return this.#over;
  }

  /** Updates from now on. */
  subscribe(): AsyncIterable<TurnUpdate> {
    return this.#subscribers.subscribe();
  }

  /** Tells listeners of an event that is in the store already. */
  publish(event: Event): void {
    this.#subscribers.publish({ kind: "event", event });
  }

  /** Stops the turn; `finished` of {@link start} resolves soon after. */
  stop(why: StopError["why"]): void {
    this.#stop.abort(new StopError(why));
  }

  /** Runs the turn to its end. Resolves when its final status is stored and told; never rejects. */
  async start(): Promise<void> {
    const { log } = this.#deps;
    try {
      const outcome = this.#stop.signal.aborted ? this.#stopped() : await this.#turn();
      this.#over = true;
      await this.#write({
        type: "status",
        state: outcome.state,
        usage: outcome.usage,
        ...(outcome.error === undefined ? {} : { error: outcome.error }),
      });
    } catch (error) {
      log.error("task could not be stored", { task: this.taskId, error: String(error) });
    } finally {
      this.#subscribers.close();
    }
  }

  async #turn(): Promise<TurnOutcome> {
    const { signal } = this.#stop;
    this.#history = [...(await this.#load())];
    await this.#write({ type: "status", state: "working" });
    const input = {
      config: this.#config,
      request: this.#request,
      emit: this.#emitter(),
      history: () => this.#history,
    };
    const cancelGrace = Promise.withResolvers<"late">();
    let disarm = (): void => undefined;
    const arm = (): void => {
      disarm = this.#deps.clock.schedule(ABORT_GRACE_MS, () => {
        cancelGrace.resolve("late");
      });
    };
    signal.addEventListener("abort", arm, { once: true });
    const turn = runTurn(this.#deps, input, signal);
    turn.catch(() => undefined); // its rejection is looked at below, unless the grace is over first
    try {
      const end = await Promise.race([turn, cancelGrace.promise]);
      return end === "late" || signal.aborted ? this.#stopped() : end;
    } catch (error) {
      if (signal.aborted) return this.#stopped();
      throw error;
    } finally {
      signal.removeEventListener("abort", arm);
      disarm();
    }
  }

  #stopped(): TurnOutcome {
    const usage = NO_USAGE;
    const reason: unknown = this.#stop.signal.reason;
    if (reason instanceof StopError && reason.why === "shutdown") {
      const message = "the platform was stopped while the task was running; send it again";
      return { state: "failed", usage, error: { code: "WORKER_LOST", message } };
    }
    return { state: "canceled", usage };
  }

  #emitter(): TurnEmitter {
    return {
      event: (body) => (this.#over ? Promise.resolve() : this.#write(body)),
      partial: (text, thought) => {
        if (!this.#over) this.#subscribers.publish({ kind: "partial", text, thought });
      },
      activity: (author, body) => {
        if (!this.#over) this.#subscribers.publish({ kind: "activity", author, body });
      },
    };
  }

  #write(body: EventBody): Promise<void> {
    const stored = Promise.withResolvers<undefined>();
    this.#waiting.push({ event: this.#event(body), stored });
    if (!this.#writing) void this.#drain();
    return stored.promise;
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        const events = batch.map(({ event }) => event);
        const stored = await this.#deps.sessions.append(this.contextId, events);
        for (const event of stored) {
          this.#history.push(event);
          this.publish(event);
        }
        for (const item of batch) item.stored.resolve(undefined);
      } catch (error) {
        for (const item of batch) item.stored.reject(error);
      }
    }
    this.#writing = false; // in the same turn as the look at the queue: nothing can come in between
  }

  #event(body: EventBody): NewEvent {
    return {
      id: this.#deps.newId(),
      time: new Date(this.#deps.clock.now()).toISOString(),
      contextId: this.contextId,
      taskId: this.taskId,
      author: refKey(this.#config.ref),
      body,
    };
  }
}
