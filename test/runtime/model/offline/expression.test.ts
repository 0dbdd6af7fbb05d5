import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { calculationIn } from "../../../../runtime/model/offline/expression.ts";

const ROWS: readonly (readonly [string, string])[] = [
  ["calculate 17 % of 4200", "17 * 4200 / 100"],
  ["what is 12.5 percent of 80?", "12.5 * 80 / 100"],
  ["calculate 2 + 3", "2 + 3"],
  ["compute (3 + 4) * 2^10.", "(3 + 4) * 2 ** 10"],
  ["what is 7 times 6 plus 1?", "7 * 6 + 1"],
  ["divide it: 10 divided by 4", "10 / 4"],
  ["calculate 1,000,000 / 8", "1000000 / 8"],
  ["calculate -5 * -(2 - 3)", "5 * -(2 - 3)"],
  ["run code that adds the numbers from 1 to 100", "sum(range(1, 100 + 1))"],
  [
    "compute how many minutes 99.95 % availability leaves a month",
    "round((100 - 99.95) * 43200 / 100, 6)",
  ],
];

describe("runtime/model/offline/expression", () => {
  for (const [question, expression] of ROWS)
    it(`takes ${expression} from ${JSON.stringify(question)}`, () => {
      assert.equal(calculationIn(question)?.expression, expression);
    });

  it("names the unit of what an availability leaves", () => {
    const left = calculationIn("how many minutes does 99.9 % uptime leave per week");
    assert.equal(left?.unit, "minutes of 10080 (a week)");
  });

  for (const question of [
    "calculate the meaning of life",
    "what happened on 2026-11-21?",
    "is 42 a number?",
    "calculate (1 + 2",
    "calculate 1 + + 2",
    "calculate 2 ** ",
    "99.9 % availability",
    "restart it 3 times",
  ])
    it(`takes nothing from ${JSON.stringify(question)}`, () => {
      assert.equal(calculationIn(question)?.expression, undefined);
    });
});
