import assert from "node:assert/strict";
import { describe, it } from "mocha";
import * as z from "zod";
import { withRules } from "../../../runtime/api/cel.ts";
import { check, sentence } from "../../../runtime/api/checked.ts";

const MODE = { rule: "self.mode != 'b' || has(self.size)", message: "b needs a size" };
const ITEMS = { rule: "self.items.all(x, x in ['a', 'b'])", message: "items are a or b" };

const Node = withRules(
  z.strictObject({
    mode: z.enum(["a", "b"]).default("b"),
    size: z.int().optional(),
    items: z.array(z.string()).default([]),
    other: z.string().optional(),
  }),
  [MODE, ITEMS],
);

function problems(schema: z.ZodType, input: unknown): string {
  const result = check(schema, input, "spec");
  return result.ok ? "" : sentence(result.violations);
}

describe("runtime/api/cel withRules", () => {
  it("puts the rules where the CRD finds them, beside what was there", () => {
    const schema = withRules(z.strictObject({ a: z.int() }).describe("A thing."), [MODE]);
    const twice = withRules(schema, [{ ...ITEMS, fieldPath: ".items" }]);
    assert.deepEqual(z.toJSONSchema(twice)["x-kubernetes-validations"], [
      MODE,
      { ...ITEMS, fieldPath: ".items" },
    ]);
    assert.equal(z.toJSONSchema(twice).description, "A thing.");
  });

  it("evaluates them on the value with its defaults", () => {
    assert.equal(problems(Node, {}), "spec: b needs a size");
    assert.equal(problems(Node, { mode: "a" }), "");
    assert.equal(problems(Node, { size: 1 }), "");
  });

  it("reports each rule at the node, wherever the node stands", () => {
    const tree = z.strictObject({ nodes: z.array(Node) });
    assert.equal(
      problems(tree, { nodes: [{ size: 1 }, { items: ["c"] }] }),
      "spec.nodes[1]: b needs a size; spec.nodes[1]: items are a or b",
    );
  });

  it("reports a rule with a field path at that field, each time anew", () => {
    const schema = withRules(z.strictObject({ a: z.strictObject({ b: z.int() }) }), [
      { rule: "self.a.b > 1", message: "too small", fieldPath: ".a.b" },
    ]);
    const list = z.array(schema);
    const bad = { a: { b: 1 } };
    assert.equal(problems(list, [bad, bad]), "spec[0].a.b: too small; spec[1].a.b: too small");
    assert.equal(problems(list, [bad]), "spec[0].a.b: too small");
  });

  it("runs a rule although other fields are wrong", () => {
    assert.equal(
      problems(Node, { other: 5, zzz: 1 }),
      'spec.other: must be a string, is an integer (put it in quotes); spec.zzz: unknown field "zzz"; spec: b needs a size',
    );
  });

  it("leaves a rule out whose own fields have no value to judge", () => {
    assert.equal(problems(Node, { mode: "c" }), 'spec.mode: must be "a" or "b"');
    assert.equal(
      problems(Node, { mode: "a", items: ["a", 5] }),
      "spec.items[1]: must be a string, is an integer (put it in quotes)",
    );
  });

  it("counts what cannot be evaluated as broken, and names the rule", () => {
    const schema = withRules(z.strictObject({ a: z.string().optional() }), [
      { rule: "self.a == 'x'", message: "a must be x" },
    ]);
    assert.equal(
      problems(schema, {}),
      "spec: a must be x (No such key: a, in the rule self.a == 'x')",
    );
  });

  it("knows that one side of an or that holds is enough", () => {
    const schema = withRules(z.strictObject({ a: z.string().optional(), b: z.boolean() }), [
      { rule: "self.a == 'x' || self.b", message: "a must be x, or b true" },
    ]);
    assert.equal(problems(schema, { b: true }), "");
  });

  it("says nothing of what is no object, for zod does", () => {
    for (const input of [null, 5, "x", [], undefined]) {
      assert.match(problems(Node, input), /^spec: (must be an object, is|is required)/);
    }
  });
});
