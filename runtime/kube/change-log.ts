import type { StoredObject } from "../api/cluster.ts";
import { ClusterError } from "../api/cluster-reader.ts";
import { orAbort } from "../process/or-abort.ts";

/** One write, as watches see it. */
export interface Change {
  /** Which kind. */
  readonly collection: string;
  /** Absent when the object was created. */
  readonly before?: StoredObject;
  /** The object as it is now; as it was last, with the version of its deletion, when `isDeleted`. */
  readonly object: StoredObject;
  readonly isDeleted: boolean;
}

/** The last writes of a cluster, numbered from 1 without gaps; the oldest are forgotten. */
export class ChangeLog {
  readonly #capacity: number;
  readonly #changes: Change[] = [];
  /** Number of the newest change that is forgotten. */
  #forgotten = 0;
  #next = Promise.withResolvers<undefined>();

  /** @param capacity - Most changes that are remembered. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Number of the newest change; 0 before the first. */
  get version(): number {
    return this.#forgotten + this.#changes.length;
  }

  /** Remembers a change under the number `version + 1` and wakes who waits for it. */
  append(change: Change): void {
    this.#changes.push(change);
    if (this.#changes.length > this.#capacity) this.#forget(1);
    this.#next.resolve(undefined);
    this.#next = Promise.withResolvers();
  }

  /** Forgets every change so far, as a cluster does after some minutes. */
  compact(): void {
    this.#forget(this.#changes.length);
  }

  /**
   * Every change after number `version`, those to come included.
   *
   * @throws ClusterError `expired` when the change after it is forgotten, at the start or because the reader is too
   * slow; the signal's reason on abort.
   */
  async *after(version: number, signal: AbortSignal): AsyncGenerator<Change, never> {
    for (let seen = version; ; seen++) {
      signal.throwIfAborted();
      while (seen >= this.version) await orAbort(this.#next.promise, signal);
      const change = this.#changes[seen - this.#forgotten];
      if (change === undefined)
        throw new ClusterError("expired", `version ${seen} is forgotten; list again`);
      yield change;
    }
  }

  #forget(count: number): void {
    this.#changes.splice(0, count);
    this.#forgotten += count;
  }
}
