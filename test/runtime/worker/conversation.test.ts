import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { Event, EventBody } from "../../../runtime/api/events.ts";
import { shortened } from "../../../runtime/worker/context/readable.ts";
import { conversation } from "../../../runtime/worker/conversation.ts";

const log = (...bodies: EventBody[]): Event[] =>
  bodies.map((body, index) => ({
    seq: index + 1,
    id: String(index),
    time: "2026-01-01T00:00:00Z",
    contextId: "c",
    taskId: "t",
    author: "kagent/a",
    body,
  }));
const says = (role: "user" | "agent", text: string): EventBody => ({
  type: "message",
  role,
  parts: [{ text }],
});
const call = (callId: string): EventBody => ({
  type: "tool-call",
  callId,
  name: "k8s_get_resources",
  args: {},
  target: { kind: "mcp", ref: "kagent/k8s" },
});
const result = (callId: string, text: string, ok = true): EventBody => ({
  type: "tool-result",
  callId,
  name: "k8s_get_resources",
  ok,
  parts: [{ text }],
  ms: 1,
});
const asked: EventBody = { type: "approval-requested", pending: [] };
const decided: EventBody = { type: "approval-decided", decisions: [], approver: "ana" };

/** One word a message: `u:` user, `a:` assistant with its calls, `t:` tool with its text. */
const outline = (events: readonly Event[]): string[] =>
  conversation(events, 1_000).map((m) =>
    m.role === "assistant"
      ? `a:${m.text}[${m.toolCalls.map(({ id }) => id).join()}]`
      : m.role === "tool"
        ? `t:${m.callId}:${m.text}`
        : `u:${m.text}`,
  );

describe("runtime/worker/conversation", () => {
  it("puts results in the order of their calls, whatever order they came in", () => {
    const events = log(
      says("user", "q"),
      call("1"),
      call("2"),
      result("2", "two"),
      result("1", "one"),
      says("agent", "done"),
    );
    assert.deepEqual(outline(events), ["u:q", "a:[1,2]", "t:1:one", "t:2:two", "a:done[]"]);
  });
  it("joins what the model said with the calls it made in the same step", () => {
    const events = log(
      says("user", "q"),
      says("agent", "let me look"),
      call("1"),
      result("1", "r"),
      call("2"),
      result("2", "s"),
    );
    assert.deepEqual(outline(events), ["u:q", "a:let me look[1]", "t:1:r", "a:[2]", "t:2:s"]);
  });
  it("gives a call without a result one that says so", () => {
    const messages = outline(log(says("user", "q"), call("1"), says("user", "again")));
    assert.match(messages[2] ?? "", /^t:1:No result/);
    assert.equal(messages[3], "u:again");
  });
  it("pairs an approved call with the result that came after the decision, and hides the decision", () => {
    const events = log(
      says("user", "q"),
      call("1"),
      asked,
      says("user", "yes"),
      decided,
      result("1", "made"),
    );
    assert.deepEqual(outline(events), ["u:q", "a:[1]", "t:1:made"]);
  });
  it("hides what people send in the task that waits for them, not what they send in another", () => {
    const events = log(
      says("user", "q"),
      call("1"),
      asked,
      says("user", "yes"),
      says("user", "new"),
    );
    const other = events.map((event) => (event.seq === 5 ? { ...event, taskId: "other" } : event));
    assert.deepEqual(outline(other).at(-1), "u:new");
    assert.ok(!outline(other).includes("u:yes"));
  });
  it("shows nothing of what compactions cover, whatever their ranges", () => {
    const events = log(
      says("user", "one"),
      says("agent", "two"),
      says("user", "three"),
      says("agent", "four"),
      says("user", "five"),
      { type: "compaction", fromSeq: 1, toSeq: 2, summary: "" },
      { type: "compaction", fromSeq: 2, toSeq: 3, summary: "s" },
      says("agent", "six"),
    );
    assert.deepEqual(outline(events), ["a:four[]", "u:five", "a:six[]"]);
    assert.equal(events.length, 8);
  });
  it("names files instead of showing them", () => {
    const raw = Buffer.from("secret").toString("base64");
    const parts = [{ text: "look" }, { raw, filename: "a.bin" }, { url: "http://x/y.pdf" }];
    const [shown = ""] = outline(log({ type: "message", role: "user", parts }));
    assert.match(shown, /^u:look\n\[file a\.bin, 6 bytes; .*\]\n\[file http:\/\/x\/y\.pdf; /);
    assert.ok(!shown.includes(raw));
  });
  it("tells the model of a failed call", () => {
    assert.deepEqual(outline(log(call("1"), result("1", "no such pod", false))), [
      "a:[1]",
      "t:1:Error: no such pod",
    ]);
  });
  it("never splits a call from its result", () => {
    const body = fc.oneof(
      fc.constantFrom("user", "agent").map((role) => says(role, "x")),
      fc.constantFrom("1", "2", "3").map(call),
      fc.constantFrom("1", "2", "3").map((id) => result(id, "r")),
      fc.constantFrom(asked, decided),
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(body, { selector: (b) => ("callId" in b ? `${b.type}${b.callId}` : {}) }),
        (bodies) => {
          let expected: string[] = [];
          for (const message of conversation(log(...bodies), 100)) {
            if (message.role === "tool") assert.equal(message.callId, expected.shift());
            else assert.deepEqual(expected, []);
            if (message.role === "assistant") expected = message.toolCalls.map(({ id }) => id);
          }
          assert.deepEqual(expected, []);
        },
      ),
    );
  });
});

describe("runtime/worker/shortened", () => {
  it("leaves a short text alone", () => {
    assert.equal(shortened("abc", 3), "abc");
  });
  it("keeps head and tail, says how much is missing, and breaks no character", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 50 }),
        fc.integer({ min: 20, max: 60 }),
        (text, max) => {
          const short = shortened(text, max);
          assert.ok(!short.includes("�"));
          if (Buffer.byteLength(text) > max) {
            assert.match(short, /bytes left out/);
            assert.ok(Buffer.byteLength(short) <= max + 40);
          }
        },
      ),
    );
  });
});
