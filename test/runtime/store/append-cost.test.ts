import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { describe, it } from "mocha";
import type { NewEvent } from "../../../runtime/api/events.ts";
import { agentMemoryStore } from "../../../runtime/store/agent-memories.ts";
import { EMBEDDING_DIMENSIONS } from "../../../runtime/store/agent-memory-store.ts";
import { approvalStore } from "../../../runtime/store/approvals.ts";
import { pruneSessions } from "../../../runtime/store/delete-sessions.ts";
import { feedbackStore } from "../../../runtime/store/feedback.ts";
import { migrate } from "../../../runtime/store/migrate.ts";
import { reportStore } from "../../../runtime/store/reports.ts";
import { sessionStore } from "../../../runtime/store/sessions.ts";
import { shareStore } from "../../../runtime/store/shares.ts";
import { sqliteDialect } from "../../../runtime/store/sqlite-dialect.ts";
import type { StoreTables } from "../../../runtime/store/tables.ts";

const AGENT = { namespace: "kagent", name: "a" };

let ids = 0;
function events(count: number, text: string): readonly NewEvent[] {
  return Array.from({ length: count }, () => ({
    id: `e${++ids}`,
    time: "2026-01-01T00:00:00.000Z",
    contextId: "c",
    taskId: "t",
    author: "kagent/a",
    body: { type: "message" as const, role: "agent" as const, parts: [{ text }] },
  }));
}

/** A store with a session `c` and a task `t` in it, and the SQL it runs. */
async function observed() {
  const sql: string[] = [];
  const db = new Kysely<StoreTables>({
    dialect: sqliteDialect({ path: ":memory:" }),
    log: (event) => void sql.push(event.query.sql),
  });
  await migrate(db);
  const store = sessionStore(db, { clock: { now: () => 0 }, newId: () => "made" });
  await store.ensureSession({
    id: "c",
    agent: AGENT,
    user: "ann",
    name: "n",
    source: "user",
    rootContextId: "c",
  });
  await store.createTask({ id: "t", contextId: "c", agent: AGENT, user: "ann" });
  sql.length = 0;
  return { store, sql, db };
}

/** Calls whatever else asks the database for something of somebody. */
async function others(db: Kysely<StoreTables>): Promise<void> {
  const deps = { clock: { now: () => 0 }, newId: () => "made" };
  const ann = { user: "ann", limit: 1 };
  const approvals = approvalStore(db);
  await approvals.list(ann);
  await approvals.list({ taskId: "t", limit: 1 });
  await approvals.list({ state: "pending", expiredAt: "2026-01-01T00:00:00Z", limit: 1 });
  const memories = agentMemoryStore(db, deps);
  const vector = Array.from({ length: EMBEDDING_DIMENSIONS }, () => 1);
  const scope = { agent: AGENT, user: "ann" };
  await memories.add([{ ...scope, content: "x", vector, ttlDays: 1 }]);
  await memories.search({ ...scope, vector, limit: 1 });
  await memories.list({ ...scope, limit: 1 });
  await memories.deleteAll(scope);
  await memories.prune();
  const reports = reportStore(db, deps);
  await reports.save({ id: "r", kind: "k", title: "t", markdown: "m" });
  await reports.get("r");
  await reports.list({ incident: "i", limit: 1 });
  const feedback = feedbackStore(db, deps);
  await feedback.add({ user: "ann", positive: true, text: "" });
  await feedback.list(ann);
  const shares = shareStore(db, deps);
  const share = await shares.create({ contextId: "c", user: "ann", readOnly: true });
  await shares.list("c", "ann");
  await shares.find(share.token);
  await shares.delete(share);
}

/** Steps in which SQLite would run `statement`, as it words them. */
function planOf(database: DatabaseSync, statement: string): readonly string[] {
  return database
    .prepare(`explain query plan ${statement}`)
    .all()
    .map(({ detail }) => String(detail));
}

async function medianMs(times: number, work: () => Promise<unknown>): Promise<number> {
  const measured: number[] = [];
  for (let round = 0; round < times; round++) {
    const start = performance.now();
    await work();
    measured.push(performance.now() - start);
  }
  return measured.sort((a, b) => a - b)[Math.floor(times / 2)]!;
}

describe("runtime/store/append-events", () => {
  it("costs the same after 100,000 events as at the start", async () => {
    const { store, sql } = await observed();
    const append = () => store.append("c", events(10, "text"));
    await append();
    const statementsBefore = sql.splice(0);
    await medianMs(50, append); // warm
    const before = await medianMs(50, append);

    for (let batch = 0; batch < 100; batch++) await store.append("c", events(1000, "text"));
    sql.length = 0;
    const [first] = await store.append("c", events(10, "text"));
    assert.ok(first!.seq > 100_000);
    assert.deepEqual(sql, statementsBefore);
    const after = await medianMs(50, append);
    // Growth with the session would be 100-fold and more; the rest is the noise of a busy machine.
    assert.ok(after < 10 * before, `median ${before} ms before, ${after} ms after`);
    await store.close();
  }).timeout(60_000);

  it("runs two statements in a transaction, and two more for each task that moves, one for one that ends", async () => {
    const { store, sql } = await observed();
    await store.append("c", events(50, "text"));
    // begin and commit are not among them
    assert.equal(sql.length, 2);
    sql.length = 0;
    await store.append("c", [
      ...events(50, "text"),
      { ...events(1, "")[0]!, body: { type: "status", state: "working" } },
      { ...events(1, "")[0]!, body: { type: "status", state: "completed" } },
    ]);
    assert.equal(sql.length, 5);
    await store.close();
  });

  it("reads no whole table in any call, and of a session only the events of the task asked for", async () => {
    const { store, sql, db } = await observed();
    await store.append("c", [{ ...events(1, "")[0]!, body: { type: "status", state: "working" } }]);
    await store.getSession("c", "ann");
    await store.getTask("t", "ann");
    await store.events("c", "ann");
    await store.events("c", "ann", { taskId: "t", afterSeq: 1, limit: 1 });
    await store.listSessions({ user: "ann", limit: 1 });
    await store.listSessions({ user: "ann", agent: AGENT, limit: 1 });
    const query = { agent: AGENT, user: "ann", pageSize: 1 };
    await store.listTasks(query);
    await store.listTasks({ ...query, contextId: "c", state: "working" });
    await store.heartbeat({ id: "w", url: "http://127.0.0.1:1" });
    await store.claimTask("t", "w");
    await store.ownerOf("t", "ann");
    await store.failLostTasks({ code: "WORKER_LOST", message: "m" }, 1);
    await store.failOpenTasks({ code: "WORKER_LOST", message: "m" });
    await store.updateSession("c", "ann", { name: "n" });
    await others(db);
    await store.deleteSession("c", "ann");
    await pruneSessions(db, 1, Date.now());
    await store.close();
    assert.ok(sql.length > 40);

    // The same tables in a database of the test's own, to ask for plans.
    const schema: string[] = [];
    const empty = new Kysely<StoreTables>({
      dialect: sqliteDialect({ path: ":memory:" }),
      log: (event) => void schema.push(event.query.sql),
    });
    await migrate(empty);
    await empty.destroy();
    const database = new DatabaseSync(":memory:");
    for (const statement of schema.filter((text) => /^(create|alter) /.test(text))) {
      database.exec(statement);
    }
    for (const statement of sql) {
      const plan = planOf(database, statement);
      assert.ok(!plan.some((step) => step.startsWith("SCAN")), `${statement}: ${plan.join()}`);
    }
    const ofTask = sql.find((text) => text.includes('from "events"') && text.includes('"task_id"'));
    assert.match(planOf(database, ofTask!).join(), /events_of_task .*context_id=\? AND task_id=\?/);
    database.close();
  });
});
