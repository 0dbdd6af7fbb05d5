import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { keyText } from "../dialect.ts";

/** Memories and the words they are found by. */
export const memories: Migration = {
  async up(db: Kysely<unknown>) {
    await createMemories(db);
    await createMemoryWords(db);
  },
  async down(db: Kysely<unknown>) {
    await db.schema.dropTable("memory_words").execute();
    await db.schema.dropTable("memories").execute();
  },
};

async function createMemories(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("memories")
    .addColumn("id", keyText(db), (column) => column.primaryKey())
    .addColumn("user_id", keyText(db), (column) => column.notNull())
    .addColumn("seq", "integer", (column) => column.notNull())
    .addColumn("content", "text", (column) => column.notNull())
    .addColumn("created_at", keyText(db), (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("memories_of_user")
    .on("memories")
    .columns(["user_id", "seq", "id"])
    .execute();
}

async function createMemoryWords(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("memory_words")
    .addColumn("user_id", keyText(db), (column) => column.notNull())
    .addColumn("word", keyText(db), (column) => column.notNull())
    .addColumn("memory_id", keyText(db), (column) =>
      column.notNull().references("memories.id").onDelete("cascade"),
    )
    .addColumn("seq", "integer", (column) => column.notNull())
    // With `seq` in the key a search reads the key alone.
    .addPrimaryKeyConstraint("memory_words_key", ["user_id", "word", "seq", "memory_id"])
    .execute();
  await db.schema
    .createIndex("memory_words_of_memory")
    .on("memory_words")
    .column("memory_id")
    .execute();
}
