import { setTimeout as delay } from "node:timers/promises";

/** Time as the runtime sees it; handed in, so that tests need no sleep. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Monotonic milliseconds, for durations only. */
  monotonic(): number;
  /**
   * Resolves after `ms` milliseconds.
   *
   * @throws The signal's reason as soon as it aborts; the timer is cleared then.
   */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls `work` once after `ms` milliseconds unless the returned function is called before. */
  schedule(ms: number, work: () => void): () => void;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    signal.throwIfAborted();
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted(); // the caller's own reason, not the timer's generic AbortError
      throw error;
    }
  },
  schedule(ms, work) {
    const timer = setTimeout(work, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};
