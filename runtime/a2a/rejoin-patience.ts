import type { Clock } from "../process/clock.ts";
import type { AgentCallError } from "./call-error.ts";

/** 45 s without news of a task: twice what a new leader or a new pod needs. */
const WINDOW_MS = 45_000;
/** 16 tries in a row that bring no news. */
const MAX_TRIES = 16;
/** A stream that lived for 10 s was a good one: proxies end those too. */
const GOOD_MS = 10_000;
/** Waits: none before the first try, then 250 ms, doubled up to 5 s, of which a random half is left out. */
const BACK_OFF = { firstMs: 250, mostMs: 5_000 };

/** What a stream brought before it ended. */
export interface StreamEnd {
  readonly news: "result" | "some" | "none";
  /** Whether anything came at all. */
  readonly joined: boolean;
  /** The error it ended with. */
  readonly why: AgentCallError | undefined;
}

/** Decides whether, and when, a task whose stream ended too early is joined again. */
export class RejoinPatience {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #random: () => number;
  #tries = 0;
  #since: number | undefined;

  constructor(clock: Pick<Clock, "monotonic">, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * Takes note of a stream that ended without a result.
   *
   * @param ms - How long it lived.
   * @returns Milliseconds until the next try; `undefined`: no more tries.
   */
  ended(stream: StreamEnd, ms: number): number | undefined {
    const now = this.#clock.monotonic();
    const silent = stream.why?.code === "timeout";
    const good = stream.news === "some" || (stream.joined && !silent && ms >= GOOD_MS);
    if (good) this.#tries = 0;
    if (good || this.#since === undefined) this.#since = now;
    this.#tries += 1;
    if (this.#tries === 1) return 0;
    if (this.#tries > MAX_TRIES || now - this.#since >= WINDOW_MS) return undefined;
    const full = Math.min(BACK_OFF.mostMs, BACK_OFF.firstMs * 2 ** (this.#tries - 2));
    return full * (0.5 + this.#random() / 2);
  }
}
