import assert from "node:assert/strict";
import { Kysely } from "kysely";
import { afterEach, beforeEach, describe, it } from "mocha";
import { migrate, migrationStatus } from "../../../runtime/store/migrate.ts";
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

  /** Every column of every table. */
  async function columns(): Promise<readonly unknown[]> {
    const tables = await db.introspection.getTables();
    return tables.map(({ name, columns: of }) => [name, of.map((column) => column.name)]);
  }

  it("goes up, all the way down and up again to the same tables", async () => {
    await migrate(db);
    const up = await schema();
    assert.ok(up.length > 10);
    await migrate(db, { to: "none" });
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

  it("goes to any of its migrations, up and down, and tells which were run", async () => {
    assert.deepEqual(
      (await migrationStatus(db)).map(({ appliedAt }) => appliedAt),
      (await migrationStatus(db)).map(() => undefined),
    );
    const names = (await migrationStatus(db)).map(({ name }) => name);
    assert.deepEqual(names.slice(0, 3), ["0001-sessions", "0002-memories", "0003-workers"]);
    const forms: unknown[] = [];
    const applied = async () =>
      (await migrationStatus(db)).flatMap(({ name, appliedAt }) => (appliedAt ? [name] : []));
    for (const [index, to] of names.entries()) {
      await migrate(db, { to });
      assert.deepEqual(await applied(), names.slice(0, index + 1));
      forms.push(await columns());
    }
    for (const [index, to] of [...names.entries()].reverse()) {
      await migrate(db, { to });
      assert.deepEqual(await applied(), names.slice(0, index + 1));
      assert.deepEqual(await columns(), forms[index]);
    }
    for (const to of ["", "0001", "constructor"]) {
      await assert.rejects(migrate(db, { to }), /it is none of latest, none, 0001-sessions/);
    }
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
    const unknown = (await migrationStatus(db)).filter(({ known }) => !known);
    assert.deepEqual(unknown, [
      { name: "0999-later", appliedAt: "2099-01-01T00:00:00.000Z", known: false },
    ]);
  });
});
