import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe } from "mocha";
import { openStore } from "../../../runtime/store/open-store.ts";
import { streamingContract } from "./streaming-contract.ts";

describe("runtime/store/append-events while an answer streams", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "store-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  streamingContract("SQLite", async () => {
    const path = join(folder, "store.db");
    const store = await openStore({ path });
    return { store, rows: () => Promise.resolve(rowsOf(path)) };
  });
});

function rowsOf(path: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = database
      .prepare("select name from sqlite_schema where type = 'table' and name not like 'kysely%'")
      .all();
    return tables.flatMap(({ name }) => database.prepare(`select * from ${String(name)}`).all());
  } finally {
    database.close();
  }
}
