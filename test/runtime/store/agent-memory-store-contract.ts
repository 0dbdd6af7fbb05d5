import assert from "node:assert/strict";
import { describe } from "mocha";
import {
  EMBEDDING_DIMENSIONS,
  type NewAgentMemory,
} from "../../../runtime/store/agent-memory-store.ts";
import type { Store } from "../../../runtime/store/open-store.ts";
import { AGENT, type OpenEmpty, onStore } from "./store-contract.ts";

const OTHER_AGENT = { namespace: "kagent", name: "git-agent" };
const DAY_MS = 86_400_000;

/** A vector with some numbers at its beginning, 0 for the rest. */
function vector(...first: readonly number[]): readonly number[] {
  return Array.from({ length: EMBEDDING_DIMENSIONS }, (_, index) => first[index] ?? 0);
}

function memory(content: string, changes: Partial<NewAgentMemory> = {}): NewAgentMemory {
  return { agent: AGENT, user: "ann", content, vector: vector(1), ttlDays: 15, ...changes };
}

/** What every AgentMemoryStore keeps. */
export function agentMemoryStoreContract(name: string, open: OpenEmpty): void {
  const on = onStore(open);
  const found = async (store: Store, query: Partial<Parameters<Find>[0]> = {}) => {
    const of = { agent: AGENT, user: "ann", vector: vector(1), limit: 10, ...query };
    return (await store.agentMemories.search(of)).map(({ content }) => content);
  };
  type Find = Store["agentMemories"]["search"];

  describe(`${name} as AgentMemoryStore`, () => {
    on("gives back what was added, newest first", async (store, clock) => {
      const [tea] = await store.agentMemories.add([
        memory("likes tea", { metadata: { from: ["session\0", 1] } }),
      ]);
      assert.deepEqual(tea, {
        id: "made-00001",
        content: "likes tea",
        metadata: { from: ["session\0", 1] },
        createdAt: "2026-01-01T00:00:00.000Z",
        expiresAt: "2026-01-16T00:00:00.000Z",
        accessCount: 0,
      });
      await clock.advance(1);
      await store.agentMemories.add([memory("a\0b '; drop table agent_memories; --")]);
      const listed = await store.agentMemories.list({ agent: AGENT, user: "ann", limit: 10 });
      assert.deepEqual(
        listed.map(({ content }) => content),
        ["a\ufffdb '; drop table agent_memories; --", "likes tea"],
      );
      assert.deepEqual(listed[1], tea);
      const [newest] = await store.agentMemories.list({ agent: AGENT, user: "ann", limit: 1 });
      assert.equal(newest?.id, listed[0]?.id);
    });

    on("finds the nearest first, by direction and not by length", async (store) => {
      await store.agentMemories.add([
        memory("across", { vector: vector(0, 5) }),
        memory("against", { vector: vector(-3) }),
        memory("near", { vector: vector(300, 400) }),
        memory("there", { vector: vector(0.001) }),
      ]);
      const query = { agent: AGENT, user: "ann", vector: vector(2), limit: 10 };
      const hits = await store.agentMemories.search(query);
      assert.deepEqual(
        hits.map(({ content }) => content),
        ["there", "near", "across", "against"],
      );
      for (const [index, score] of [1, 0.6, 0, -1].entries()) {
        assert.ok(Math.abs((hits[index]?.score ?? 9) - score) < 1e-6, `${hits[index]?.score}`);
      }
      assert.deepEqual(await found(store, { limit: 2 }), ["there", "near"]);
      assert.deepEqual(await found(store, { minScore: 0.6 }), ["there", "near"]);
      assert.deepEqual(await found(store, { minScore: 0.61 }), ["there"]);
      assert.deepEqual(await found(store, { minScore: 1 }), ["there"]);
    });

    on("shows nothing to another user or another agent", async (store) => {
      await store.agentMemories.add([
        memory("of ann"),
        memory("of bob", { user: "bob" }),
        memory("of git", { agent: OTHER_AGENT }),
      ]);
      assert.deepEqual(await found(store), ["of ann"]);
      assert.deepEqual(await found(store, { user: "bob" }), ["of bob"]);
      assert.deepEqual(await found(store, { agent: OTHER_AGENT }), ["of git"]);
      assert.deepEqual(await found(store, { agent: OTHER_AGENT, user: "bob" }), []);
      const ofBob = { agent: AGENT, user: "bob" };
      assert.equal(await store.agentMemories.deleteAll(ofBob), 1);
      assert.equal(await store.agentMemories.deleteAll(ofBob), 0);
      assert.deepEqual(await store.agentMemories.list({ ...ofBob, limit: 9 }), []);
      assert.deepEqual(await found(store), ["of ann"]);
    });

    on("counts what a search found, and lets the tenth prolong a life", async (store, clock) => {
      await store.agentMemories.add([
        memory("wanted", { ttlDays: 1 }),
        memory("unwanted", { ttlDays: 1, vector: vector(0, 1) }),
      ]);
      const search = () => found(store, { limit: 1 });
      await Promise.all(Array.from({ length: 9 }, search));
      const wanted = async () =>
        (await store.agentMemories.list({ agent: AGENT, user: "ann", limit: 9 })).find(
          ({ content }) => content === "wanted",
        );
      assert.equal((await wanted())?.accessCount, 9);
      assert.equal((await wanted())?.expiresAt, "2026-01-02T00:00:00.000Z");
      const query = { agent: AGENT, user: "ann", vector: vector(1), limit: 1 };
      const [tenth] = await store.agentMemories.search(query);
      assert.equal(tenth?.accessCount, 10);
      assert.equal(tenth.expiresAt, "2026-01-17T00:00:00.000Z");
      await search();
      assert.deepEqual((await wanted())?.expiresAt, tenth.expiresAt);
      await clock.advance(DAY_MS);
      assert.deepEqual(await found(store), ["wanted"]);
    });

    on("has nothing any more of what has expired, and prunes just that", async (store, clock) => {
      await store.agentMemories.add([memory("short", { ttlDays: 1 }), memory("long")]);
      await store.agentMemories.add(
        Array.from({ length: 620 }, () => memory("many", { ttlDays: 0.5, user: "bob" })),
      );
      await clock.advance(DAY_MS - 1);
      assert.equal((await found(store)).length, 2);
      assert.equal(await store.agentMemories.prune(), 620);
      await clock.advance(1);
      assert.deepEqual(await found(store), ["long"]);
      assert.equal(await store.agentMemories.prune(), 1);
      assert.equal(await store.agentMemories.prune(), 0);
      assert.deepEqual(await found(store), ["long"]);
    });

    const bad: Readonly<Record<string, Partial<NewAgentMemory>>> = {
      "a short vector": { vector: [1, 2, 3] },
      "a vector without a direction": { vector: vector(0) },
      "a vector with no number": { vector: vector(1, Number.NaN) },
      "an endless vector": { vector: vector(Number.POSITIVE_INFINITY) },
      "a blank content": { content: " \n" },
      "an endless content": { content: "x".repeat(32_769) },
      "no life": { ttlDays: 0 },
      "a life that has no number": { ttlDays: Number.NaN },
      "an endless life": { ttlDays: 1e9 },
      "endless metadata": { metadata: { x: "x".repeat(20_000) } },
      "no user": { user: "" },
    };
    for (const [what, changes] of Object.entries(bad)) {
      on(`refuses ${what}, and what comes with it`, async (store) => {
        await assert.rejects(
          store.agentMemories.add([memory("fine"), memory("bad", changes)]),
          RangeError,
        );
        assert.deepEqual(await found(store), []);
      });
    }

    on("refuses a search that is none", async (store) => {
      await assert.rejects(found(store, { vector: [1] }), RangeError);
      await assert.rejects(found(store, { vector: vector(0) }), RangeError);
      for (const limit of [0, 1001, 0.5]) {
        await assert.rejects(found(store, { limit }), RangeError);
        const list = { agent: AGENT, user: "ann", limit };
        await assert.rejects(store.agentMemories.list(list), RangeError);
      }
    });
  });
}
