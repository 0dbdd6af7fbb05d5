import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { Duration, toMs } from "../../../runtime/api/duration.ts";

describe("runtime/api/duration", () => {
  for (const [duration, ms] of [
    ["300s", 300_000],
    ["1m30s", 90_000],
    ["1.5h", 5_400_000],
    ["100ms", 100],
    ["1h0m0s", 3_600_000],
    ["0s", 0],
    ["2ms1m", 60_002],
  ] as const) {
    it(`${duration} is ${ms} ms`, () => {
      assert.equal(toMs(duration), ms);
    });
  }

  it("adds up any parts", () => {
    const part = fc.tuple(
      fc.nat(999),
      fc.constantFrom(["h", 3_600_000], ["m", 60_000], ["s", 1000], ["ms", 1]),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const text = parts.map(([count, [unit]]) => `${count}${unit}`).join("");
        const total = parts.reduce((sum, [count, [, ms]]) => sum + count * ms, 0);
        assert.equal(toMs(text), total);
      }),
    );
  });

  for (const bad of ["", "5", "s", "1d", "-1s", "1s ", "1µs", "1.s", `${"0".repeat(32)}s`]) {
    it(`is not ${JSON.stringify(bad)}`, () => {
      assert.equal(Duration.safeParse(bad).success, false);
      assert.throws(() => toMs(bad), RangeError);
    });
  }
});
