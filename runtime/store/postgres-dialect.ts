import {
  type Dialect,
  type PostgresCursor,
  PostgresDialect,
  type PostgresPool,
  type PostgresPoolClient,
  type PostgresQueryResult,
} from "kysely";
import type { Pool, PoolClient, PoolConfig } from "pg";
import { blameDatabase, isFromServer } from "./store-database-error.ts";

/** 10 connections per process: a statement takes a millisecond, and Postgres allows 100 by default. */
const MAX_CONNECTIONS = 10;
/** 10 s to connect, or to get a connection that is free. */
const CONNECT_MS = 10_000;
/** 30 s per statement, told to the server; raise with `?statement_timeout=` (ms) in the address. */
const STATEMENT_MS = 30_000;
/** 5 s later than the server we give up ourselves: it is gone, or the network is. */
const NETWORK_MS = 5_000;
/** 60 s: a process that stops within a transaction must not hold its rows for ever. */
const IDLE_IN_TRANSACTION_MS = 60_000;

/** Which database, and how long to wait for it. */
export interface PostgresOptions {
  /**
   * `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=/path`.
   *
   * Any sslmode but `disable` and `no-verify` checks the certificate and its host name; `uselibpqcompat=true`
   * gives the modes libpq's weaker meaning.
   */
  readonly url: string;
  /** Most connections at a time; 10 unless set. */
  readonly maxConnections?: number;
  /** Longest time, in milliseconds, of one statement; 30,000 unless set. */
  readonly statementTimeoutMs?: number;
}

/** The address is no address of a Postgres database. The message does not repeat it: it holds a password. */
class PostgresUrlError extends Error {
  override readonly name = "PostgresUrlError";

  constructor() {
    super(
      "failed to read the database address: it should read postgres://user:password@host:5432/database, with / ? # and @ in a password percent-encoded",
    );
  }
}

/** `host:port/database` of an address, for people. @throws PostgresUrlError when it is none. */
export function postgresAddress(url: string): string {
  const { hostname, port, pathname, searchParams } = parsed(url);
  const host = searchParams.get("host") ?? (hostname === "" ? "localhost" : hostname);
  return `${host}:${port === "" ? "5432" : port}${pathname}`;
}

/**
 * Kysely over `pg`, which is loaded at the first query.
 *
 * What the database is to blame for gives a `StoreDatabaseError`, from the first query on.
 *
 * @throws PostgresUrlError
 */
export function postgresDialect(options: PostgresOptions): Dialect {
  const address = postgresAddress(options.url);
  return new PostgresDialect({
    pool: async () => new BlamingPool(await openPool(options), address),
  });
}

async function openPool(options: PostgresOptions): Promise<Pool> {
  const { maxConnections = MAX_CONNECTIONS, statementTimeoutMs = STATEMENT_MS } = options;
  const { default: pg } = await import("pg");
  const config: PoolConfig = {
    // Settings of the address win over these.
    connectionString: strictUrl(options.url),
    max: maxConnections,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + NETWORK_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    application_name: "kagent",
  };
  const pool = new pg.Pool(config);
  // A connection that breaks while nobody uses it is replaced by the next query, which tells when that fails.
  pool.on("error", () => undefined);
  // One that breaks while it is in use fails its query; without a listener the process would end as well.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

function parsed(url: string): URL {
  const result = URL.canParse(url) ? new URL(url) : undefined;
  if (result?.protocol !== "postgres:" && result?.protocol !== "postgresql:") {
    throw new PostgresUrlError();
  }
  // A password with / ? or # that is not percent-encoded: what we would take for a host may be part of it.
  const rest = `${result.pathname}${result.search}${result.hash}`;
  if (rest.includes("@") || result.hash !== "") throw new PostgresUrlError();
  return result;
}

/** Spells the modes that the client library takes for `verify-full` so; it would warn of each otherwise. */
function strictUrl(url: string): string {
  const result = parsed(url);
  const mode = result.searchParams.get("sslmode");
  const isLibpq = result.searchParams.get("uselibpqcompat") === "true";
  if (!isLibpq && (mode === "prefer" || mode === "require" || mode === "verify-ca")) {
    result.searchParams.set("sslmode", "verify-full");
  }
  return result.href;
}

/** A pool whose errors say which database is to blame, and why. */
class BlamingPool implements PostgresPool {
  /** Kysely would read them to cancel a statement from a second connection; we set time limits instead. */
  readonly options = {};
  readonly #pool: Pool;
  readonly #address: string;

  constructor(pool: Pool, address: string) {
    this.#pool = pool;
    this.#address = address;
  }

  async connect(): Promise<PostgresPoolClient> {
    try {
      return new BlamingClient(await this.#pool.connect(), this.#address);
    } catch (error) {
      throw blameDatabase(this.#address, error);
    }
  }

  async end(): Promise<void> {
    await this.#pool.end();
  }
}

class BlamingClient implements PostgresPoolClient {
  readonly #client: PoolClient;
  readonly #address: string;
  #broken = false;

  constructor(client: PoolClient, address: string) {
    this.#client = client;
    this.#address = address;
  }

  query<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(
    statement: string | PostgresCursor<R>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof statement === "string") return this.#run(statement, parameters);
    throw new TypeError("failed to query store: it streams nothing, so it has no cursors");
  }

  release(): void {
    this.#client.release(this.#broken);
  }

  async #run<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    try {
      // `pg` types commands as any text and counts as absent for some of them.
      return (await this.#client.query(sql, [...parameters])) as unknown as PostgresQueryResult<R>;
    } catch (error) {
      // Whatever the server did not say itself leaves a connection of which nobody knows what comes next.
      if (!isFromServer(error)) this.#broken = true;
      throw blameDatabase(this.#address, error);
    }
  }
}
