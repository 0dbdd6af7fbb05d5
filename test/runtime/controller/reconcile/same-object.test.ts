import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { covers } from "../../../../runtime/controller/reconcile/same-object.ts";

const container = (name: string, more: object = {}) => ({ name, image: "i", ...more });

describe("runtime/controller/reconcile/covers", () => {
  it("holds for every value and itself, and for what a server adds to a map", () => {
    const fields = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(fields, fields, (desired, added) => {
        assert.ok(covers(desired, desired));
        assert.ok(covers({ ...added, ...desired }, desired));
      }),
    );
  });

  const rows: readonly (readonly [string, unknown, unknown, boolean])[] = [
    ["another value", { a: 1 }, { a: 2 }, false],
    ["a missing field", {}, { a: 1 }, false],
    ["an empty map that a server drops", {}, { a: {}, b: [] }, true],
    ["null where something is", { a: 1 }, { a: null }, false],
    ["defaults inside a named item", [container("a", { pull: "Always" })], [container("a")], true],
    ["a named item of somebody else", [container("x"), container("a")], [container("a")], true],
    ["a named item that is missing", [container("x")], [container("a")], false],
    ["a longer list without names", ["a", "b"], ["a"], false],
    ["another order without names", ["b", "a"], ["a", "b"], false],
    ["a list where a map is", { 0: "a" }, ["a"], false],
  ];
  for (const [what, actual, desired, expected] of rows)
    it(`${expected ? "overlooks" : "sees"} ${what}`, () => {
      assert.equal(covers(actual, desired), expected);
    });
});
