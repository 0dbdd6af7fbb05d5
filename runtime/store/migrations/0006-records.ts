import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { keyText } from "../dialect.ts";

/** Reports, feedback and links that share a session, and what the retention of sessions looks for. */
export const records: Migration = {
  async up(db: Kysely<unknown>) {
    await createReports(db);
    await createFeedback(db);
    await createShares(db);
    await db.schema
      .createIndex("sessions_by_time")
      .on("sessions")
      .columns(["updated_at", "id"])
      .execute();
  },
  async down(db: Kysely<unknown>) {
    await db.schema.dropIndex("sessions_by_time").execute();
    await db.schema.dropTable("shares").execute();
    await db.schema.dropTable("feedback").execute();
    await db.schema.dropTable("reports").execute();
  },
};

async function createReports(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("reports")
    .addColumn("id", keyText(db), (column) => column.primaryKey())
    .addColumn("kind", keyText(db), (column) => column.notNull())
    .addColumn("title", "text", (column) => column.notNull())
    .addColumn("markdown", "text", (column) => column.notNull())
    .addColumn("incident", keyText(db))
    .addColumn("created_at", keyText(db), (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("reports_by_time")
    .on("reports")
    .columns(["created_at", "id"])
    .execute();
  await db.schema
    .createIndex("reports_of_incident")
    .on("reports")
    .columns(["incident", "created_at", "id"])
    .execute();
}

async function createFeedback(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("feedback")
    .addColumn("id", keyText(db), (column) => column.primaryKey())
    .addColumn("user_id", keyText(db), (column) => column.notNull())
    .addColumn("message_id", "text")
    .addColumn("positive", "integer", (column) => column.notNull())
    .addColumn("text", "text", (column) => column.notNull())
    .addColumn("issue_type", "text")
    .addColumn("created_at", keyText(db), (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("feedback_of_user")
    .on("feedback")
    .columns(["user_id", "created_at", "id"])
    .execute();
}

async function createShares(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("shares")
    .addColumn("token", keyText(db), (column) => column.primaryKey())
    .addColumn("context_id", keyText(db), (column) =>
      column.notNull().references("sessions.id").onDelete("cascade"),
    )
    .addColumn("user_id", keyText(db), (column) => column.notNull())
    .addColumn("read_only", "integer", (column) => column.notNull())
    .addColumn("created_at", keyText(db), (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("shares_of_session")
    .on("shares")
    .columns(["context_id", "created_at"])
    .execute();
}
