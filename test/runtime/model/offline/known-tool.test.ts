import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { callOf, isTool, knownTool } from "../../../../runtime/model/offline/known-tool.ts";

function tool(properties: object, required: readonly string[] = []) {
  const inputSchema = { type: "object", properties, required };
  return knownTool({ name: "k8s-tools-demo_k8s_get_resources", description: "", inputSchema });
}

describe("runtime/model/offline/known-tool", () => {
  it("takes target and cluster off a name", () => {
    const known = tool({});
    assert.equal(known.bareName, "k8s_get_resources");
    assert.equal(known.cluster, "demo");
    assert.ok(isTool(known.name, "k8s_get_resources"));
    assert.ok(isTool("k8s_get_resources", "k8s_get_resources"));
    assert.ok(!isTool("k8s_get_resources_now", "k8s_get_resources"));
  });

  it("sends only arguments that the schema has, in its types", () => {
    const known = tool({
      all: { type: "string" },
      count: { type: "integer" },
      tags: { type: "array" },
    });
    assert.deepEqual(
      callOf(known, { all: true, count: 4.7, tags: "a", other: 1, none: undefined }),
      {
        name: known.name,
        args: { all: "true", count: 4, tags: ["a"] },
      },
    );
  });

  it("finds an argument under the name that the server has for it", () => {
    assert.deepEqual(callOf(tool({ expr: { type: "string" } }), { query: "up" })?.args, {
      expr: "up",
    });
  });

  it("fills a required argument by its default or only choice, else makes no call", () => {
    assert.deepEqual(
      callOf(tool({ a: { default: 1 }, b: { enum: ["x", "y"] } }, ["a", "b"]), {})?.args,
      {
        a: 1,
        b: "x",
      },
    );
    assert.equal(callOf(tool({ a: { type: "string" } }, ["a"]), {}), undefined);
  });
});
