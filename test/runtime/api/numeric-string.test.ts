import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { NumericString, toNumber } from "../../../runtime/api/numeric-string.ts";

describe("runtime/api/numeric-string", () => {
  for (const [text, number] of [
    ["0.7", 0.7],
    ["-2", -2],
    ["+1", 1],
    [".5", 0.5],
    ["5.", 5],
    ["1e-3", 0.001],
  ] as const) {
    it(`${text} is a number`, () => {
      assert.equal(toNumber(NumericString.parse(text)), number);
    });
  }

  it("is unset when empty or absent", () => {
    assert.equal(toNumber(NumericString.parse("")), undefined);
    assert.equal(toNumber(undefined), undefined);
  });

  for (const text of ["warm", "NaN", "Infinity", "0x1", "1,5", " 1", ".", "e3", "1e"]) {
    it(`${JSON.stringify(text)} is none`, () => {
      assert.equal(NumericString.safeParse(text).success, false);
    });
  }
});
