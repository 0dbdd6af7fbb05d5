import { Kysely } from "kysely";
import { describe } from "mocha";
import { memoryStore } from "../../../runtime/store/memories.ts";
import { migrate } from "../../../runtime/store/migrate.ts";
import { sqliteDialect } from "../../../runtime/store/sqlite-dialect.ts";
import type { StoreTables } from "../../../runtime/store/tables.ts";
import { memoryStoreContract } from "./memory-store-contract.ts";

describe("runtime/store/memories", () => {
  memoryStoreContract("SQLite in memory", async (deps) => {
    const db = new Kysely<StoreTables>({ dialect: sqliteDialect({ path: ":memory:" }) });
    await migrate(db);
    return { memories: memoryStore(db, deps), close: () => db.destroy() };
  });
});
