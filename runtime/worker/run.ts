import type { AgentConfig } from "../api/agent-config.ts";
import {
  type Event,
  type EventBody,
  type NewEvent,
  NO_USAGE,
  type TurnUpdate,
} from "../api/events.ts";
import { refKey } from "../api/names.ts";
import { StoreAwayError } from "../store/store-away-error.ts";
import type { TurnStore } from "../store/turn-store.ts";
import { guardedActivity, guardedEvent, maskedText } from "./guarded-result.ts";
import { knownSecrets } from "./known-secrets.ts";
import type { TurnObserver } from "./observed/turn-observer.ts";
import { Subscribers } from "./subscribers.ts";
import { runTurn } from "./turn.ts";
import type { TurnDeps, TurnEmitter, TurnOutcome, TurnRequest } from "./turn-context.ts";

/** Longest wait for a turn to notice its abort; afterwards it runs into the void. */
const ABORT_GRACE_MS = 500;

/** What a {@link Run} needs. */
export interface RunDeps extends TurnDeps {
  readonly sessions: TurnStore;
  /** Counts and traces turns; nobody does unless set. */
  readonly observer?: Pick<TurnObserver, "turn" | "event" | "guarded">;
}

/** How a {@link Run} begins. */
export interface RunStart {
  /** Says that this process runs the task; never rejects. */
  readonly claim: () => Promise<void>;
  /** Reads the session as it is when the turn begins. */
  readonly load: () => Promise<readonly Event[]>;
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
  readonly #begin: RunStart;
  /** What this turn works with and nobody may be told. */
  readonly #secrets: readonly string[];
  #history: Event[] = [];
  readonly #subscribers = new Subscribers();
  readonly #stop = new AbortController();
  readonly #waiting: {
    readonly event: NewEvent;
    readonly stored: PromiseWithResolvers<undefined>;
  }[] = [];
  #writing = false;
  #over = false;

  constructor(deps: RunDeps, config: AgentConfig, request: TurnRequest, begin: RunStart) {
    this.#deps = deps;
    this.#config = config;
    this.#request = request;
    this.#begin = begin;
    this.#secrets = knownSecrets(config, request.headers);
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

  /** Resolves when the run is stopped from outside; a run that waits for its turn need not wait any longer. */
  get stopped(): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        resolve();
      });
    });
  }

  /** Stops the turn; `finished` of {@link start} resolves soon after. */
  stop(why: StopError["why"]): void {
    this.#stop.abort(new StopError(why));
  }

  /** Runs the turn to its end. Resolves when its final status is stored and told; never rejects. */
  async start(): Promise<void> {
    const { log } = this.#deps;
    try {
      const outcome = await this.#outcome();
      this.#over = true;
      const { state, usage, error } = outcome;
      const end = {
        type: "status",
        state,
        usage,
        ...(error === undefined ? {} : { error }),
      } as const;
      await this.#write(guardedEvent(end, this.#secrets).body);
    } catch (error) {
      log.error("task could not be stored", { task: this.taskId, error: String(error) });
    } finally {
      this.#subscribers.close();
    }
  }

  /** How the turn ends: one that cannot begin, or whose failure cannot be told, has failed as well. */
  async #outcome(): Promise<TurnOutcome> {
    if (this.#stop.signal.aborted) return this.#stopped();
    try {
      return await this.#turn();
    } catch (error) {
      const told = maskedText(String(error), this.#secrets);
      this.#deps.log.error("turn broke off", { task: this.taskId, error: told });
      const away = error instanceof StoreAwayError ? error.message : undefined;
      const message = away ?? "internal error; the log of the worker says more";
      return { state: "failed", usage: NO_USAGE, error: { code: "INTERNAL", message } };
    }
  }

  async #turn(): Promise<TurnOutcome> {
    const { signal } = this.#stop;
    await this.#begin.claim();
    this.#history = [...(await this.#begin.load())];
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
    const turn = this.#observed(() => runTurn(this.#deps, input, signal));
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
      event: (body, id) => (this.#over ? Promise.resolve() : this.#write(this.#guarded(body), id)),
      partial: (text, thought) => {
        if (!this.#over) this.#subscribers.publish({ kind: "partial", text, thought });
      },
      activity: (author, body) => {
        if (!this.#over) {
          const told = guardedActivity(body, this.#secrets);
          this.#subscribers.publish({ kind: "activity", author, body: told });
        }
      },
    };
  }

  #observed(work: () => Promise<TurnOutcome>): Promise<TurnOutcome> {
    const { observer } = this.#deps;
    return observer?.turn(this.#config, this.#request, work) ?? work();
  }

  /** What others answered is looked through before it is stored, and so before a model reads it. */
  #guarded(said: EventBody): EventBody {
    const { observer, log } = this.#deps;
    const { body, findings } = guardedEvent(said, this.#secrets);
    for (const { verdict, family, rules } of findings)
      log.warn("guardrail matched an answer", { task: this.taskId, verdict, family, rules });
    observer?.guarded(findings);
    observer?.event(this.#config, body);
    return body;
  }

  #write(body: EventBody, id = this.#deps.newId()): Promise<void> {
    const stored = Promise.withResolvers<undefined>();
    this.#waiting.push({ event: this.#event(body, id), stored });
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

  #event(body: EventBody, id: string): NewEvent {
    return {
      id,
      time: new Date(this.#deps.clock.now()).toISOString(),
      contextId: this.contextId,
      taskId: this.taskId,
      author: refKey(this.#config.ref),
      body,
    };
  }
}
