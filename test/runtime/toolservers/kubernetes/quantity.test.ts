import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import {
  bytesText,
  coresText,
  parseQuantity,
} from "../../../../runtime/toolservers/kubernetes/quantity.ts";

describe("runtime/toolservers/kubernetes/quantity", () => {
  for (const [text, value] of [
    ["250m", 0.25],
    ["2", 2],
    ["1.5Gi", 1610612736],
    ["128974848", 128974848],
    ["129e6", 129e6],
    ["100k", 100_000],
    ["", undefined],
    ["1 Gi", undefined],
    ["Gi", undefined],
    ["1gi", undefined],
  ] as const)
    it(`reads ${JSON.stringify(text)} as ${value}`, () => {
      assert.equal(parseQuantity(text), value);
    });

  it("reads what it writes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1000 }),
        fc.integer({ min: 0, max: 4 }),
        (amount, power) => {
          const bytes = amount * 1024 ** power;
          return (
            parseQuantity(bytesText(bytes)) === bytes &&
            Math.abs((parseQuantity(coresText(amount / 1000)) ?? -1) - amount / 1000) < 1e-9
          );
        },
      ),
    );
  });
});
