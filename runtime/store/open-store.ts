import { randomUUID } from "node:crypto";
import { chmod, mkdir, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Kysely } from "kysely";
import { type Clock, systemClock } from "../process/clock.ts";
import { memoryStore } from "./memories.ts";
import { migrate, NewerDatabaseError } from "./migrate.ts";
import type { MemoryStore, SessionStore } from "./session-store.ts";
import { sessionStore } from "./sessions.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { StoreFileError } from "./store-file-error.ts";
import type { StoreTables } from "./tables.ts";

/** Which store, and what it stands on. */
export interface OpenStoreOptions {
  /**
   * The database file, for its owner alone (0600); it and its folder (0700) are made when absent.
   * `:memory:` keeps everything in this process.
   */
  readonly path: string;
  /** The machine's clock unless set. */
  readonly clock?: Pick<Clock, "now">;
  /** Random UUIDs unless set. */
  readonly newId?: () => string;
  /** Longest wait, in milliseconds, for a process that has the file to let go of it; 1000 unless set. */
  readonly busyTimeoutMs?: number;
}

/** An open store. */
export interface Store {
  readonly sessions: SessionStore;
  readonly memories: MemoryStore;
  /** Closes both; waits for the calls before it. May be called again. */
  close(): Promise<void>;
}

/**
 * Opens the embedded store, for this process alone, and brings its tables to the newest form.
 *
 * @throws StoreFileError when another process uses the file, when it is damaged, written by a newer
 *   version, or when it cannot be read and written.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { path, clock = systemClock, newId = randomUUID, busyTimeoutMs } = options;
  if (path !== ":memory:") await prepareFile(path);
  const db = new Kysely<StoreTables>({
    dialect: sqliteDialect({ path, ...(busyTimeoutMs === undefined ? {} : { busyTimeoutMs }) }),
  });
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    if (!(error instanceof NewerDatabaseError)) throw error;
    throw new StoreFileError(path, "newer", { cause: error });
  }
  const sessions = sessionStore(db, { clock, newId });
  return {
    sessions,
    memories: memoryStore(db, { clock, newId }),
    close: () => sessions.close(),
  };
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
