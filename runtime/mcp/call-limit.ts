import type { Clock } from "../process/clock.ts";
import { orAbort } from "../process/or-abort.ts";

/** Time limits of one request in milliseconds. */
export interface CallTimeouts {
  /** From sending, or from the last progress notification, to the next one or the result. */
  readonly idleMs: number;
  /** All of it, connecting and repeating included. */
  readonly totalMs: number;
}

/** Why one of our own limits ended a request: silence, too long in all, no connection in time, or the pool closes. */
export type LimitKind = "idle" | "total" | "connect" | "closed";

/** A request was ended from our side, and not by its caller. */
export class LimitError extends Error {
  override readonly name = "LimitError";
  /** Which limit. */
  readonly kind: LimitKind;

  /** @param ms - Length of the limit in milliseconds; `closed` has none. */
  constructor(kind: LimitKind, ms = 0) {
    super(sentenceOf(kind, ms));
    this.kind = kind;
  }
}

/**
 * The limits of one request as one signal.
 *
 * The SDK rejects with the same error for its time limit and for the caller's abort; the reason of this
 * signal tells them apart: a {@link LimitError}, or the caller's own reason. `release` must be called
 * when the request is over.
 */
export class CallLimit {
  readonly #clock: Clock;
  readonly #timeouts: CallTimeouts;
  readonly #controller = new AbortController();
  readonly #timers = new Map<"idle" | "total", () => void>();
  readonly #caller: AbortSignal;
  readonly #lifetime: AbortSignal;

  /**
   * @param caller - Signal of whoever waits for the result.
   * @param lifetime - Aborts when the pool closes, with a {@link LimitError} as its reason.
   */
  constructor(clock: Clock, timeouts: CallTimeouts, caller: AbortSignal, lifetime: AbortSignal) {
    this.#clock = clock;
    this.#timeouts = timeouts;
    this.#caller = caller;
    this.#lifetime = lifetime;
    caller.addEventListener("abort", this.#onCaller);
    lifetime.addEventListener("abort", this.#onClosed);
    this.start("total");
    if (caller.aborted) this.#onCaller();
    if (lifetime.aborted) this.#onClosed();
  }

  /** Aborts when a limit ran out, the caller gave up or the pool closes. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts a limit, or starts it anew. */
  start(kind: "idle" | "total"): void {
    this.stop(kind);
    if (this.signal.aborted) return;
    const ms = this.#timeouts[`${kind}Ms`];
    const cancel = this.#clock.schedule(ms, () => {
      this.#end(new LimitError(kind, ms));
    });
    this.#timers.set(kind, cancel);
  }

  /** Ends a limit before it ran out. */
  stop(kind: "idle" | "total"): void {
    this.#timers.get(kind)?.();
    this.#timers.delete(kind);
  }

  /**
   * `work`, or a rejection as soon as the signal aborts. `work` itself goes on.
   *
   * @throws What `work` throws, or the signal's reason.
   */
  race<T>(work: Promise<T>): Promise<T> {
    return orAbort(work, this.signal);
  }

  /** Ends all limits and lets go of the caller's signal. */
  release(): void {
    for (const kind of [...this.#timers.keys()]) this.stop(kind);
    this.#caller.removeEventListener("abort", this.#onCaller);
    this.#lifetime.removeEventListener("abort", this.#onClosed);
  }

  readonly #onCaller = (): void => {
    this.#end(this.#caller.reason);
  };

  readonly #onClosed = (): void => {
    this.#end(this.#lifetime.reason);
  };

  #end(reason: unknown): void {
    this.release();
    this.#controller.abort(reason); // a second abort changes nothing
  }
}

function sentenceOf(kind: LimitKind, ms: number): string {
  switch (kind) {
    case "idle":
      return `no answer and no progress for ${ms} ms`;
    case "total":
      return `no result within ${ms} ms`;
    case "connect":
      return `no connection within ${ms} ms`;
    case "closed":
      return "the client is closed";
  }
}
