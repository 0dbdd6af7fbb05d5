import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../runtime/process/clock.ts";

const POLL_MS = 250;
/** `SQLITE_BUSY`. */
const BUSY = 5;

/** How a lock is taken. */
export interface FileLockOptions {
  /** Called once when another holder has to be waited for. */
  readonly onWait: () => void;
  /** Ends the waiting; the work itself is told by its own means. */
  readonly signal: AbortSignal;
}

/**
 * Does `work` while no other process, and nobody else in this one, holds the lock at `path`.
 *
 * SQLite's exclusive transaction is a lock of the operating system: it ends with its process, so a crash leaves
 * nothing behind that somebody would have to judge stale, as a file with a process id in it would be.
 *
 * @param path - Lock file; made when absent, never removed (removing one that somebody waits for would split the lock).
 * @returns What `work` returned.
 * @throws The signal's reason when it aborts during the wait; whatever `work` throws.
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  options: FileLockOptions,
): Promise<T> {
  const database = new DatabaseSync(path);
  try {
    let told = false;
    while (!tryLock(database)) {
      if (!told) options.onWait();
      told = true;
      await systemClock.sleep(POLL_MS, options.signal);
    }
    return await work();
  } finally {
    database.close();
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Error && "errcode" in error && error.errcode === BUSY) return false;
    throw error;
  }
}
