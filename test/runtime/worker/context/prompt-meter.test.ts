import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { ChatMessage } from "../../../../runtime/model/chat-model.ts";
import { PromptMeter } from "../../../../runtime/worker/context/prompt-meter.ts";
import { textTokens } from "../../../../runtime/worker/context/token-estimate.ts";
import { TokenRatios } from "../../../../runtime/worker/context/token-ratios.ts";

const user = (text: string): ChatMessage => ({ role: "user", text });
const long = user("words of a message ".repeat(100));

describe("runtime/worker/context/textTokens", () => {
  it("adds up, so that less text is never more tokens", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
        assert.ok(Math.abs(textTokens(a + b) - textTokens(a) - textTokens(b)) < 1e-6);
        assert.ok(textTokens(a) <= Buffer.byteLength(a) + 1e-6);
      }),
    );
  });
  // tokens as the vocabularies of qwen2.5 and llama 3 make of such texts, or a little fewer
  for (const [what, text, tokens] of [
    ["prose", "The pod restarts because its memory limit is too low for the cache.", 14],
    ["JSON", '{"name":"web-7f9c","ready":false,"restarts":12}', 18],
    ["digits", "20260101 123456789", 17],
    ["a hash", "9f86d081884c7d659a2feaa0c55ad015", 20],
    ["base64", "TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQ", 22],
    ["Chinese", "容器因内存不足而重启", 9],
  ] as const)
    it(`counts rather too many than too few tokens of ${what}`, () => {
      assert.ok(textTokens(text) >= tokens, `${textTokens(text)}`);
      assert.ok(textTokens(text) <= 2.5 * tokens, `${textTokens(text)}`);
    });
});

describe("runtime/worker/context/PromptMeter", () => {
  it("takes what was measured for a prompt that goes on, and estimates only what was added", () => {
    const meter = new PromptMeter();
    const first = { messages: [long], tools: [] };
    const estimate = meter.tokens(first);
    meter.measured(first, Math.floor(0.7 * estimate));
    assert.equal(meter.tokens(first), Math.floor(0.7 * estimate));
    const more = meter.tokens({ messages: [user(long.text), user("more")], tools: [] });
    assert.ok(more > Math.floor(0.7 * estimate) && more < 0.7 * estimate + 20);
    assert.equal(meter.tokens({ messages: [user("x"), long], tools: [] }) > estimate, true);
  });
  it("estimates more where the provider counted more, and never less", () => {
    const meter = new PromptMeter();
    const other = { messages: [user("another ".repeat(50))], tools: [] };
    const before = meter.tokens(other);
    meter.measured(
      { messages: [long], tools: [] },
      2 * meter.tokens({ messages: [long], tools: [] }),
    );
    assert.ok(Math.abs(meter.tokens(other) / before - 2) < 0.1);
    const careful = new PromptMeter();
    careful.measured(
      { messages: [long], tools: [] },
      0.6 * careful.tokens({ messages: [long], tools: [] }),
    );
    assert.equal(careful.tokens(other), before);
  });
  it("learns nothing from prompts that are mostly the chat template's own text", () => {
    const meter = new PromptMeter();
    const small = { messages: [user("hi")], tools: [] };
    meter.measured(small, 10 * meter.tokens(small));
    assert.equal(meter.ratio, 1);
  });
  it("does not believe a count that leaves out what the provider had in its cache", () => {
    const meter = new PromptMeter();
    const prompt = { messages: [long], tools: [] };
    const estimate = meter.tokens(prompt);
    meter.measured(prompt, Math.floor(estimate / 10));
    meter.measured(prompt, 0);
    assert.equal(meter.tokens(prompt), estimate);
    meter.measured(prompt, estimate);
    const longer = { messages: [long, user("and more of it")], tools: [] };
    meter.measured(longer, estimate - 50);
    assert.ok(meter.tokens(longer) > estimate);
  });
});

describe("runtime/worker/context/TokenRatios", () => {
  it("forgets the session that was set longest ago", () => {
    const ratios = new TokenRatios();
    for (let index = 0; index <= 1_000; index += 1) ratios.set(String(index), 2);
    assert.equal(ratios.get("0"), 1);
    assert.equal(ratios.get("1"), 2);
  });
});
