import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, it } from "mocha";
import { openStore, type Store } from "../../../runtime/store/open-store.ts";

const OPEN_STORE = new URL("../../../runtime/store/open-store.ts", import.meta.url).href;
const AGENT = { namespace: "kagent", name: "a" };
const SESSION = {
  id: "c",
  agent: AGENT,
  user: "ann",
  name: "n",
  source: "user",
  rootContextId: "c",
} as const;

describe("runtime/store/open-store", () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "store-"));
    path = join(folder, "data", "deep", "store.db");
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  /** Opens, works, closes. */
  async function within<T>(work: (store: Store) => Promise<T>): Promise<T> {
    const store = await openStore({ path });
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  }

  const modeOf = async (of: string) => (await stat(of)).mode & 0o777;

  it("makes folder and file for their owner alone, the log too", async () => {
    await within(async ({ sessions }) => {
      await sessions.ensureSession(SESSION);
      assert.equal(await modeOf(path), 0o600);
      assert.equal(await modeOf(`${path}-wal`), 0o600);
    });
    assert.equal(await modeOf(join(folder, "data")), 0o700);
    assert.equal(await modeOf(join(folder, "data", "deep")), 0o700);
  });

  it("takes a file that others could read away from them", async () => {
    await within(({ sessions }) => sessions.ensureSession(SESSION));
    await chmod(path, 0o644);
    await within(async () => {
      assert.equal(await modeOf(path), 0o600);
    });
  });

  it("finds again what another opening stored", async () => {
    const memory = await within(async ({ sessions, memories }) => {
      await sessions.ensureSession(SESSION);
      return memories.addMemory({ user: "ann", content: "likes tea" });
    });
    await within(async ({ sessions, memories }) => {
      assert.equal((await sessions.getSession("c", "ann"))?.name, "n");
      assert.deepEqual(await memories.listMemories({ user: "ann", limit: 1 }), [memory]);
    });
  });

  it("says so when the file is open already, and leaves its holder alone", async () => {
    await within(async ({ sessions }) => {
      for (let attempt = 0; attempt < 2; attempt++) {
        await assert.rejects(openStore({ path, busyTimeoutMs: 1 }), {
          name: "StoreFileError",
          reason: "in-use",
          path,
        });
      }
      await sessions.ensureSession(SESSION);
    });
  });

  it("refuses what is no database, and leaves it as it is", async () => {
    await mkdir(join(folder, "data", "deep"), { recursive: true });
    const text = "not a database, but somebody's notes\n".repeat(100);
    await writeFile(path, text);
    await assert.rejects(openStore({ path }), {
      name: "StoreFileError",
      reason: "damaged",
      message: `failed to use store ${path}: it is damaged or no SQLite database; move it and its -wal file away to start with an empty store`,
    });
    assert.equal(await readFile(path, "utf8"), text);
  });

  it("names a file that was damaged in the middle", async () => {
    await within(async ({ sessions }) => {
      await sessions.ensureSession(SESSION);
    });
    const bytes = await readFile(path);
    // Everything after the header and the root page of the schema.
    await writeFile(path, bytes.fill(0xa5, 4096));
    await assert.rejects(
      within(({ sessions }) => sessions.listSessions({ user: "ann", limit: 1 })),
      { name: "StoreFileError", reason: "damaged", path },
    );
  });

  it("refuses a database of a newer version, and leaves it as it is", async () => {
    await within(({ sessions }) => sessions.ensureSession(SESSION));
    const database = new DatabaseSync(path);
    const later = "insert into kysely_migration values ('0999-later', '2099-01-01T00:00:00.000Z')";
    database.exec(later);
    database.close();
    await assert.rejects(openStore({ path }), {
      name: "StoreFileError",
      reason: "newer",
      message: `failed to use store ${path}: a newer version of this program wrote it; run that version or choose another data folder`,
    });
    const again = new DatabaseSync(path);
    assert.equal(again.prepare("select count(*) as n from sessions").get()?.["n"], 1);
    again.close();
  });

  it("needs either an address or a path", async () => {
    await assert.rejects(openStore({}), RangeError);
    await assert.rejects(openStore({ path, url: "postgres://u:p@127.0.0.1:1/d" }), RangeError);
  });

  it("loads no client of Postgres for a file", async () => {
    const program = `
      import { createRequire } from "node:module";
      const { openStore } = await import(${JSON.stringify(OPEN_STORE)});
      const store = await openStore({ path: ":memory:" });
      await store.sessions.listSessions({ user: "ann", limit: 1 });
      await store.close();
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      process.stdout.write(JSON.stringify(loaded.filter((file) => /node_modules.pg/.test(file))));
    `;
    const args = ["--input-type=module", "--eval", program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    assert.deepEqual(JSON.parse(stdout), []);
  }).timeout(30_000);

  it("says so when the path cannot be a file", async () => {
    await mkdir(path, { recursive: true });
    await assert.rejects(openStore({ path }), { name: "StoreFileError", reason: "unusable" });
    await writeFile(join(folder, "file"), "");
    path = join(folder, "file", "store.db");
    await assert.rejects(openStore({ path }), { name: "StoreFileError", reason: "unusable" });
  });
});
