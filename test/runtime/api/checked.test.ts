import assert from "node:assert/strict";
import { describe, it } from "mocha";
import * as z from "zod";
import { check, pathText, sentence } from "../../../runtime/api/checked.ts";

const Thing = z.strictObject({
  name: z.string(),
  count: z.int().min(2).default(2),
  labels: z.record(z.string(), z.string()).optional(),
  nothing: z.null().optional(),
  list: z.array(z.strictObject({ flag: z.boolean().optional() })).optional(),
  either: z.union([z.enum(["x"]), z.strictObject({ y: z.int() })], { error: "x or y" }).optional(),
});

function violations(input: unknown, root = "spec") {
  const result = check(Thing, input, root);
  return result.ok ? [] : result.violations;
}

describe("runtime/api/checked", () => {
  it("gives the value with its defaults", () => {
    assert.deepEqual(check(Thing, { name: "a" }, "spec"), {
      ok: true,
      value: { name: "a", count: 2 },
    });
  });

  it("says each unknown field at its own path", () => {
    assert.deepEqual(violations({ name: "a", nmae: 1, zzz: 2 }), [
      { path: "spec.nmae", message: 'unknown field "nmae"; did you mean "name"?' },
      { path: "spec.zzz", message: 'unknown field "zzz"' },
    ]);
  });

  it("keeps the lines apart where an unknown field has several itself", () => {
    assert.deepEqual(violations({ name: "a", "b\nc": 1, d: 2 }), [
      { path: 'spec["b\\nc"]', message: 'unknown field "b\\nc"' },
      { path: "spec.d", message: 'unknown field "d"' },
    ]);
  });

  it("says keys of maps that are no identifiers in brackets", () => {
    assert.deepEqual(
      violations({ name: "a", labels: { "a/b": 1, c: 2 } }).map(({ path }) => path),
      ['spec.labels["a/b"]', "spec.labels.c"],
    );
  });

  it("takes null for absent, in objects and maps, at any depth", () => {
    const input = {
      name: "a",
      count: null,
      labels: { b: null, c: "d" },
      nothing: null,
      list: [{ flag: null }],
      either: null,
    };
    assert.deepEqual(check(Thing, input, "spec"), {
      ok: true,
      value: { name: "a", count: 2, labels: { c: "d" }, nothing: null, list: [{}] },
    });
  });

  it("does not take null for an item, and not for what is needed", () => {
    assert.deepEqual(violations({ name: null, list: [null] }), [
      { path: "spec.name", message: "is required" },
      { path: "spec.list[0]", message: "must be an object, is null" },
    ]);
  });

  it("looks into the branch of a union that was meant", () => {
    assert.deepEqual(violations({ name: "a", either: { z: 1 } }), [
      { path: "spec.either.y", message: "is required" },
      { path: "spec.either.z", message: 'unknown field "z"' },
    ]);
    assert.deepEqual(violations({ name: "a", either: 5 }), [
      { path: "spec.either", message: "x or y" },
    ]);
  });

  it("never says a value that may be a secret", () => {
    const secret = "hunter2-hunter2";
    const result = check(
      z.strictObject({ a: z.enum(["b"]), c: z.int() }),
      { a: secret, c: secret },
      "",
    );
    assert.ok(!result.ok);
    assert.doesNotMatch(sentence(result.violations), /hunter2/);
  });

  it("begins paths at the root it is given", () => {
    assert.deepEqual(
      violations({ count: 1 }, "").map(({ path }) => path),
      ["name", "count"],
    );
    assert.equal(
      pathText("", ["a", 0, "b c", Symbol.iterator]),
      'a[0]["b c"]["Symbol(Symbol.iterator)"]',
    );
  });

  it("says all in one sentence", () => {
    assert.equal(
      sentence([
        { path: "", message: "is required" },
        { path: "a", message: "b" },
      ]),
      "is required; a: b",
    );
  });
});
