import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { StatementCache } from "./statement-cache.ts";
import { blameFile } from "./store-file-error.ts";

/** 128 prepared statements: the store's own number about 40; batches of each length add to them. */
const CACHED_STATEMENTS = 128;
/**
 * 1 s: waiting for a lock blocks the whole process, and only a process that is just leaving is worth it.
 * Raise with {@link SqliteOptions.busyTimeoutMs}.
 */
const BUSY_TIMEOUT_MS = 1000;

/** Where a database lives. */
export interface SqliteOptions {
  /** A file, made when absent, or `:memory:`. */
  readonly path: string;
  /** Longest wait for another process to let go of the file, in milliseconds; 1000 unless set. */
  readonly busyTimeoutMs?: number;
}

/**
 * Kysely over `node:sqlite`: one connection, one process.
 *
 * Queries and transactions take turns in the order they came; {@link Kysely.destroy} waits for its turn
 * as well. A file that another process has open, that is damaged or unusable gives a `StoreFileError`,
 * from the first query on.
 */
export function sqliteDialect(options: SqliteOptions): Dialect {
  return {
    createAdapter: () => new QueueingAdapter(),
    createDriver: () => new SqliteDriver(options),
    createIntrospector: (db: Kysely<unknown>): DatabaseIntrospector => new SqliteIntrospector(db),
    createQueryCompiler: (): QueryCompiler => new SqliteQueryCompiler(),
  };
}

class QueueingAdapter extends SqliteAdapter {
  /** The driver below lets its callers wait in line, so Kysely need not. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }

  /** Makes a migration all or nothing: a process killed in the middle leaves no half of it. */
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class SqliteDriver implements Driver {
  readonly #options: SqliteOptions;
  readonly #turns = new Turns();
  #connection: SqliteConnection | undefined;
  #release: () => void = () => undefined;

  constructor(options: SqliteOptions) {
    this.#options = options;
  }

  async init(): Promise<void> {
    this.#connection = open(this.#options);
    return Promise.resolve();
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const release = await this.#turns.take();
    this.#release = release;
    if (this.#connection !== undefined) return this.#connection;
    release();
    throw new Error("failed to query store: it is closed");
  }

  async releaseConnection(): Promise<void> {
    this.#release();
    return Promise.resolve();
  }

  async beginTransaction(): Promise<void> {
    // `immediate` takes the write lock at once: a transaction cannot fail half-way for want of it.
    this.#connection?.run("begin immediate");
    return Promise.resolve();
  }

  async commitTransaction(): Promise<void> {
    this.#connection?.run("commit");
    return Promise.resolve();
  }

  async rollbackTransaction(): Promise<void> {
    // After a full disk or an I/O error SQLite has rolled back by itself.
    if (this.#connection?.inTransaction === true) this.#connection.run("rollback");
    return Promise.resolve();
  }

  async destroy(): Promise<void> {
    const release = await this.#turns.take();
    this.#connection?.close();
    this.#connection = undefined;
    release();
  }
}

/**
 * Opens the database for this process alone.
 *
 * - `locking_mode = exclusive`: a second process on the same file would take the tasks of the first for
 *   abandoned; it is told so when it opens. The lock goes with the process, however it ends.
 * - `synchronous = normal` with a write-ahead log: a commit is written to the operating system before it
 *   returns, so it survives the end of the process, `kill -9` included. Only a crash of the machine can
 *   take the last commits, and it leaves the database consistent. `full` would add an fsync to each commit.
 *
 * @see https://sqlite.org/pragma.html#pragma_synchronous and https://sqlite.org/wal.html#noshm
 */
function open(options: SqliteOptions): SqliteConnection {
  const { path, busyTimeoutMs = BUSY_TIMEOUT_MS } = options;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, {
      timeout: busyTimeoutMs,
      enableForeignKeyConstraints: true,
    });
    database.exec("pragma locking_mode = exclusive");
    database.exec("pragma journal_mode = wal");
    database.exec("pragma synchronous = normal");
    // Takes the lock now rather than with the first write.
    database.exec("begin immediate; commit");
    return new SqliteConnection(path, database);
  } catch (error) {
    database?.close();
    throw blameFile(path, error);
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements: StatementCache;

  constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
    this.#statements = new StatementCache(database, CACHED_STATEMENTS);
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  run(sql: string, parameters: readonly SQLInputValue[] = []): QueryResult<unknown> {
    try {
      const { statement, reader } = this.#statements.get(sql);
      if (reader) return { rows: statement.all(...parameters) };
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return {
        rows: [],
        numAffectedRows: BigInt(changes),
        insertId: BigInt(lastInsertRowid),
      };
    } catch (error) {
      throw blameFile(this.#path, error);
    }
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    // Kysely types parameters as unknown; what SQLite cannot bind it refuses itself.
    const parameters = query.parameters as readonly SQLInputValue[];
    return Promise.resolve(this.run(query.sql, parameters) as QueryResult<R>);
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    const parameters = query.parameters as readonly SQLInputValue[];
    // Its own statement: a kept one could be asked for again before the stream has ended.
    const rows = this.#database.prepare(query.sql).iterate(...parameters);
    for (const row of rows) yield await Promise.resolve({ rows: [row as R] });
  }

  close(): void {
    this.#database.close();
  }
}

/** Lets one caller at a time pass, first come, first served. */
class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** @returns Ends the turn; must be called once. */
  async take(): Promise<() => void> {
    const before = this.#last;
    const turn = Promise.withResolvers<undefined>();
    this.#last = turn.promise;
    await before;
    return () => {
      turn.resolve(undefined);
    };
  }
}
