import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { keyText } from "../dialect.ts";

/** Processes that run tasks, and which of them runs which. */
export const workers: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("workers")
      .addColumn("id", keyText(db), (column) => column.primaryKey())
      .addColumn("url", "text", (column) => column.notNull())
      .addColumn("seen_at", keyText(db), (column) => column.notNull())
      .execute();
    await db.schema.createIndex("workers_by_time").on("workers").column("seen_at").execute();
    // No foreign key: a worker is forgotten while its tasks, over by then, stay.
    await db.schema.alterTable("tasks").addColumn("owner_id", keyText(db)).execute();
  },
  async down(db: Kysely<unknown>) {
    await db.schema.alterTable("tasks").dropColumn("owner_id").execute();
    await db.schema.dropTable("workers").execute();
  },
};
