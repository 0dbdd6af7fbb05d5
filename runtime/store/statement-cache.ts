import type { DatabaseSync, StatementSync } from "node:sqlite";

/** A prepared statement and whether it answers with rows. */
export interface CachedStatement {
  readonly statement: StatementSync;
  /** Whether it has result columns: a `select`, or anything with `returning`. */
  readonly reader: boolean;
}

/**
 * Prepared statements by their SQL text, least recently used out first.
 *
 * Safe to share within a connection as long as each statement runs to its end before the next begins.
 */
export class StatementCache {
  readonly #database: DatabaseSync;
  readonly #capacity: number;
  readonly #statements = new Map<string, CachedStatement>();

  /** @param capacity - Most statements that are kept, at least 1. */
  constructor(database: DatabaseSync, capacity: number) {
    this.#database = database;
    this.#capacity = capacity;
  }

  /** Number of statements kept. */
  get size(): number {
    return this.#statements.size;
  }

  /** The statement of `sql`, prepared unless it is kept. @throws What SQLite says about `sql`. */
  get(sql: string): CachedStatement {
    const kept = this.#statements.get(sql);
    if (kept !== undefined) {
      // A Map iterates in order of insertion: taking it out and in makes it the youngest.
      this.#statements.delete(sql);
      this.#statements.set(sql, kept);
      return kept;
    }
    const statement = this.#database.prepare(sql);
    const made = { statement, reader: statement.columns().length > 0 };
    this.#statements.set(sql, made);
    if (this.#statements.size > this.#capacity) {
      const [oldest] = this.#statements.keys();
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    return made;
  }
}
