import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { contextBudget, contextWindow } from "../../../runtime/api/context-budget.ts";

describe("runtime/api/context-budget", () => {
  it("divides a window, and takes the declared threshold as an upper bound", () => {
    assert.deepEqual(
      contextBudget({ contextWindow: 8_192 }, { toolTokens: 1_168, declared: 24_000 }),
      {
        window: 8_192,
        reply: 1_024,
        prompt: 7_168,
        conversation: 6_000,
        threshold: 4_500,
      },
    );
    assert.equal(contextBudget({ contextWindow: 8_192 }, { declared: 100 })?.threshold, 100);
  });
  it("leaves nothing where the tools take all, and never less", () => {
    const budget = contextBudget({ contextWindow: 2_048 }, { toolTokens: 9_000 });
    assert.equal(budget?.conversation, 0);
    assert.equal(budget.threshold, 0);
  });
  it("keeps what a reply may take, but never more than half of the window", () => {
    const reply = (size: object) => contextBudget({ contextWindow: 4_000, ...size })?.reply;
    assert.equal(reply({ ollama: { options: { num_predict: "500" } } }), 500);
    assert.equal(reply({ ollama: { options: { num_predict: "-1" } } }), 1_000);
    assert.equal(reply({ openAI: { maxCompletionTokens: 9_000 } }), 2_000);
  });
  it("takes the smaller of what is declared and what Ollama runs with", () => {
    const options = { num_ctx: "4096" };
    assert.equal(contextWindow({ contextWindow: 32_768, ollama: { options } }), 4_096);
    assert.equal(
      contextWindow({ contextWindow: 2_048, ollama: { numCtx: 8_192, options } }),
      2_048,
    );
    assert.equal(contextWindow({ ollama: { numCtx: 8_192, options } }), 8_192);
    assert.equal(contextWindow({}), undefined);
    assert.equal(contextBudget({}), undefined);
  });
});
