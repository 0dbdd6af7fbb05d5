import type { Clock } from "./clock.ts";

/** How fast one caller may ask. */
export interface RateLimitOptions {
  readonly clock: Pick<Clock, "monotonic">;
  /** Requests per second in the long run. */
  readonly perSecond: number;
  /** Requests at once after a pause. */
  readonly burst: number;
  /** Callers that are remembered, 10,000 unless set; who asked longest ago is forgotten first. */
  readonly maxCallers?: number;
}

const MAX_CALLERS = 10_000;

interface Bucket {
  /** Requests left at `at`. */
  tokens: number;
  /** Monotonic milliseconds. */
  at: number;
}

/** Token buckets, one for each caller. */
export class RateLimiter {
  readonly #options: RateLimitOptions;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** Counts a request. @returns 0 when it may go on, else the milliseconds until the next one may. */
  take(caller: string): number {
    const { clock, perSecond, burst } = this.#options;
    const now = clock.monotonic();
    const bucket = this.#buckets.get(caller) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);
    bucket.at = now;
    this.#keep(caller, bucket);
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / perSecond) * 1_000);
    bucket.tokens -= 1;
    return 0;
  }

  #keep(caller: string, bucket: Bucket): void {
    this.#buckets.delete(caller); // back to the end of the map: that is its order of use
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size <= (this.#options.maxCallers ?? MAX_CALLERS)) return;
    const oldest = this.#buckets.keys().next();
    if (oldest.done !== true) this.#buckets.delete(oldest.value);
  }
}
