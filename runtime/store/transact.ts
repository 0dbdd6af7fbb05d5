import type { Kysely, Transaction } from "kysely";
import type { StoreTables } from "./tables.ts";

/** 5 tries: whoever is in the way has moved on by then, unless something else is wrong. */
const ATTEMPTS = 5;

/** Postgres's `serialization_failure` and `deadlock_detected`: nothing happened, and a new try may pass. */
const RETRYABLE: ReadonlySet<unknown> = new Set(["40001", "40P01"]);

/**
 * Runs `work` in a transaction, anew when the database gave it up to let another one pass.
 *
 * @param work - May run several times; must not change anything but the database.
 * @throws What `work` throws, and what the database says; the transaction is undone then.
 */
export async function transact<T>(
  db: Kysely<StoreTables>,
  work: (tx: Transaction<StoreTables>) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (attempt === ATTEMPTS || !isRetryable(error)) throw error;
    }
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof Error && "code" in error && RETRYABLE.has(error.code);
}
