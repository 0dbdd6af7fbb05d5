import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { TurnUpdate } from "../../../runtime/api/events.ts";
import { Subscribers } from "../../../runtime/worker/subscribers.ts";

const partial = (text: string): TurnUpdate => ({ kind: "partial", text, thought: false });
const message = (text: string): TurnUpdate => ({
  kind: "event",
  event: {
    seq: 1,
    id: "1",
    time: "",
    contextId: "c",
    taskId: "t",
    author: "kagent/a",
    body: { type: "message", role: "agent", parts: [{ text }] },
  },
});

async function read(updates: AsyncIterable<TurnUpdate>): Promise<string[]> {
  const seen: string[] = [];
  for await (const update of updates)
    seen.push(update.kind === "partial" ? update.text : update.kind);
  return seen;
}

describe("runtime/worker/Subscribers", () => {
  it("gives every reader everything that comes after it subscribed", async () => {
    const subscribers = new Subscribers();
    const first = read(subscribers.subscribe());
    subscribers.publish(message("one"));
    await new Promise(setImmediate);
    const second = read(subscribers.subscribe());
    subscribers.publish(partial("b"));
    subscribers.close();
    assert.deepEqual(await first, ["event", "b"]);
    assert.deepEqual(await second, ["b"]);
  });
  it("joins partial text for a reader that is slow", async () => {
    const subscribers = new Subscribers();
    const updates = subscribers.subscribe();
    for (let i = 0; i < 1_000; i++) subscribers.publish(partial("x"));
    subscribers.close();
    assert.deepEqual(await read(updates), ["x".repeat(1_000)]);
  });
  it("ends at once for a reader that comes too late", async () => {
    const subscribers = new Subscribers();
    subscribers.close();
    assert.deepEqual(await read(subscribers.subscribe()), []);
  });
});
