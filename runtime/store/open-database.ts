import { chmod, mkdir, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Kysely } from "kysely";
import { type PostgresOptions, postgresDialect } from "./postgres-dialect.ts";
import { type SqliteOptions, sqliteDialect } from "./sqlite-dialect.ts";
import { StoreFileError } from "./store-file-error.ts";
import type { StoreTables } from "./tables.ts";

/** Which database: a Postgres by its address or a SQLite file by its path, one of them. */
export interface DatabaseOptions
  extends Partial<Omit<PostgresOptions, "url">>,
    Partial<Omit<SqliteOptions, "path">> {
  /** `postgres://user:password@host:port/database`, as {@link PostgresOptions.url}. */
  readonly url?: string;
  /** As {@link SqliteOptions.path}. */
  readonly path?: string;
}

/**
 * The database, with whatever tables it has. The caller ends it with `destroy()`.
 *
 * A SQLite file is for its owner alone (0600); it and its folder (0700) are made when absent. `pg` is loaded for a
 * Postgres only.
 *
 * @throws RangeError unless there is either an address or a path; PostgresUrlError for an address that is none;
 *   StoreFileError when the path cannot be a file. What else is wrong with a database comes with the first query,
 *   as `StoreDatabaseError` or `StoreFileError`.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Kysely<StoreTables>> {
  const { url, path } = options;
  if (url !== undefined && path === undefined) {
    return new Kysely({ dialect: postgresDialect({ ...options, url }) });
  }
  if (path === undefined || url !== undefined) {
    throw new RangeError("failed to open store: either an address or a path is needed");
  }
  if (path !== ":memory:") await prepareFile(path);
  return new Kysely({ dialect: sqliteDialect({ ...options, path }) });
}

/**
 * Makes sure of a file that only its owner may read.
 *
 * Never opens a file that is there: closing it again would drop the lock by which this same process may
 * already hold it (https://sqlite.org/howtocorrupt.html section 2.2).
 */
async function prepareFile(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, "", { flag: "wx", mode: 0o600 }).catch(ignoreExisting);
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) await chmod(path, 0o600);
  } catch (error) {
    throw new StoreFileError(path, "unusable", { cause: error });
  }
}

function ignoreExisting(error: unknown): void {
  if (error instanceof Error && "code" in error && error.code === "EEXIST") return;
  throw error;
}
