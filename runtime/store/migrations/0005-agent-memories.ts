import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { keyText, prepareVectors, vectorIndex, vectorType } from "../dialect.ts";

/** What agents remember about users, found by meaning. */
export const agentMemories: Migration = {
  async up(db: Kysely<unknown>) {
    await prepareVectors(db);
    await db.schema
      .createTable("agent_memories")
      .addColumn("id", keyText(db), (column) => column.primaryKey())
      .addColumn("agent_namespace", keyText(db), (column) => column.notNull())
      .addColumn("agent_name", keyText(db), (column) => column.notNull())
      .addColumn("user_id", keyText(db), (column) => column.notNull())
      .addColumn("content", "text", (column) => column.notNull())
      .addColumn("metadata", "text")
      .addColumn("vector", vectorType(db), (column) => column.notNull())
      .addColumn("created_at", keyText(db), (column) => column.notNull())
      .addColumn("expires_at", keyText(db), (column) => column.notNull())
      .addColumn("access_count", "integer", (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("agent_memories_of_user")
      .on("agent_memories")
      .columns(["agent_namespace", "agent_name", "user_id", "created_at", "id"])
      .execute();
    await db.schema
      .createIndex("agent_memories_by_expiry")
      .on("agent_memories")
      .column("expires_at")
      .execute();
    await vectorIndex(db, "agent_memories");
  },
  async down(db: Kysely<unknown>) {
    // The extension stays: others of the same database may use it, and it may not be ours to drop.
    await db.schema.dropTable("agent_memories").execute();
  },
};
