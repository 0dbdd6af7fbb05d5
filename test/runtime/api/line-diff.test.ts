import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { lineDiff } from "../../../runtime/api/line-diff.ts";

describe("runtime/api/lineDiff", () => {
  it("shows what changes with three lines around it, and where", () => {
    const before = ["1", "2", "3", "4", "5", "6", "7", "8", "9", ""].join("\n");
    assert.equal(
      lineDiff(before, before.replace("5\n", "five\nfive and a half\n")),
      "@@ line 2 -> 2 @@\n 2\n 3\n 4\n-5\n+five\n+five and a half\n 6\n 7\n 8",
    );
  });
  it("parts changes that lie far from one another", () => {
    const lines = Array.from({ length: 40 }, (_, n) => String(n));
    const after = lines.with(2, "x").with(35, "y");
    const diff = lineDiff(`${lines.join("\n")}\n`, `${after.join("\n")}\n`);
    assert.equal(diff.match(/^@@/gm)?.length, 2);
  });
  it("is empty where nothing changes, and tells a missing last newline", () => {
    assert.equal(lineDiff("a\n", "a\n"), "");
    assert.match(lineDiff("a\n", "a"), /\+\\ No newline at end of file/);
  });
  it("does not compare huge texts line by line", () => {
    const a = Array.from({ length: 5_000 }, (_, n) => `a${n}`).join("\n");
    const b = Array.from({ length: 5_000 }, (_, n) => `b${n}`).join("\n");
    assert.equal(lineDiff(a, b).match(/^[+-]/gm)?.length, 10_000);
  });
  it("holds every line that goes and every line that comes, the same one never as both", () => {
    const text = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 20 });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = (all: readonly string[]) => all.map((line) => `${line}\n`).join("");
        const diff = lineDiff(lines(before), lines(after)).split("\n");
        const marked = (mark: string) =>
          diff.filter((line) => line.startsWith(mark)).map((line) => line.slice(1));
        const count = (all: readonly string[], line: string) =>
          all.filter((each) => each === line).length;
        for (const line of ["a", "b", "c", "d"])
          assert.equal(
            count(before, line) - count(marked("-"), line) + count(marked("+"), line),
            count(after, line),
          );
      }),
    );
  });
});
