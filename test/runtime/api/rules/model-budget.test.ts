import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { modelBudget } from "../../../../runtime/api/rules/model-budget.ts";
import { agentInput, agentOf, modelInput, setOf } from "./objects.ts";

const found = (tokenThreshold: number | undefined, model: object) => {
  const compaction = { ...(tokenThreshold !== undefined && { tokenThreshold }) };
  const set = setOf(agentInput("a", { context: { compaction } }), modelInput({ ...model }));
  return modelBudget(agentOf(set, "a"), set);
};

describe("runtime/api/rules/model-budget", () => {
  it("warns of a threshold above three quarters of what the reply leaves", () => {
    const model = { contextWindow: 8192, ollama: { options: { num_predict: "2048" } } };
    assert.deepEqual(found(4608, model), []);
    assert.deepEqual(found(4609, model), [
      {
        severity: "warning",
        rule: "model-budget",
        object: "Agent/ns/a",
        path: "spec.declarative.context.compaction.tokenThreshold",
        message:
          "4609 is more than default-model-config leaves room for: 4608 = 0.75 x (context of 8192 - reply of 2048), less the tools' schemas, is used instead",
      },
    ]);
  });

  for (const [what, model, most] of [
    ["numCtx", { ollama: { numCtx: 4096, options: { num_ctx: "1" } } }, 2304],
    ["num_ctx", { ollama: { options: { num_ctx: "4096", num_predict: "-1" } } }, 2304],
    [
      "maxTokens",
      { provider: "OpenAI", ollama: undefined, contextWindow: 4096, openAI: { maxTokens: 96 } },
      3000,
    ],
    ["a reply of unknown length in a small context", { contextWindow: 512, ollama: {} }, 288],
    [
      "a reply as long as the context",
      { contextWindow: 512, ollama: { options: { num_predict: "512" } } },
      192,
    ],
    ["the smaller of both", { contextWindow: 32_768, ollama: { numCtx: 4096 } }, 2304],
  ] as const)
    it(`reads ${what}`, () => {
      assert.deepEqual(found(most, model), []);
      assert.equal(found(most + 1, model).length, 1);
    });

  it("says nothing without a threshold, a known context or the model", () => {
    assert.deepEqual(found(undefined, { contextWindow: 8 }), []);
    assert.deepEqual(found(99_999, {}), []);
    const set = setOf(agentInput("a", { context: { compaction: { tokenThreshold: 9 } } }));
    assert.deepEqual(modelBudget(agentOf(set, "a"), set), []);
  });
});
