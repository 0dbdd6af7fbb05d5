import { type OpenStoreOptions, openStore, type Store } from "../../runtime/store/open-store.ts";
import type { Postgres } from "./postgres.ts";

/** Tables that hold what is stored, not how. */
const TABLES = [
  "sessions",
  "workers",
  "memories",
  "approvals",
  "agent_memories",
  "reports",
  "feedback",
];

/** Opens stores in a database of their own, emptied before each. */
export class PostgresStores {
  readonly #server: () => Postgres;
  readonly #database: string;
  #made: Promise<void> | undefined;

  /** @param database - Made when first needed. */
  constructor(server: () => Postgres, database: string) {
    this.#server = server;
    this.#database = database;
  }

  /** Address of the database. */
  get url(): string {
    return this.#server().url(this.#database);
  }

  /** A store with nothing in it; those opened before it are empty as well. */
  async open(options: Omit<OpenStoreOptions, "url" | "path"> = {}): Promise<Store> {
    this.#made ??= this.#make();
    await this.#made;
    const store = await openStore({ ...options, url: this.url });
    await this.query(`truncate ${TABLES.join(", ")} cascade`);
    return store;
  }

  /** Runs SQL in the database. */
  query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return this.#server().query(sql, this.#database);
  }

  /** Every row of every table. */
  async rows(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const tables = await this.query(
      "select tablename from pg_tables where schemaname = 'public' and tablename not like 'kysely%'",
    );
    const rows = [];
    for (const { tablename } of tables) {
      rows.push(...(await this.query(`select * from ${String(tablename)}`)));
    }
    return rows;
  }

  async #make(): Promise<void> {
    await this.#server().query(`create database ${this.#database}`);
  }
}
