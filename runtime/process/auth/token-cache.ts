import { createHash } from "node:crypto";
import type { Clock } from "../clock.ts";
import { orAbort } from "../or-abort.ts";

/** How long what was found out about a token is believed. */
export interface TokenCacheOptions {
  readonly clock: Pick<Clock, "now">;
  /** Tokens that are remembered; the one that was asked for longest ago makes room. */
  readonly max: number;
  /** Milliseconds that a good token is believed without asking again: as long as a revoked one still works. */
  readonly hitMs: number;
  /** Milliseconds that a bad token stays refused. */
  readonly missMs: number;
}

/** What was found out about a token. */
export interface TokenVerdict<T> {
  /** Whose it is; absent: nobody's. */
  readonly value?: T;
  /** When it ends by itself, in milliseconds since 1970. */
  readonly expiresAt?: number;
}

/** Remembers verdicts by the tokens' hashes; the tokens themselves are not kept. */
export class TokenCache<T> {
  readonly #options: TokenCacheOptions;
  readonly #known = new Map<string, { readonly value: T | undefined; readonly until: number }>();
  readonly #asking = new Map<string, Promise<T | undefined>>();

  constructor(options: TokenCacheOptions) {
    this.#options = options;
  }

  /**
   * Whose the token is. Requests that come with it while it is looked up share one look.
   *
   * @param look - Finds out; gets a time limit of its own, for others may wait for it when this caller has left.
   * @throws What `look` throws, which is not remembered; the signal's reason.
   */
  async get(
    token: string,
    look: () => Promise<TokenVerdict<T>>,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const key = createHash("sha256").update(token).digest("base64");
    const known = this.#known.get(key);
    if (known !== undefined && known.until > this.#options.clock.now()) {
      this.#known.delete(key); // back to the end of the map: that is its order of use
      this.#known.set(key, known);
      return known.value;
    }
    const asking = this.#asking.get(key) ?? this.#ask(key, look);
    return await orAbort(asking, signal);
  }

  #ask(key: string, look: () => Promise<TokenVerdict<T>>): Promise<T | undefined> {
    const asking = look()
      .then((verdict) => this.#remember(key, verdict))
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  #remember(key: string, { value, expiresAt = Number.POSITIVE_INFINITY }: TokenVerdict<T>) {
    const { clock, max, hitMs, missMs } = this.#options;
    const now = clock.now();
    const until = Math.min(now + (value === undefined ? missMs : hitMs), expiresAt);
    this.#known.delete(key);
    this.#known.set(key, { value, until });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= max) break;
      this.#known.delete(oldest);
    }
    return value;
  }
}
