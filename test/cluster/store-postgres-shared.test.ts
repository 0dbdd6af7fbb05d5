import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import pg from "pg";
import type { NewEvent } from "../../runtime/api/events.ts";
import { openStore, type Store } from "../../runtime/store/open-store.ts";
import { AGENT, begin, event, status } from "../runtime/store/store-contract.ts";
import { poll } from "./poll.ts";
import { PostgresStores } from "./postgres-store.ts";
import { usePostgres } from "./postgres-use.ts";

const said = (contextId: string, text: string): NewEvent =>
  event(contextId, "t", { type: "message", role: "agent", parts: [{ text }] });

describe("runtime/store on a Postgres that others use as well", () => {
  const server = usePostgres();
  const stores = new PostgresStores(server, "shared");
  let one: Store;
  let two: Store;
  let other: pg.Client;

  before(async () => {
    one = await stores.open();
    two = await openStore({ url: stores.url, statementTimeoutMs: 500 });
    other = new pg.Client({ connectionString: stores.url });
    other.on("error", () => undefined);
    await other.connect();
  });
  after(async () => {
    await one.close();
    await two.close();
    await other.end();
  });
  beforeEach(async () => {
    await one.sessions.deleteSession("c", "ann");
    await one.sessions.deleteSession("d", "ann");
    await begin(one, { contextId: "c", taskId: "t" });
    await begin(one, { contextId: "d", taskId: "u" });
  });

  /** Resolves once so many statements of others wait for a lock. */
  async function waiting(count: number): Promise<void> {
    const sql = "select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock'";
    await poll(async () => ((await stores.query(sql))[0]?.["n"] === count ? true : undefined), {
      what: `${count} waiting`,
      timeoutMs: 10_000,
      signal: new AbortController().signal,
    });
  }

  it("gives positions without gap or duplicate to two processes that append at once", async () => {
    const appended = await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        const store = index % 2 === 0 ? one : two;
        return store.sessions.append("c", [said("c", `${index} a`), said("c", `${index} b`)]);
      }),
    );
    const stored = await one.sessions.events("c", "ann");
    assert.deepEqual(
      stored.map(({ seq }) => seq),
      Array.from({ length: 120 }, (_, index) => index + 1),
    );
    for (const [a, b] of appended) assert.equal(b?.seq, (a?.seq ?? 0) + 1);
  });

  it("stores a batch once that two processes write at once", async () => {
    const batch = [said("c", "x"), status("c", "t", "completed")];
    const answers = await Promise.all(
      [one, two, one, two].map((it) => it.sessions.append("c", batch)),
    );
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.equal((await one.sessions.events("c", "ann")).length, 2);
  });

  it("lets appends to a session wait for each other, and those to others pass", async () => {
    await other.query("begin");
    await other.query("update sessions set name = name where id = 'c'");
    let done = false;
    const held = one.sessions.append("c", [said("c", "waits")]).then(() => {
      done = true;
    });
    await waiting(1);
    await one.sessions.append("d", [said("d", "passes")]);
    assert.equal(done, false);
    await other.query("commit");
    await held;
  });

  it("leaves connections to others however many appends wait for one session", async () => {
    await other.query("begin");
    await other.query("update sessions set name = name where id = 'c'");
    const held = Array.from({ length: 30 }, () => one.sessions.append("c", [said("c", "waits")]));
    await waiting(1);
    await one.sessions.append("d", [said("d", "passes")]);
    await other.query("commit");
    await Promise.all(held);
  });

  it("does a transaction again that Postgres gave up for a deadlock", async () => {
    await other.query("set deadlock_timeout = '60s'"); // so that the other one finds it, and gives way
    await other.query("begin");
    await other.query("update tasks set usage = usage where id = 't'");
    const append = one.sessions.append("c", [said("c", "x"), status("c", "t", "working")]);
    await waiting(1); // has the session, wants the task
    // Held by the append, which cannot end before this one does: it comes back only after a deadlock.
    await other.query("update sessions set name = name where id = 'c'");
    await other.query("commit");
    await append;
    assert.equal((await one.sessions.getTask("t", "ann"))?.state, "working");
    assert.equal((await one.sessions.events("c", "ann")).length, 2);
  });

  it("does a transaction again that could not be serialised", async () => {
    await stores.query(
      "alter database shared set default_transaction_isolation = 'repeatable read'",
    );
    const strict = await openStore({ url: stores.url });
    try {
      await other.query("begin");
      await other.query("update sessions set name = name where id = 'c'");
      const append = strict.sessions.append("c", [said("c", "x")]);
      await waiting(1);
      await other.query("commit"); // ends that one's attempt with 40001
      assert.equal((await append)[0]?.seq, 1);
    } finally {
      await strict.close();
      await stores.query("alter database shared reset default_transaction_isolation");
    }
  });

  it("gives up a statement that takes too long, and goes on", async () => {
    await other.query("begin");
    await other.query("update sessions set name = name where id = 'c'");
    await assert.rejects(two.sessions.append("c", [said("c", "x")]), {
      name: "StoreDatabaseError",
      reason: "busy",
      retryable: true,
    });
    await other.query("rollback");
    assert.equal((await two.sessions.append("c", [said("c", "y")]))[0]?.seq, 1);
  });

  it("says so when its connections are cut, and goes on with new ones", async () => {
    await other.query("begin");
    await other.query("update sessions set name = name where id = 'c'");
    const append = one.sessions.append("c", [said("c", "x")]);
    await waiting(1);
    const cut = assert.rejects(append, {
      name: "StoreDatabaseError",
      reason: "unreachable",
      retryable: true,
    });
    await stores.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'kagent'",
    );
    await cut;
    await other.query("rollback");
    // Connections that nobody used when they were cut are noticed one by one.
    for (const { sessions } of [one, two]) {
      const get = () => sessions.getSession("c", "ann");
      await poll(() => Promise.all(Array.from({ length: 20 }, get)), {
        what: "new connections",
        timeoutMs: 10_000,
        signal: new AbortController().signal,
      });
    }
    assert.equal((await one.sessions.append("c", [said("c", "y")]))[0]?.seq, 1);
  });

  it("fails the tasks of a silent owner once, whichever process looks", async () => {
    const lost = { code: "WORKER_LOST", message: "gone" } as const;
    await other.query("update tasks set updated_at = '2020-01-01T00:00:00.000Z'");
    const failed = await Promise.all(
      [one, two, one, two].map((it) => it.sessions.failLostTasks(lost, 20_000)),
    );
    const found = failed.flat().map(({ id }) => id);
    assert.deepEqual(found.sort(), ["t", "u"]);
  });

  it("creates a task in a session that is being deleted, or says that it is gone", async () => {
    await other.query("begin");
    await other.query("delete from sessions where id = 'c'");
    const made = one.sessions.createTask({ id: "late", contextId: "c", agent: AGENT, user: "ann" });
    await waiting(1);
    const refused = assert.rejects(made, { name: "UnknownIdError", kind: "session", id: "c" });
    await other.query("commit");
    await refused;
  });

  it("takes names that are SQL for names", async () => {
    const user = `ann'; drop table sessions; -- "$1`;
    await begin(one, { contextId: `c'); --`, taskId: `t"; --`, user });
    const [session] = await one.sessions.listSessions({ user, limit: 9 });
    assert.equal(session?.user, user);
    assert.equal(await one.sessions.deleteSession(`c'); --`, user), true);
  });
});
