/**
 * Lets one piece of work per session run at a time, in the order of the calls.
 *
 * The row lock of the session does so between processes; within one it would keep a connection for each that waits.
 */
export class SessionTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** What `work` gives, after all that was to be done for the session before. */
  async take<T>(contextId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(contextId) ?? Promise.resolve();
    const turn = before.then(work, work); // who went before has told its own callers of a failure
    this.#last.set(contextId, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(contextId) === turn) this.#last.delete(contextId);
    }
  }
}
