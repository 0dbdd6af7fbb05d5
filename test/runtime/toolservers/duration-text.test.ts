import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import {
  ageText,
  durationText,
  parseDuration,
} from "../../../runtime/toolservers/duration-text.ts";

describe("runtime/toolservers/duration-text", () => {
  for (const [ms, text] of [
    [-5, "0s"],
    [119_999, "119s"],
    [120_000, "2m"],
    [7_199_999, "119m"],
    [7_200_000, "2h"],
    [172_799_999, "47h"],
    [172_800_000, "2d"],
  ] as const)
    it(`shows ${ms} ms as ${text}`, () => {
      assert.equal(durationText(ms), text);
    });

  it("says when a timestamp is none", () => {
    assert.equal(ageText("yesterday", 0), "<unknown>");
    assert.equal(ageText("1970-01-01T00:00:00Z", 30_000), "30s");
  });

  for (const [text, ms] of [
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["500ms", 500],
    ["1w", 604_800_000],
  ] as const)
    it(`reads ${text}`, () => {
      assert.equal(parseDuration(text), ms);
    });

  it("reads nothing else", () => {
    for (const text of ["", "5", "m", "1.5h", "5 m", "1h-1m", "9".repeat(50)])
      assert.equal(parseDuration(text), undefined, text);
  });

  it("adds up the parts of any duration", () => {
    const parts = fc.array(fc.tuple(fc.nat(999), fc.constantFrom("s", "m", "h")), {
      minLength: 1,
      maxLength: 4,
    });
    const ms = { s: 1_000, m: 60_000, h: 3_600_000 };
    fc.assert(
      fc.property(parts, (all) => {
        const total = all.reduce((sum, [amount, unit]) => sum + amount * ms[unit], 0);
        return parseDuration(all.map(([amount, unit]) => `${amount}${unit}`).join("")) === total;
      }),
    );
  });
});
