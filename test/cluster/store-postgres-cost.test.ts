import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "mocha";
import type { NewEvent } from "../../runtime/api/events.ts";
import { agentMemoryStore } from "../../runtime/store/agent-memories.ts";
import { EMBEDDING_DIMENSIONS } from "../../runtime/store/agent-memory-store.ts";
import { openDatabase } from "../../runtime/store/open-database.ts";
import { AGENT, begin, event } from "../runtime/store/store-contract.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { PostgresStores } from "./postgres-store.ts";
import { usePostgres } from "./postgres-use.ts";

describe("runtime/store on Postgres: what it costs", () => {
  const stores = new PostgresStores(usePostgres(), "cost");

  function batch(count: number): readonly NewEvent[] {
    return Array.from({ length: count }, () =>
      event("c", "t", { type: "message", role: "agent", parts: [{ text: "text" }] }),
    );
  }

  it("appends as fast after 100,000 events as at the start, and writes as much", async () => {
    const store = await stores.open();
    try {
      await begin(store, { contextId: "c", taskId: "t" });
      const append = () => store.sessions.append("c", batch(10));
      await measured(append); // warm
      const before = await measured(append);
      for (let round = 0; round < 100; round++) await store.sessions.append("c", batch(1000));
      const [first] = await store.sessions.append("c", batch(10));
      assert.ok((first?.seq ?? 0) > 100_000);
      const after = await measured(append);
      // Growth with the session would be a thousandfold; the rest is the noise of a busy machine.
      assert.ok(after.ms < 10 * before.ms, `median ${before.ms} ms before, ${after.ms} ms after`);
      assert.ok(after.wal < 3 * before.wal, `${before.wal} bytes before, ${after.wal} after`);
    } finally {
      await store.close();
    }
  });

  /** Median time, and bytes of log, of 50 times `work`. */
  async function measured(work: () => Promise<unknown>) {
    const [start] = await stores.query("select pg_current_wal_insert_lsn()::text as lsn");
    const times: number[] = [];
    for (let round = 0; round < 50; round++) {
      const began = performance.now();
      await work();
      times.push(performance.now() - began);
    }
    const [end] = await stores.query(
      `select (pg_current_wal_insert_lsn() - '${String(start?.["lsn"])}'::pg_lsn)::float8 as bytes`,
    );
    const ms = times.sort((a, b) => a - b)[25] ?? Number.NaN;
    return { ms, wal: Number(end?.["bytes"]) };
  }

  it("finds the nearest of a user with many memories, though those of others are nearer", async () => {
    await (await stores.open()).close();
    // Few rows would be sorted: what the planner does with many is to be seen here.
    await stores.query("alter database cost set enable_sort = off");
    const db = await openDatabase({ url: stores.url });
    const clock = new FakeClock();
    const memories = agentMemoryStore(db, { clock, newId: randomUUID, comparedUpTo: 20 });
    const own = Array.from({ length: 60 }, (_, index) => index);
    const others = Array.from({ length: 450 }, (_, index) => FOREIGN + index);
    const near = async (vector: readonly number[]) => {
      const found = await memories.search({ agent: AGENT, user: "ann", vector, limit: 5 });
      return found.map(({ content }) => Number(content));
    };
    const nearest = (vector: readonly number[]) =>
      own
        .map((index) => ({ index, score: cosine(vector, scattered(index)) }))
        .sort((a, b) => b.score - a.score)
        .slice(0, 5)
        .map(({ index }) => index);
    try {
      await memories.add(
        [...own, ...others].map((index) => ({
          agent: AGENT,
          user: index < FOREIGN ? "ann" : "bob",
          content: String(index),
          vector: scattered(index),
          ttlDays: 1,
        })),
      );
      assert.deepEqual(await near(scattered(17)), nearest(scattered(17)));
      // 450 of somebody else are nearer than any of one's own, and fill the 400 that the index gives.
      const between = scattered(FOREIGN + 500);
      assert.deepEqual(await near(between), nearest(between));
    } finally {
      await db.destroy();
    }
    const [row] = await stores.query(
      "select idx_scan::int as n from pg_stat_user_indexes where indexrelname = 'agent_memories_by_meaning'",
    );
    assert.equal(row?.["n"], 2);
  });
});

/** First of the seeds whose vectors are all near one another. */
const FOREIGN = 3000;

/** The same vector for the same seed; seeds from {@link FOREIGN} on are all near one another. */
function scattered(seed: number): readonly number[] {
  let state = seed + 1;
  return Array.from({ length: EMBEDDING_DIMENSIONS }, (_, index) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const noise = state / 2 ** 32 - 0.5;
    return seed >= FOREIGN ? (index === 0 ? 10 : 0) + noise * 0.1 : noise;
  });
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}
