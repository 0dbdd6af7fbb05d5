import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { nearest } from "../../../runtime/api/nearest.ts";

const FIELDS = ["systemMessage", "stream", "tools", "byo", "url"];

describe("runtime/api/nearest", () => {
  for (const [name, meant] of [
    ["sytemMessage", "systemMessage"],
    ["systemmessage", "systemMessage"],
    ["systemMesage_", "systemMessage"],
    ["tool", "tools"],
    ["toosl", "tools"],
    ["uri", "url"],
    ["BYO", "byo"],
  ] as const) {
    it(`takes ${name} for ${meant}`, () => {
      assert.equal(nearest(name, FIELDS), meant);
    });
  }

  for (const name of ["", "x", "ab", "stre", "system", "toolbox", "s".repeat(100_000)]) {
    it(`takes ${JSON.stringify(name.slice(0, 10))} (${name.length}) for nothing`, () => {
      assert.equal(nearest(name, FIELDS), undefined);
    });
  }

  it("prefers the closer one, and of two equally close the first", () => {
    assert.equal(nearest("maxTokens", ["minTokens", "maxTokenz"]), "maxTokenz");
    assert.equal(nearest("abcx", ["abcd", "abce"]), "abcd");
  });
});
