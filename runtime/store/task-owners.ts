import type { Kysely } from "kysely";
import { checkId } from "./arguments.ts";
import { type RunOwner, UnknownIdError } from "./session-store.ts";
import type { StoreTables } from "./tables.ts";
import { transact } from "./transact.ts";

/** As `SessionStore.heartbeat`, at `now` (RFC 3339). */
export async function heartbeat(
  db: Kysely<StoreTables>,
  owner: RunOwner,
  now: string,
): Promise<void> {
  const row = {
    id: checkId("worker id", owner.id),
    url: checkId("worker url", owner.url),
    seen_at: now,
  };
  await db
    .insertInto("workers")
    .values(row)
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet({ url: row.url, seen_at: row.seen_at }),
    )
    .execute();
}

/** As `SessionStore.claimTask`. */
export async function claimTask(
  db: Kysely<StoreTables>,
  taskId: string,
  ownerId: string,
): Promise<void> {
  await transact(db, async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable("tasks")
      .set({ owner_id: ownerId })
      .where("id", "=", taskId)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) throw new UnknownIdError("task", taskId);
    const worker = await tx
      .selectFrom("workers")
      .select("id")
      .where("id", "=", ownerId)
      .executeTakeFirst();
    if (worker === undefined) throw new UnknownIdError("worker", ownerId);
  });
}

/** As `SessionStore.ownerOf`, at `now` (milliseconds since 1970). */
export async function ownerOf(
  db: Kysely<StoreTables>,
  query: { readonly taskId: string; readonly user: string; readonly now: number },
): Promise<(RunOwner & { readonly silentMs: number }) | undefined> {
  const worker = await db
    .selectFrom("tasks")
    .innerJoin("workers", "workers.id", "tasks.owner_id")
    .select(["workers.id", "workers.url", "workers.seen_at"])
    .where("tasks.id", "=", query.taskId)
    .where("tasks.user_id", "=", query.user)
    .executeTakeFirst();
  if (worker === undefined) return undefined;
  const { id, url, seen_at } = worker;
  // Another process with a clock ahead of ours may have taken the heartbeat.
  return { id, url, silentMs: Math.max(0, query.now - Date.parse(seen_at)) };
}
