import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { MemoryStore } from "../../../../runtime/store/session-store.ts";
import {
  codeTools,
  type KeptMemory,
  type Memories,
} from "../../../../runtime/toolservers/code/code-tools.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { callTool, failureOf, textOf } from "../call-tool.ts";

/** Memories in a list, with the calls that reached it. */
class ListedMemories implements Memories {
  readonly calls: unknown[] = [];
  readonly #kept: (KeptMemory & { readonly user: string })[] = [];

  addMemory(memory: { readonly user: string; readonly content: string }): Promise<KeptMemory> {
    this.calls.push(memory);
    const kept = { ...memory, id: `m${this.#kept.length + 1}`, createdAt: "2026-01-01T00:00:00Z" };
    this.#kept.unshift(kept);
    return Promise.resolve(kept);
  }

  searchMemories(query: { readonly user: string; readonly text: string; readonly limit: number }) {
    this.calls.push(query);
    const own = this.#kept.filter(
      ({ user, content }) => user === query.user && content.includes(query.text),
    );
    return Promise.resolve(own.slice(0, query.limit));
  }

  listMemories(query: { readonly user: string; readonly limit: number }) {
    this.calls.push(query);
    return Promise.resolve(
      this.#kept.filter(({ user }) => user === query.user).slice(0, query.limit),
    );
  }
}

function setUp() {
  const memories = new ListedMemories();
  return {
    memories,
    tools: codeTools({ clock: new FakeClock(Date.UTC(2026, 6, 1, 12, 30)), memories }),
  };
}

describe("runtime/toolservers/code/code-tools", () => {
  it("is served by the platform's own store of memories", () => {
    const fits: (store: MemoryStore) => Memories = (store) => store;
    assert.ok(fits);
  });

  for (const [timezone, expected] of [
    [undefined, "2026-07-01T12:30:00+00:00 (Wednesday, UTC)"],
    ["", "2026-07-01T12:30:00+00:00 (Wednesday, UTC)"],
    ["Europe/Berlin", "2026-07-01T14:30:00+02:00 (Wednesday, Europe/Berlin)"],
    ["America/St_Johns", "2026-07-01T10:00:00-02:30 (Wednesday, America/St_Johns)"],
    ["Pacific/Kiritimati", "2026-07-02T02:30:00+14:00 (Thursday, Pacific/Kiritimati)"],
  ] as const)
    it(`tells the time in ${timezone ?? "no zone"}`, async () => {
      const text = await textOf(setUp().tools, "get_current_time", { timezone });
      assert.equal(text, `${expected}\nUTC: 2026-07-01T12:30:00.000Z`);
    });

  it("says that a time zone does not exist", async () => {
    const text = await failureOf(setUp().tools, "get_current_time", { timezone: "Mars/Olympus" });
    assert.equal(text, 'unknown time zone "Mars/Olympus"; use an IANA name such as Europe/Berlin');
  });

  it("keeps, finds and lists facts of the user who asks, and of nobody else", async () => {
    const { tools } = setUp();
    await callTool(
      tools,
      "add_memory",
      { content: "checkout is owned by team blue" },
      { user: "ada" },
    );
    await callTool(
      tools,
      "add_memory",
      { content: "checkout is owned by nobody" },
      { user: "bob" },
    );
    const ada = await callTool(tools, "search_memories", { query: "checkout" }, { user: "ada" });
    assert.equal(ada.text, "- checkout is owned by team blue (2026-01-01T00:00:00Z)");
    const listed = await callTool(tools, "list_memories", {}, { user: "eve" });
    assert.deepEqual(listed, { text: "nothing is remembered about that" });
  });

  it("takes the limit that is asked for", async () => {
    const { memories, tools } = setUp();
    await textOf(tools, "search_memories", { query: "a", limit: "3" });
    await textOf(tools, "list_memories");
    assert.deepEqual(memories.calls, [
      { user: "ada", text: "a", limit: 3 },
      { user: "ada", limit: 20 },
    ]);
  });

  for (const [name, args] of [
    ["add_memory", { content: "  " }],
    ["add_memory", { content: "x".repeat(4001) }],
    ["add_memory", {}],
    ["search_memories", { query: "a", limit: 51 }],
    ["list_memories", { limit: 0 }],
  ] as const)
    it(`keeps ${JSON.stringify(args).slice(0, 30)} away from the store`, async () => {
      const { memories, tools } = setUp();
      assert.match(await failureOf(tools, name, args), /^invalid arguments: /);
      assert.deepEqual(memories.calls, []);
    });
});
