import assert from "node:assert/strict";
import { Kysely } from "kysely";
import { afterEach, beforeEach, describe, it } from "mocha";
import { migrate } from "../../../runtime/store/migrate.ts";
import { sqliteDialect } from "../../../runtime/store/sqlite-dialect.ts";
import type { StoreTables } from "../../../runtime/store/tables.ts";

describe("runtime/store/migrate", () => {
  let db: Kysely<StoreTables>;
  beforeEach(() => {
    db = new Kysely({ dialect: sqliteDialect({ path: ":memory:" }) });
  });
  afterEach(async () => {
    await db.destroy();
  });

  /** Every table and index with its definition. */
  async function schema(): Promise<readonly unknown[]> {
    return db
      .$extendTables<{ sqlite_schema: { name: string; sql: string | null } }>()
      .selectFrom("sqlite_schema")
      .select(["name", "sql"])
      .where("name", "not like", "kysely_%")
      .where("name", "not like", "sqlite_autoindex_kysely_%")
      .orderBy("name")
      .execute();
  }

  it("goes up, all the way down and up again to the same tables", async () => {
    await migrate(db);
    const up = await schema();
    assert.ok(up.length > 10);
    await migrate(db, "none");
    assert.deepEqual(await schema(), []);
    await migrate(db);
    assert.deepEqual(await schema(), up);
  });

  it("changes nothing the second time", async () => {
    await migrate(db);
    const up = await schema();
    await migrate(db);
    assert.deepEqual(await schema(), up);
  });

  it("leaves the tables as they were when a migration fails", async () => {
    // Taken by a stranger: the last table of the first migration cannot be made.
    await db.schema.createTable("tasks").addColumn("stranger", "text").execute();
    const before = await schema();
    await assert.rejects(migrate(db), /tasks/);
    assert.deepEqual(await schema(), before);
    await db.schema.dropTable("tasks").execute();
    await migrate(db);
  });

  it("names the migrations of a newer version", async () => {
    await migrate(db);
    await db
      .$extendTables<{ kysely_migration: { name: string; timestamp: string } }>()
      .insertInto("kysely_migration")
      .values({ name: "0999-later", timestamp: "2099-01-01T00:00:00.000Z" })
      .execute();
    await assert.rejects(migrate(db), {
      name: "NewerDatabaseError",
      migrations: ["0999-later"],
    });
  });
});
