/** Lets calls in until it is closed, and tells when the last of them is out. */
export class Gate {
  #inside = 0;
  #closed: Promise<void> | undefined;
  readonly #empty = Promise.withResolvers<undefined>();

  /** `store` with each of its methods behind this gate. @throws Error from a method called after {@link close}. */
  guard<T extends object>(store: T): T {
    const guarded = Object.entries(store).map(([name, method]: [string, unknown]) => [
      name,
      typeof method === "function"
        ? (...args: readonly unknown[]) => this.#pass(() => Reflect.apply(method, store, args))
        : method,
    ]);
    return Object.fromEntries(guarded) as T;
  }

  /** Lets nobody in any more and does `work` once everybody is out; may be called again. */
  close(work: () => Promise<void>): Promise<void> {
    this.#closed ??= this.#whenEmpty(work);
    return this.#closed;
  }

  async #whenEmpty(work: () => Promise<void>): Promise<void> {
    if (this.#inside > 0) await this.#empty.promise;
    await work();
  }

  async #pass(call: () => unknown): Promise<unknown> {
    if (this.#isClosed()) throw new Error("failed to query store: it is closed");
    this.#inside += 1;
    try {
      return await call();
    } finally {
      this.#inside -= 1;
      if (this.#inside === 0 && this.#isClosed()) this.#empty.resolve(undefined);
    }
  }

  #isClosed(): boolean {
    return this.#closed !== undefined;
  }
}
