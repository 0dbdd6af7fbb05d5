import type { Clock } from "../../process/clock.ts";

/** Calls of one agent within the window that count as a loop from the next one on (product.md section 8). */
const MAX_CALLS = 5;
const WINDOW_MS = 60_000;
/** Chains that are watched at once; the oldest is forgotten first. */
const MAX_CHAINS = 10_000;

/** Tells chains of agents that call one agent again and again, by the root of the chain (decisions 22). */
export class CallWindows {
  readonly #clock: Pick<Clock, "monotonic">;
  /** Times of the last calls, by agent and root context; in the order of their last call. */
  readonly #chains = new Map<string, readonly number[]>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Notes a call. @returns Whether it is one too many. */
  isLoop(agent: string, rootContextId: string): boolean {
    const now = this.#clock.monotonic();
    const key = JSON.stringify([agent, rootContextId]);
    const recent = (this.#chains.get(key) ?? []).filter((time) => time > now - WINDOW_MS);
    const calls = [...recent, now].slice(-(MAX_CALLS + 1));
    this.#chains.delete(key);
    this.#chains.set(key, calls);
    if (this.#chains.size > MAX_CHAINS) this.#forgetOldest();
    return calls.length > MAX_CALLS;
  }

  #forgetOldest(): void {
    const [oldest] = this.#chains.keys();
    if (oldest !== undefined) this.#chains.delete(oldest);
  }
}
