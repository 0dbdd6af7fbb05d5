import { randomBytes } from "node:crypto";
import type { Kysely } from "kysely";
import { UnknownIdError } from "./session-store.ts";
import type { StoreDeps } from "./sessions.ts";
import type { Share, ShareStore } from "./share-store.ts";
import type { SharesTable, StoreTables } from "./tables.ts";

/** 256 bits cannot be guessed. */
const TOKEN_BYTES = 32;
const MAX_LISTED = 100;

/** Shares in a database that `migrate` has prepared. */
export function shareStore(db: Kysely<StoreTables>, deps: Pick<StoreDeps, "clock">): ShareStore {
  return {
    create: (share) => create(db, share, new Date(deps.clock.now()).toISOString()),
    async list(contextId, user) {
      const rows = await db
        .selectFrom("shares")
        .selectAll()
        .where("context_id", "=", contextId)
        .where("user_id", "=", user)
        .orderBy("created_at", "desc")
        .orderBy("token")
        .limit(MAX_LISTED)
        .execute();
      return rows.map(shareOf);
    },
    async find(token) {
      const row = await db
        .selectFrom("shares")
        .selectAll()
        .where("token", "=", token)
        .executeTakeFirst();
      return row === undefined ? undefined : shareOf(row);
    },
    async delete({ token, contextId, user }) {
      const { numDeletedRows } = await db
        .deleteFrom("shares")
        .where("token", "=", token)
        .where("context_id", "=", contextId)
        .where("user_id", "=", user)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    },
  };
}

async function create(
  db: Kysely<StoreTables>,
  share: Pick<Share, "contextId" | "user" | "readOnly">,
  now: string,
): Promise<Share> {
  const { contextId, user, readOnly } = share;
  // From the session itself: it is there, and it is this user's, at the moment of writing.
  const row = await db
    .insertInto("shares")
    .columns(["token", "context_id", "user_id", "read_only", "created_at"])
    .expression((eb) =>
      eb
        .selectFrom("sessions")
        .select((of) => [
          of.val(randomBytes(TOKEN_BYTES).toString("base64url")).as("token"),
          "sessions.id",
          "sessions.user_id",
          of.lit(readOnly ? 1 : 0).as("read_only"),
          of.val(now).as("created_at"),
        ])
        .where("sessions.id", "=", contextId)
        .where("sessions.user_id", "=", user),
    )
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw new UnknownIdError("session", contextId);
  return shareOf(row);
}

function shareOf(row: SharesTable): Share {
  return {
    token: row.token,
    contextId: row.context_id,
    user: row.user_id,
    readOnly: row.read_only === 1,
    createdAt: row.created_at,
  };
}
