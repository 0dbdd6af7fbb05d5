import type { Clock } from "../../runtime/process/clock.ts";

interface Timer {
  readonly at: number;
  readonly work: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now: number;
  readonly #timers = new Set<Timer>();

  /** @param start - First reading in milliseconds since 1970-01-01 UTC. */
  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  schedule(ms: number, work: () => void): () => void {
    const timer: Timer = { at: this.#now + ms, work };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const cancel = this.schedule(ms, () => {
        signal.removeEventListener("abort", abandon);
        resolve();
      });
      const abandon = () => {
        cancel();
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", abandon, { once: true });
    });
  }

  /** Timers that wait; a test that ends with some has found a leak. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time and runs what became due, earliest first; awaits one macrotask after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.work();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#now = end;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
