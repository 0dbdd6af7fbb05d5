import type { Violation } from "../../api/checked.ts";

/** What a pool was last found to be. */
export interface PoolState {
  /** Hashes of the configurations in its Secrets, by Agent (`namespace/name`). */
  readonly served: ReadonlyMap<string, string>;
  /** Agents for which there is no room. */
  readonly refused: ReadonlyMap<string, readonly Violation[]>;
  /** What its Deployment is said to be, for people. */
  readonly running: string;
  /** What keeps the pool from being as it should, for people. */
  readonly problem: string | undefined;
}

const NOTHING: PoolState = {
  served: new Map(),
  refused: new Map(),
  running: "",
  problem: undefined,
};

/** The pools of all namespaces as the last passes left them; Agents read here what became of them. */
export class Pools {
  readonly #states = new Map<string, PoolState>();

  /** The pool of a namespace. */
  of(namespace: string): PoolState {
    return this.#states.get(namespace) ?? NOTHING;
  }

  /** Whether an Agent is, or was, the pool's business. */
  knows(namespace: string, agent: string): boolean {
    const { served, refused } = this.of(namespace);
    return served.has(agent) || refused.has(agent);
  }

  /** Keeps what became of a pool; one that nobody has to do with is forgotten. */
  set(namespace: string, state: PoolState): void {
    const isEmpty =
      state.served.size === 0 && state.refused.size === 0 && state.problem === undefined;
    if (isEmpty) this.#states.delete(namespace);
    else this.#states.set(namespace, state);
  }
}
