import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { MemoryDeps } from "../../../runtime/store/memories.ts";
import type { MemoryStore } from "../../../runtime/store/session-store.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** An empty store and how to close it. */
export type OpenMemories = (
  deps: MemoryDeps,
) => Promise<{ readonly memories: MemoryStore; readonly close: () => Promise<void> }>;

/** What every MemoryStore keeps. */
export function memoryStoreContract(name: string, open: OpenMemories): void {
  function on(claim: string, test: (memories: MemoryStore) => Promise<void>): void {
    it(claim, async () => {
      let made = 0;
      const { memories, close } = await open({
        clock: new FakeClock(),
        newId: () => `m${++made}`,
        maxPerUser: 5,
      });
      try {
        await test(memories);
      } finally {
        await close();
      }
    });
  }

  async function keep(memories: MemoryStore, ...contents: readonly string[]): Promise<void> {
    for (const content of contents) await memories.addMemory({ user: "ann", content });
  }

  async function found(memories: MemoryStore, text: string, limit = 10) {
    const hits = await memories.searchMemories({ user: "ann", text, limit });
    return hits.map(({ content }) => content);
  }

  describe(`${name} as MemoryStore`, () => {
    on("gives back what was added, newest first", async (memories) => {
      const tea = await memories.addMemory({ user: "ann", content: "likes tea" });
      assert.deepEqual(tea, {
        id: "m1",
        content: "likes tea",
        createdAt: "2026-01-01T00:00:00.000Z",
      });
      await keep(memories, "likes jam", "likes salt");
      const listed = await memories.listMemories({ user: "ann", limit: 10 });
      assert.deepEqual(
        listed.map(({ content }) => content),
        ["likes salt", "likes jam", "likes tea"],
      );
      assert.deepEqual(listed.at(-1), tea);
      assert.equal((await memories.listMemories({ user: "ann", limit: 2 })).length, 2);
    });

    on("finds by words in common, most of them first", async (memories) => {
      await keep(
        memories,
        "checkout runs in namespace shop",
        "payments runs in namespace billing",
        "ann prefers short answers",
      );
      assert.deepEqual(await found(memories, "In which NAMESPACE does checkout run?"), [
        "checkout runs in namespace shop",
        "payments runs in namespace billing",
      ]);
      assert.deepEqual(await found(memories, "in which namespace does payments run", 1), [
        "payments runs in namespace billing",
      ]);
      assert.deepEqual(await found(memories, "weather"), []);
      assert.deepEqual(await found(memories, "?!"), []);
      assert.deepEqual(await found(memories, "checkout", 0), []);
    });

    on("weighs a rare word more than common ones", async (memories) => {
      await keep(
        memories,
        "the name of the node is short",
        "the port of the app",
        "zebra",
        "the name of the day",
        "the one of the two",
      );
      assert.equal((await found(memories, "the zebra of"))[0], "zebra");
    });

    on("puts the newer one of equals first", async (memories) => {
      await keep(memories, "pod one", "pod two", "pod three");
      assert.deepEqual(await found(memories, "pod"), ["pod three", "pod two", "pod one"]);
    });

    on("shows nothing to another user", async (memories) => {
      await keep(memories, "the secret of ann");
      await memories.addMemory({ user: "bob", content: "the secret of bob" });
      assert.deepEqual(await found(memories, "secret"), ["the secret of ann"]);
      const listed = await memories.listMemories({ user: "bob", limit: 10 });
      assert.deepEqual(
        listed.map(({ content }) => content),
        ["the secret of bob"],
      );
    });

    on("forgets the oldest of a user with too many, and no others", async (memories) => {
      await memories.addMemory({ user: "bob", content: "bob was first" });
      await keep(memories, "fact 1", "fact 2", "fact 3", "fact 4", "fact 5", "fact 6", "fact 7");
      assert.deepEqual(await found(memories, "fact 1"), [
        "fact 7",
        "fact 6",
        "fact 5",
        "fact 4",
        "fact 3",
      ]);
      assert.equal((await memories.listMemories({ user: "bob", limit: 10 })).length, 1);
    });

    on("refuses blank and endless contents", async (memories) => {
      for (const content of ["", " \n", "x".repeat(10_001)]) {
        await assert.rejects(memories.addMemory({ user: "ann", content }), RangeError);
      }
      await assert.rejects(memories.listMemories({ user: "ann", limit: -1 }), RangeError);
      await assert.rejects(
        memories.searchMemories({ user: "ann", text: "x", limit: 0.5 }),
        RangeError,
      );
      assert.deepEqual(await memories.listMemories({ user: "ann", limit: 10 }), []);
    });

    on("takes the longest memory, and any text", async (memories) => {
      const long = Array.from({ length: 2500 }, (_, index) => `w${index + 100}`)
        .join(" ")
        .slice(0, 10_000);
      const odd = `'; drop table memories; -- \u2028 日本`;
      await keep(memories, long, odd, "a\0b\ud800");
      assert.deepEqual(await found(memories, "w777"), [long]);
      assert.deepEqual(await found(memories, "drop"), [odd]);
      assert.deepEqual(await found(memories, "b"), ["a\ufffdb\ufffd"]);
    });

    on("takes questions of any length", async (memories) => {
      await keep(memories, "checkout runs in namespace shop");
      const question = `checkout ${"and so on ".repeat(100_000)}`;
      assert.equal((await found(memories, question)).length, 1);
    });

    on("keeps all of what is added at the same time", async (memories) => {
      await Promise.all(
        ["a", "b", "c", "d", "e"].map((content) => memories.addMemory({ user: "ann", content })),
      );
      const listed = await memories.listMemories({ user: "ann", limit: 10 });
      assert.deepEqual(listed.map(({ content }) => content).sort(), ["a", "b", "c", "d", "e"]);
    });
  });
}
