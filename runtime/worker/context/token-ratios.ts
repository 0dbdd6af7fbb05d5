/** 1,000 sessions are remembered, some 100 KB; an older one is measured again by its next call. */
const MAX_SESSIONS = 1_000;

/** How a model counts the text of each session, compared with our estimate; kept for one process. */
export class TokenRatios {
  readonly #bySession = new Map<string, number>();

  /** Measured tokens for each estimated one; 1 for a session that was never measured. */
  get(contextId: string): number {
    return this.#bySession.get(contextId) ?? 1;
  }

  /** Remembers a session; the one that was set longest ago is forgotten when there are too many. */
  set(contextId: string, ratio: number): void {
    this.#bySession.delete(contextId);
    this.#bySession.set(contextId, ratio);
    const oldest = this.#bySession.keys().next();
    if (this.#bySession.size > MAX_SESSIONS && oldest.done !== true)
      this.#bySession.delete(oldest.value);
  }
}
