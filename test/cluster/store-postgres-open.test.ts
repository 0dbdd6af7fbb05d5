import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { inspect } from "node:util";
import { afterEach, describe, it } from "mocha";
import { migrate, migrationStatus } from "../../runtime/store/migrate.ts";
import { openDatabase } from "../../runtime/store/open-database.ts";
import { openStore } from "../../runtime/store/open-store.ts";
import { StoreDatabaseError } from "../../runtime/store/store-database-error.ts";
import { usePostgres } from "./postgres-use.ts";

describe("runtime/store/open-store on Postgres", () => {
  const server = usePostgres();
  let databases = 0;
  let opened: Awaited<ReturnType<typeof openDatabase>>[] = [];
  afterEach(async () => {
    for (const db of opened.splice(0)) await db.destroy();
  });

  /** Address of a new, empty database. */
  async function empty(): Promise<{ readonly name: string; readonly url: string }> {
    const name = `empty${++databases}`;
    await server().query(`create database ${name}`);
    return { name, url: server().url(name) };
  }

  async function database(url: string) {
    const db = await openDatabase({ url });
    opened = [...opened, db];
    return db;
  }

  /** Every column and index with its definition. */
  async function schema(name: string): Promise<readonly unknown[]> {
    const columns = await server().query(
      `select table_name, column_name, udt_name, is_nullable, collation_name
       from information_schema.columns
       where table_schema = 'public' and table_name not like 'kysely%'
       order by table_name, column_name`,
      name,
    );
    const indexes = await server().query(
      `select indexdef from pg_indexes
       where schemaname = 'public' and tablename not like 'kysely%' order by indexname`,
      name,
    );
    return [...columns, ...indexes];
  }

  it("goes up, step by step down, and up again to the same tables", async () => {
    const { name, url } = await empty();
    const db = await database(url);
    assert.deepEqual(
      (await migrationStatus(db)).filter(({ appliedAt }) => appliedAt !== undefined),
      [],
    );
    await migrate(db);
    const up = await schema(name);
    assert.ok(JSON.stringify(up).includes("USING hnsw (vector vector_cosine_ops)"));
    const status = await migrationStatus(db);
    assert.ok(status.length >= 6 && status.every(({ appliedAt, known }) => known && appliedAt));
    for (const { name: to } of status.toReversed()) await migrate(db, { to });
    assert.equal((await migrationStatus(db)).filter(({ appliedAt }) => appliedAt).length, 1);
    await migrate(db, { to: "none" });
    assert.deepEqual(await schema(name), []);
    await migrate(db);
    assert.deepEqual(await schema(name), up);
  });

  it("migrates once, however many open an empty database at the same time", async () => {
    const { name, url } = await empty();
    const stores = await Promise.all(Array.from({ length: 6 }, () => openStore({ url })));
    for (const store of stores) await store.close();
    const [row] = await server().query(
      "select count(*)::int as n, count(distinct name)::int as names from kysely_migration",
      name,
    );
    assert.equal(row?.["n"], row?.["names"]);
  });

  it("refuses a database of a newer version, and leaves it as it is", async () => {
    const { name, url } = await empty();
    await (await openStore({ url })).close();
    const later = "insert into kysely_migration values ('0999-later', '2099-01-01T00:00:00.000Z')";
    await server().query(later, name);
    const before = await schema(name);
    const error = await failureOf(url);
    assert.equal(error.reason, "newer");
    assert.match(error.message, /a newer version of this program wrote it; run that version/);
    assert.deepEqual(await schema(name), before);
    const unknown = (await migrationStatus(await database(url))).filter(({ known }) => !known);
    assert.deepEqual(unknown, [
      { name: "0999-later", appliedAt: "2099-01-01T00:00:00.000Z", known: false },
    ]);
  });

  it("needs nobody's help to enable pgvector but an administrator's, and says so", async () => {
    const { name, url } = await empty();
    await server().query("create role plain login password 'plain-secret'");
    await server().query(`alter database ${name} owner to plain`);
    await server().query("grant all on schema public to plain", name);
    const plain = url.replace(/\/\/[^@]*@/, "//plain:plain-secret@");
    await assert.rejects(openStore({ url: plain }), {
      name: "StoreDatabaseError",
      reason: "no-pgvector",
      retryable: false,
    });
    assert.deepEqual(await schema(name), []);
    await server().query("create extension vector", name);
    await (await openStore({ url: plain })).close();
  });

  it("works over a socket", async () => {
    const { name } = await empty();
    const store = await openStore({ url: server().socketUrl(name) });
    assert.deepEqual(await store.sessions.listSessions({ user: "ann", limit: 1 }), []);
    await store.close();
  });

  describe("says what is wrong, and never the password", () => {
    const cases: Readonly<Record<string, [(url: URL) => string | Promise<string>, string]>> = {
      "another password": [
        (url) => {
          url.password = "planted-secret";
          return url.href;
        },
        "refused",
      ],
      "no such user": [
        (url) => {
          url.username = "nobody";
          return url.href;
        },
        "refused",
      ],
      "no such database": [
        (url) => {
          url.pathname = "/nowhere";
          return url.href;
        },
        "refused",
      ],
      "no TLS there": [
        (url) => {
          url.searchParams.set("sslmode", "require");
          return url.href;
        },
        "tls",
      ],
      "nobody at the port": [
        async (url) => {
          url.port = String(await closedPort());
          return url.href;
        },
        "unreachable",
      ],
    };
    for (const [what, [change, reason]] of Object.entries(cases)) {
      it(`${what}: ${reason}`, async () => {
        const url = await change(new URL(server().url()));
        const { password, host } = new URL(url);
        const error = await failureOf(url);
        assert.equal(error.reason, reason);
        assert.ok(error.message.includes(host), error.message);
        const everything = inspect(error, { depth: 20, showHidden: true });
        assert.ok(!everything.includes(password), everything);
      });
    }
  });
});

/** Why a store cannot be opened. */
async function failureOf(url: string): Promise<StoreDatabaseError> {
  const outcome = await openStore({ url }).catch((error: unknown) => error);
  assert.ok(outcome instanceof StoreDatabaseError, String(outcome));
  return outcome;
}

async function closedPort(): Promise<number> {
  const listener = createServer();
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  listener.close();
  await once(listener, "close");
  if (address === null || typeof address === "string") throw new Error("failed to find a port");
  return address.port;
}
