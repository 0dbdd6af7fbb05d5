import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ignoredFeatures } from "../../../runtime/controller/ignored-features.ts";
import { object, parsedAgent, written } from "./kagent-objects.ts";

const DEPLOYED = { deployment: { replicas: 2 } };

describe("runtime/controller/ignoredFeatures", () => {
  it("is empty for an agent that asks for nothing of the kind", () => {
    const asked = parsedAgent(
      "a",
      {
        stream: true,
        limits: {},
        memory: { modelConfig: "m" },
        responseSchema: { type: "object" },
        context: { compaction: {} },
        shareTools: false,
        executeCodeBlocks: false,
        ...DEPLOYED,
      },
      { sandbox: { network: { allowedDomains: ["a"] } } },
    );
    assert.deepEqual(ignoredFeatures(asked), []);
  });

  it("names what is asked for and not done", () => {
    const asked = parsedAgent(
      "a",
      { shareTools: true, executeCodeBlocks: true },
      { skills: { refs: ["r"] } },
    );
    assert.deepEqual(ignoredFeatures(asked), [
      "skills",
      "declarative.shareTools",
      "declarative.executeCodeBlocks",
    ]);
  });

  it("says that a pool has pods of its own, whoever chose the pool", () => {
    const pooled = parsedAgent("a", DEPLOYED, { workers: "pooled" });
    assert.deepEqual(ignoredFeatures(pooled), ["declarative.deployment"]);
    assert.deepEqual(ignoredFeatures(parsedAgent("a", DEPLOYED), "pooled"), [
      "declarative.deployment",
    ]);
    const dedicated = parsedAgent("a", DEPLOYED, { workers: "dedicated" });
    assert.deepEqual(ignoredFeatures(dedicated, "pooled"), []);
  });

  it("says that an image of one's own is in no pool", () => {
    const byo = object(
      "Agent",
      written("Agent", "a", {
        type: "BYO",
        byo: { deployment: { image: "i" } },
        workers: "pooled",
      }),
    );
    assert.deepEqual(ignoredFeatures(byo), ["workers"]);
  });
});
