import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { sentencesOf } from "../../../../runtime/api/refusal/sentences.ts";
import { matchesAt, mayMatch, wordPattern } from "../../../../runtime/api/refusal/word-pattern.ts";
import { fold } from "../../../../runtime/api/words.ts";

const CLASSES = { verb: "drop kill", thing: "pod pods" };
const CASES: readonly (readonly [string, string, boolean])[] = [
  ["@verb pods", "kill pods", true],
  ["@verb|stop @thing|it", "stop it", true],
  ["@verb pods", "kill the pods", false],
  ["@verb the? pods", "kill the pods", true],
  ["@verb the? pods", "kill pods", true],
  ["@verb ~2 pods", "kill all my pods", true],
  ["@verb ~2 pods", "kill all of pods", false],
  ["@verb ~2 pods", "kill all, my pods", false],
  ["@verb ~~2 pods", "kill all of pods", true],
  ["@verb ~~2 pods", "kill one of all pods", false],
  ["@verb pod !name|@verb", "kill pod", true],
  ["@verb pod !name|@verb", "kill pod name", false],
  ["@verb pod !name|@verb", "kill pod drop", false],
];

describe("runtime/api/refusal/word-pattern", () => {
  for (const [source, text, expected] of CASES)
    it(`${expected ? "finds" : "does not find"} "${source}" in "${text}"`, () => {
      const pattern = wordPattern(source, CLASSES);
      const [sentence = []] = sentencesOf(fold(text));
      assert.equal(matchesAt(pattern, sentence, 0), expected);
      if (expected) assert.ok(mayMatch(pattern, new Set(text.split(" "))));
    });

  it("refuses a pattern that names an unknown class or does not begin with a word", () => {
    for (const source of ["@verbs pod", "~3 pod", "the? pod", "!pod", "drop|@nouns"])
      assert.throws(() => wordPattern(source, CLASSES), TypeError, source);
  });

  it("looks at the words first", () => {
    assert.equal(mayMatch(wordPattern("@verb ~2 pods", CLASSES), new Set(["kill"])), false);
  });
});
