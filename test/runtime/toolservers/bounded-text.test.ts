import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import {
  boundBytes,
  clip,
  trimLines,
  trimRows,
} from "../../../runtime/toolservers/bounded-text.ts";

describe("runtime/toolservers/bounded-text", () => {
  it("leaves a list of 30 whole and trims one of 31 to 20 and 5", () => {
    const rows = Array.from({ length: 31 }, (_, index) => index);
    assert.deepEqual(trimRows(rows.slice(1)).head.length, 30);
    const { head, tail, leftOut } = trimRows(rows);
    assert.deepEqual([head.length, tail.length, leftOut.length], [20, 5, 6]);
    assert.deepEqual([...head, ...leftOut, ...tail], rows);
  });

  it("trims a log to its first and last hundred lines and counts the rest", () => {
    const lines = Array.from({ length: 450 }, (_, index) => `line ${index}`);
    const shown = trimLines(lines);
    assert.equal(shown.length, 201);
    assert.equal(shown[100], "... 250 of 450 lines left out ...");
    assert.equal(shown[99], "line 99");
    assert.equal(shown[101], "line 350");
    assert.deepEqual(trimLines(lines.slice(0, 200)).length, 200);
  });

  it("cuts between lines where lines are short", () => {
    const text = Array.from({ length: 2000 }, (_, index) => `row ${index}`).join("\n");
    const cut = boundBytes(text, 3000);
    for (const line of cut.split("\n"))
      assert.match(line, /^(row \d+|\.\.\. \d+ of \d+ bytes left out \.\.\.)$/);
    assert.match(cut, /^row 0\n/);
    assert.match(cut, /\nrow 1999$/);
  });

  it("never exceeds its bound by more than the marker, never breaks a character, keeps both ends", () => {
    const texts = fc.array(fc.oneof(fc.string({ unit: "grapheme" }), fc.constant("\n")), {
      maxLength: 400,
    });
    fc.assert(
      fc.property(texts, fc.integer({ min: 60, max: 400 }), (parts, max) => {
        const text = parts.join("").toWellFormed();
        const cut = boundBytes(text, max);
        if (Buffer.byteLength(text) <= max) return cut === text;
        const [head = "", tail = ""] = cut.split(/\n?\.\.\. \d+ of \d+ bytes left out \.\.\.\n/);
        return (
          Buffer.byteLength(cut) <= max + 60 &&
          !cut.includes("\uFFFD") === !text.includes("\uFFFD") &&
          text.startsWith(head) &&
          text.endsWith(tail)
        );
      }),
    );
  });

  it("clips text without halving a surrogate pair and counts what is gone", () => {
    assert.equal(clip("abc", 3), "abc");
    assert.equal(clip("abcdef", 4), "abcd... (2 more characters)");
    assert.equal(clip("ab😀cd", 3), "ab... (4 more characters)");
  });
});
