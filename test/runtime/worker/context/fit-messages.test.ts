import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { ChatMessage } from "../../../../runtime/model/chat-model.ts";
import { fitMessages } from "../../../../runtime/worker/context/fit-messages.ts";
import {
  messagesTokens,
  messageTokens,
} from "../../../../runtime/worker/context/token-estimate.ts";

const system: ChatMessage = { role: "system", text: "You help." };
const question: ChatMessage = { role: "user", text: "why?" };
const note: ChatMessage = { role: "user", text: "[note] ".repeat(60) };

function step(
  id: string,
  results: readonly string[],
  args: Record<string, unknown> = {},
): ChatMessage[] {
  return [
    {
      role: "assistant",
      text: "",
      toolCalls: results.map((_, index) => ({ id: `${id}-${index}`, name: "get", args })),
    },
    ...results.map(
      (text, index): ChatMessage => ({ role: "tool", callId: `${id}-${index}`, name: "get", text }),
    ),
  ];
}

function fit(messages: readonly ChatMessage[], limit: number) {
  const pinned = new Set([system, question]);
  return fitMessages({ messages, pinned, notes: new Set([note]), limit, tokensOf: messageTokens });
}

describe("runtime/worker/context/fitMessages", () => {
  it("leaves alone what fits", () => {
    const messages = [system, question, ...step("a", ["x"])];
    assert.equal(fit(messages, messagesTokens(messages)), messages);
  });
  it("shortens results of earlier steps first, the newest last", () => {
    const messages = [
      system,
      note,
      question,
      ...step("a", ["old ".repeat(500)]),
      ...step("b", ["new ".repeat(100)]),
    ];
    const fitted = fit(messages, 800) ?? [];
    assert.equal(fitted.length, messages.length);
    assert.match(fitted[4]?.text ?? "", /left out; read_tool_result with call_id "a-0"/);
    assert.equal(fitted.at(-1), messages.at(-1));
  });
  it("leaves out the oldest and says so, notes after all the others", () => {
    const old: ChatMessage[] = Array.from({ length: 40 }, (_, index) => ({
      role: "user",
      text: `${index} `.repeat(40),
    }));
    const fitted = fit([system, note, ...old, question], 800) ?? [];
    assert.match(fitted[1]?.text ?? "", /left out to make room/);
    assert.ok(fitted.includes(note));
    assert.equal(fitted.at(-2), old.at(-1));
    assert.ok(!(fit([system, note, ...old, question], 200) ?? []).includes(note));
  });
  it("shares the room evenly among the results of one step", () => {
    const results = Array.from({ length: 20 }, () => "same text again\n".repeat(200));
    const fitted = fit([system, question, ...step("a", results)], 5_000) ?? [];
    const lengths = fitted.filter(({ role }) => role === "tool").map(({ text }) => text.length);
    assert.equal(lengths.length, 20);
    assert.ok(Math.max(...lengths) - Math.min(...lengths) <= 2);
    assert.ok(messagesTokens(fitted) > 4_000, "the room is used");
  });
  it("gives up a step whose calls alone are too large, and tells the model", () => {
    const args = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`key${n}`, n]));
    const fitted = fit([system, question, ...step("a", ["x", "y"], args)], 400) ?? [];
    assert.deepEqual(fitted.slice(-2)[0], question);
    assert.match(fitted.at(-1)?.text ?? "", /too many or too large calls/);
  });
  it("is undefined when what has to stay does not fit", () => {
    assert.equal(fit([system, question], 20), undefined);
  });
  it("fits or is undefined, and keeps what is pinned", () => {
    const text = fc.tuple(fc.string({ unit: "grapheme", minLength: 1, maxLength: 9 }), fc.nat(900));
    const body = text.map(([seed, times]) => seed.repeat(times));
    fc.assert(
      fc.property(
        fc.array(fc.oneof(body, fc.array(body, { maxLength: 30 })), { maxLength: 12 }),
        fc.integer({ min: 200, max: 4_000 }),
        (given, limit) => {
          const rest = given.flatMap((each, index): ChatMessage[] =>
            typeof each === "string" ? [{ role: "user", text: each }] : step(String(index), each),
          );
          const messages = [system, note, ...rest.slice(0, 2), question, ...rest.slice(2)];
          const fitted = fit(
            paired(messages) ? messages : [system, note, question, ...rest],
            limit,
          );
          assert.ok(fitted !== undefined);
          assert.ok(messagesTokens(fitted) <= limit);
          assert.equal(fitted[0], system);
          assert.ok(fitted.includes(question));
          assert.ok(paired(fitted));
        },
      ),
    );
  });
});

function paired(messages: readonly ChatMessage[]): boolean {
  let expected: string[] = [];
  for (const message of messages) {
    if (message.role === "tool" && message.callId !== expected.shift()) return false;
    if (message.role !== "tool" && expected.length > 0) return false;
    if (message.role === "assistant") expected = message.toolCalls.map(({ id }) => id);
  }
  return expected.length === 0;
}
