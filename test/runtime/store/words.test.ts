import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { wordsOf } from "../../../runtime/store/words.ts";

describe("runtime/store/words", () => {
  const cases: Readonly<Record<string, [text: string, words: readonly string[]]>> = {
    "splits at what is no letter or digit": [
      "checkout-api: kube_pod_status v1.2",
      ["checkout", "api", "kube", "pod", "status", "v1", "2"],
    ],
    "gives each word once": ["the pod, The POD", ["the", "pod"]],
    "folds sharp s": ["STRASSE straße", ["strasse"]],
    "folds both forms of a sigma": ["ΛΟΓΟΣ λογος λογοσ", ["λογος"]],
    "folds compatible forms": ["ﬁle Ｎｏｄｅ e\u0301t\u00e9", ["file", "node", "été"]],
    "finds words where no spaces are": ["東京都の天気", ["東京", "都", "の", "天気"]],
    "finds nothing in punctuation": ["— … ?! 👩‍🚀", []],
  };
  for (const [claim, [text, words]] of Object.entries(cases)) {
    it(claim, () => {
      assert.deepEqual(wordsOf(text), words);
    });
  }

  it("cuts what is too long for a word", () => {
    assert.deepEqual(wordsOf("a".repeat(1000)), ["a".repeat(64)]);
  });

  it("gives well-formed words without NUL of any text", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
    );
    fc.assert(
      fc.property(text, (any) => {
        const words = wordsOf(any);
        assert.equal(new Set(words).size, words.length);
        for (const word of words) {
          assert.ok(word.isWellFormed() && word.length > 0 && word.length <= 64);
          assert.ok(!word.includes("\0"));
        }
      }),
      { numRuns: 200 },
    );
  });
});
