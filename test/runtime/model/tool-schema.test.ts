import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { selfContained } from "../../../runtime/model/tool-schema.ts";

describe("runtime/model/tool-schema", () => {
  it("puts in what a reference points to; what stands beside it wins", () => {
    const schema = {
      type: "object",
      properties: { a: { $ref: "#/definitions/A~1b", description: "mine" } },
      definitions: { "A/b": { type: "string", description: "theirs" } },
    };
    assert.deepEqual(selfContained(schema), {
      type: "object",
      properties: { a: { type: "string", description: "mine" } },
    });
  });

  it("ends a schema that refers to itself at its second occurrence", () => {
    const node = { type: "object", properties: { next: { $ref: "#/$defs/Node" } } };
    assert.deepEqual(
      selfContained({
        type: "object",
        properties: { head: { $ref: "#/$defs/Node" } },
        $defs: { Node: node },
      }),
      {
        type: "object",
        properties: { head: { type: "object", properties: { next: {} } } },
      },
    );
  });

  it("keeps properties that are called like keywords, and data as it is", () => {
    const schema = {
      type: "object",
      properties: { $id: { type: "string" }, definitions: { type: "array", items: {} } },
      default: { $ref: "#/x" },
      required: ["$id"],
    };
    assert.deepEqual(selfContained(schema), schema);
  });

  it("makes an object schema with properties of anything", () => {
    assert.deepEqual(selfContained({}), { type: "object", properties: {} });
    assert.deepEqual(selfContained({ $ref: "https://example.org/x" }), {
      type: "object",
      properties: {},
    });
  });

  it("stays small however often definitions multiply one another", () => {
    const levels = Array.from({ length: 40 }, (_, level) => [
      `L${level}`,
      {
        type: "object",
        properties: { a: { $ref: `#/$defs/L${level + 1}` }, b: { $ref: `#/$defs/L${level + 1}` } },
      },
    ]);
    const schema = {
      type: "object",
      allOf: [{ $ref: "#/$defs/L0" }],
      $defs: Object.fromEntries(levels) as unknown,
    };
    assert.ok(JSON.stringify(selfContained(schema)).length < 1_000_000);
  });
});
