import type { Clock } from "../process/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { type BackOff, backOffMs } from "./back-off.ts";

/** What a {@link WorkQueue} works with. */
export interface WorkQueueDeps {
  readonly clock: Pick<Clock, "monotonic" | "schedule">;
  /** 0 <= random < 1; spreads retries. */
  readonly random: () => number;
  readonly log: Logger;
}

/** How a {@link WorkQueue} works. */
export interface WorkQueueOptions {
  /** Name in the log. */
  readonly name: string;
  /**
   * Brings one key in order. Throwing means "again after a back-off"; `requeueAfterMs` means "look again then", which
   * is no failure. Has to end soon after its signal aborts.
   */
  readonly process: (
    key: string,
    signal: AbortSignal,
  ) => Promise<{ readonly requeueAfterMs?: number } | undefined>;
  /** Keys that are begun at once; 8 unless set. */
  readonly workers?: number;
  /** Waits after failures of the same key; 0.1-60 s unless set. */
  readonly backOff?: BackOff;
  /** Longest time of one `process` in milliseconds; its signal aborts then. 2 minutes unless set. */
  readonly timeoutMs?: number;
}

const WORKERS = 8;
const BACK_OFF: BackOff = { leastMs: 100, mostMs: 60_000 };
const TIMEOUT_MS = 120_000;
/** 1 s: work that takes longer waits for somebody (a hung server), and gives its place to others meanwhile. */
const SLOW_MS = 1_000;

/** One `process` took longer than it may. */
class WorkTimeoutError extends Error {
  override readonly name = "WorkTimeoutError";
}

/**
 * Keys that wait to be processed.
 *
 * A key that is added again while it waits is processed once; while it is processed, once more afterwards; never twice at
 * the same time. `workers` bounds how many keys are begun at once, but who takes longer than a second gives the place
 * to others: hung keys never hold up the rest.
 */
export class WorkQueue {
  readonly #deps: WorkQueueDeps;
  readonly #options: Required<WorkQueueOptions>;
  /** Keys that wait, first come first served, with the time since when. */
  readonly #waiting = new Map<string, number>();
  readonly #processing = new Set<string>();
  readonly #slow = new Set<string>();
  /** Keys that were added while they are processed, with the time of that. */
  readonly #dirty = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, { readonly at: number; readonly cancel: () => void }>();
  readonly #idle = new Set<() => void>();
  /** Places that are taken by keys that are not slow. */
  #busy = 0;
  #signal: AbortSignal | undefined;

  constructor(deps: WorkQueueDeps, options: WorkQueueOptions) {
    this.#deps = deps;
    this.#options = { workers: WORKERS, backOff: BACK_OFF, timeoutMs: TIMEOUT_MS, ...options };
  }

  /** Keys that wait for a place; those under way and those that wait for their time are not in it. */
  get depth(): number {
    return this.#waiting.size;
  }

  /** Keys that are under way. */
  get processing(): number {
    return this.#processing.size;
  }

  /** How long the key that waits longest has waited for a place, in milliseconds; 0 when none waits. */
  get oldestAgeMs(): number {
    const now = this.#deps.clock.monotonic();
    let oldest = now;
    for (const since of this.#waiting.values()) oldest = Math.min(oldest, since);
    return now - oldest;
  }

  /** Processes `key` soon. Does nothing after an abort. */
  add(key: string): void {
    if (this.#signal?.aborted === true) return;
    const now = this.#deps.clock.monotonic();
    const place = this.#processing.has(key) ? this.#dirty : this.#waiting;
    if (!place.has(key)) place.set(key, now);
    this.#begin();
  }

  /** Adds `key` after `ms` milliseconds; of several such times the earliest counts. Does nothing after an abort. */
  addAfter(key: string, ms: number): void {
    if (this.#signal?.aborted === true) return;
    const at = this.#deps.clock.monotonic() + ms;
    const set = this.#timers.get(key);
    if (set !== undefined && set.at <= at) return;
    set?.cancel();
    const cancel = this.#deps.clock.schedule(ms, () => {
      this.#timers.delete(key);
      this.add(key);
    });
    this.#timers.set(key, { at, cancel });
  }

  /** Failures of `key` no longer count: the next wait is the shortest again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /**
   * Processes keys until the signal aborts; to be called once.
   *
   * @returns Resolves when what was under way has ended; what still waited is dropped. Never rejects.
   */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#begin();
    if (!signal.aborted)
      await new Promise((resolve) => {
        signal.addEventListener("abort", resolve, { once: true });
      });
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#waiting.clear();
    this.#dirty.clear();
    if (this.#processing.size > 0)
      await new Promise<void>((resolve) => {
        this.#idle.add(resolve);
      });
  }

  /** Starts as many keys as there are places. */
  #begin(): void {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return;
    for (const key of this.#waiting.keys()) {
      if (this.#busy >= this.#options.workers) return;
      this.#waiting.delete(key);
      this.#processing.add(key);
      void this.#process(key, signal);
    }
  }

  async #process(key: string, signal: AbortSignal): Promise<void> {
    this.#busy += 1;
    const cancel = this.#deps.clock.schedule(SLOW_MS, () => {
      this.#slow.add(key);
      this.#busy -= 1;
      this.#begin();
    });
    try {
      await this.#attempt(key, signal);
    } finally {
      cancel();
      // a slow one has given its place away already
      if (!this.#slow.delete(key)) this.#busy -= 1;
      this.#end(key);
    }
  }

  async #attempt(key: string, signal: AbortSignal): Promise<void> {
    const { timeoutMs, process } = this.#options;
    const limit = new AbortController();
    const cancel = this.#deps.clock.schedule(timeoutMs, () => {
      limit.abort(new WorkTimeoutError(`failed to process ${key} within ${timeoutMs} ms`));
    });
    try {
      const outcome = await process(key, AbortSignal.any([signal, limit.signal]));
      this.forget(key);
      if (outcome?.requeueAfterMs !== undefined) this.addAfter(key, outcome.requeueAfterMs);
    } catch (error) {
      if (!signal.aborted) this.#retry(key, error);
    } finally {
      cancel();
    }
  }

  #retry(key: string, error: unknown): void {
    const { name, backOff } = this.#options;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const retryMs = Math.round(backOffMs(backOff, failures, this.#deps.random));
    this.addAfter(key, retryMs);
    const fields = { queue: name, key, failures, retryMs, error: String(error) };
    this.#deps.log.warn("processing failed", fields);
  }

  #end(key: string): void {
    this.#processing.delete(key);
    const since = this.#dirty.get(key);
    this.#dirty.delete(key);
    if (since !== undefined) this.#waiting.set(key, since);
    this.#begin();
    if (this.#processing.size === 0) for (const resolve of this.#idle) resolve();
  }
}
