import type { Kysely, Transaction } from "kysely";
import { closeApprovals } from "./project-approvals.ts";
import type { StoreTables } from "./tables.ts";
import { transact } from "./transact.ts";

/** 20 sessions, with all their events, per transaction: others get their turn in between. */
const PRUNED_AT_ONCE = 20;
const DAY_MS = 86_400_000;

/** As `SessionStore.deleteSession`, at `now` (RFC 3339). */
export async function deleteSession(
  db: Kysely<StoreTables>,
  of: { readonly id: string; readonly user: string; readonly now: string },
): Promise<boolean> {
  return transact(db, async (tx) => {
    const root = await tx
      .deleteFrom("sessions")
      .where("id", "=", of.id)
      .where("user_id", "=", of.user)
      .returning("id")
      .execute();
    if (root.length === 0) return false;
    const below = await tx
      .deleteFrom("sessions")
      .where("root_context_id", "=", of.id)
      .where("source", "=", "agent")
      .where("user_id", "=", of.user)
      .returning("id")
      .execute();
    await closeApprovalsOf(tx, [...root, ...below], of.now);
    return true;
  });
}

/**
 * Deletes sessions that nobody used for `olderThanDays` days, with their events and tasks; a child session only when
 * its whole chain was unused. Records of approvals stay.
 *
 * @param now - Milliseconds since 1970.
 * @returns How many.
 * @throws RangeError for a number of days that is not above 0: that would be all of them.
 */
export async function pruneSessions(
  db: Kysely<StoreTables>,
  olderThanDays: number,
  now: number,
): Promise<number> {
  const unusedSince = new Date(now - olderThanDays * DAY_MS);
  if (!(olderThanDays > 0) || Number.isNaN(unusedSince.getTime())) {
    throw new RangeError(`failed to prune sessions: ${olderThanDays} is no number of days`);
  }
  let pruned = 0;
  for (;;) {
    const deleted = await pruneSome(db, unusedSince.toISOString(), new Date(now).toISOString());
    if (deleted === 0) return pruned;
    pruned += deleted;
  }
}

async function pruneSome(
  db: Kysely<StoreTables>,
  unusedSince: string,
  now: string,
): Promise<number> {
  return transact(db, async (tx) => {
    const unused = await tx
      .selectFrom("sessions")
      .select("id")
      .where("updated_at", "<=", unusedSince)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom("sessions as used")
              .select("used.id")
              .whereRef("used.root_context_id", "=", "sessions.root_context_id")
              .where("used.updated_at", ">", unusedSince),
          ),
        ),
      )
      .orderBy("updated_at")
      .orderBy("id")
      .limit(PRUNED_AT_ONCE)
      .execute();
    if (unused.length === 0) return 0;
    const ids = unused.map(({ id }) => id);
    const deleted = await tx
      .deleteFrom("sessions")
      .where("id", "in", ids)
      // Looked at again under the lock of the row: somebody may have come back to it.
      .where("updated_at", "<=", unusedSince)
      .returning("id")
      .execute();
    await closeApprovalsOf(tx, deleted, now);
    return deleted.length;
  });
}

async function closeApprovalsOf(
  tx: Transaction<StoreTables>,
  sessions: readonly { readonly id: string }[],
  now: string,
): Promise<void> {
  if (sessions.length === 0) return;
  const contextIds = sessions.map(({ id }) => id);
  await closeApprovals(tx, { contextIds }, { reason: "the session was deleted", now });
}
