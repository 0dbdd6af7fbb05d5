import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { Agent } from "../../../runtime/api/objects.ts";
import { ignoredFeatures } from "../../../runtime/controller/ignored-features.ts";

const agent = (declarative: object): Agent =>
  Agent.parse({
    apiVersion: "kagent.dev/v1alpha2",
    kind: "Agent",
    metadata: { name: "a" },
    spec: { type: "Declarative", declarative: { systemMessage: "s", ...declarative } },
  });

describe("runtime/controller/ignoredFeatures", () => {
  it("is empty for an agent that asks for nothing of the kind", () => {
    assert.deepEqual(ignoredFeatures(agent({ stream: true, limits: {} })), []);
  });

  it("names what is asked for and not done", () => {
    const asked = agent({ memory: { modelConfig: "m" }, responseSchema: { type: "object" } });
    assert.deepEqual(ignoredFeatures(asked), ["declarative.memory", "declarative.responseSchema"]);
  });
});
