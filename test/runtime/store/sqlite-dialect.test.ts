import assert from "node:assert/strict";
import { Kysely } from "kysely";
import { afterEach, beforeEach, describe, it } from "mocha";
import { sqliteDialect } from "../../../runtime/store/sqlite-dialect.ts";

interface Tables {
  readonly parents: { readonly id: number };
  readonly children: { readonly parent: number };
}

describe("runtime/store/sqlite-dialect", () => {
  let db: Kysely<Tables>;
  beforeEach(async () => {
    db = new Kysely({ dialect: sqliteDialect({ path: ":memory:" }) });
    await db.schema
      .createTable("parents")
      .addColumn("id", "integer", (column) => column.primaryKey())
      .execute();
    await db.schema
      .createTable("children")
      .addColumn("parent", "integer", (column) => column.references("parents.id"))
      .execute();
  });
  afterEach(async () => {
    await db.destroy();
  });

  const ids = async () =>
    (await db.selectFrom("parents").select("id").orderBy("id").execute()).map(({ id }) => id);

  it("answers with rows, and with the number of rows changed", async () => {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto("parents")
      .values([{ id: 1 }, { id: 2 }])
      .executeTakeFirstOrThrow();
    assert.equal(numInsertedOrUpdatedRows, 2n);
    const returned = await db.deleteFrom("parents").where("id", "=", 1).returning("id").execute();
    assert.deepEqual(
      returned.map(({ id }) => id),
      [1],
    );
    assert.deepEqual(await ids(), [2]);
  });

  it("lets no query into another's transaction", async () => {
    const order: string[] = [];
    const inside = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    const transaction = db.transaction().execute(async (tx) => {
      await tx.insertInto("parents").values({ id: 1 }).execute();
      inside.resolve(undefined);
      await goOn.promise;
      order.push("transaction");
    });
    await inside.promise;
    const query = ids().then((found) => {
      order.push("query");
      return found;
    });
    await new Promise((resolve) => setImmediate(resolve));
    goOn.resolve(undefined);
    assert.deepEqual(await query, [1]);
    await transaction;
    assert.deepEqual(order, ["transaction", "query"]);
  });

  it("serves those who wait in the order they came", async () => {
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        db.transaction().execute(async (tx) => {
          await tx.insertInto("parents").values({ id: index }).execute();
          order.push(index);
        }),
      ),
    );
    assert.deepEqual(
      order,
      Array.from({ length: 50 }, (_, index) => index),
    );
  });

  it("takes back what a failed transaction did, and goes on", async () => {
    await assert.rejects(
      db.transaction().execute(async (tx) => {
        await tx.insertInto("parents").values({ id: 1 }).execute();
        throw new Error("changed my mind");
      }),
      /changed my mind/,
    );
    await assert.rejects(
      db.transaction().execute(async (tx) => {
        await tx.insertInto("parents").values({ id: 2 }).execute();
        await tx.insertInto("parents").values({ id: 2 }).execute();
      }),
      /UNIQUE/,
    );
    assert.deepEqual(await ids(), []);
  });

  it("keeps references whole", async () => {
    await assert.rejects(db.insertInto("children").values({ parent: 7 }).execute(), /FOREIGN KEY/);
  });

  it("streams rows", async () => {
    await db
      .insertInto("parents")
      .values([{ id: 1 }, { id: 2 }, { id: 3 }])
      .execute();
    const seen: number[] = [];
    for await (const { id } of db.selectFrom("parents").select("id").stream()) {
      seen.push(id);
      if (seen.length === 2) break;
    }
    assert.deepEqual(seen, [1, 2]);
    assert.deepEqual(await ids(), [1, 2, 3]);
  });

  it("waits for a transaction under way before it closes", async () => {
    const transaction = db.transaction().execute(async (tx) => {
      await tx.insertInto("parents").values({ id: 1 }).execute();
      return tx.selectFrom("parents").select("id").execute();
    });
    const closed = db.destroy();
    assert.equal((await transaction).length, 1);
    await closed;
    await assert.rejects(ids(), /destroyed/);
  });
});
