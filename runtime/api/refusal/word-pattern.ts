import type { Sentence } from "./sentences.ts";

/** Named sets of words that patterns refer to as `@name`. */
export type WordClasses = Readonly<Record<string, string>>;

type Step =
  | { readonly kind: "word"; readonly words: ReadonlySet<string>; readonly optional: boolean }
  | { readonly kind: "gap"; readonly most: number; readonly any: boolean }
  | { readonly kind: "not"; readonly words: ReadonlySet<string> };

/** A pattern over the words of a sentence; see {@link wordPattern}. */
export interface WordPattern {
  /** Words it may begin with. */
  readonly first: ReadonlySet<string>;
  readonly steps: readonly Step[];
}

/** Words that begin another part of the sentence: a plain gap does not reach across them. */
const STOPS = new Set(
  (
    "of from in on to for by with at about that which who whose when where why how if whether while " +
    "because since until after before during via without not and or but"
  ).split(" "),
);

/**
 * Reads a pattern, items parted by spaces:
 *
 * - `delete|drop` one of these words; `@name` one of a class; both may be mixed and end in `?` (may be absent)
 * - `~4` up to four words that do not begin another part of the sentence; `~~4` up to four words
 * - `!a|@name` behind all else: the next word is none of these
 *
 * A pattern begins with a word, and its gaps are bounded, so that matching costs a constant for each word.
 *
 * @throws TypeError for an unknown class and a pattern that does not begin with a word.
 */
export function wordPattern(source: string, classes: WordClasses): WordPattern {
  const steps = source.split(" ").map((item) => step(item, classes));
  const [first] = steps;
  if (first?.kind !== "word" || first.optional)
    throw new TypeError(`the pattern "${source}" must begin with a word`);
  return { first: first.words, steps };
}

/** Whether a sentence of these words, in whatever order, could match: a quick look before the long one. */
export function mayMatch(pattern: WordPattern, words: ReadonlySet<string>): boolean {
  return pattern.steps.every(
    (each) => each.kind !== "word" || each.optional || overlap(each.words, words),
  );
}

/** Whether `pattern` matches the words that begin at `at`. */
export function matchesAt(pattern: WordPattern, sentence: Sentence, at: number): boolean {
  return follows(pattern.steps, 0, sentence, at);
}

function step(item: string, classes: WordClasses): Step {
  const gap = /^(~~?)(\d)$/.exec(item);
  if (gap !== null) return { kind: "gap", most: Number(gap[2]), any: gap[1] === "~~" };
  if (item.startsWith("!")) return { kind: "not", words: wordSet(item.slice(1), classes) };
  const optional = item.endsWith("?");
  return { kind: "word", words: wordSet(optional ? item.slice(0, -1) : item, classes), optional };
}

function wordSet(item: string, classes: WordClasses): ReadonlySet<string> {
  return new Set(
    item.split("|").flatMap((word) => {
      if (!word.startsWith("@")) return [word];
      const members = classes[word.slice(1)];
      if (members === undefined) throw new TypeError(`there is no class of words ${word}`);
      return members.split(/\s+/);
    }),
  );
}

function overlap(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  const [few, many] = one.size < other.size ? [one, other] : [other, one];
  for (const word of few) if (many.has(word)) return true;
  return false;
}

function follows(steps: readonly Step[], index: number, sentence: Sentence, at: number): boolean {
  const current = steps[index];
  if (current === undefined) return true;
  const word = sentence[at]?.text;
  switch (current.kind) {
    case "not":
      return word === undefined || !current.words.has(word);
    case "word":
      if (word !== undefined && current.words.has(word))
        if (follows(steps, index + 1, sentence, at + 1)) return true;
      return current.optional && follows(steps, index + 1, sentence, at);
    case "gap":
      return overGap(steps, index, sentence, at, current);
  }
}

function overGap(
  steps: readonly Step[],
  index: number,
  sentence: Sentence,
  at: number,
  gap: Extract<Step, { readonly kind: "gap" }>,
): boolean {
  for (let skipped = 0; skipped <= gap.most; skipped++) {
    if (follows(steps, index + 1, sentence, at + skipped)) return true;
    const word = sentence[at + skipped];
    if (word === undefined || (!gap.any && (STOPS.has(word.text) || word.parted))) return false;
  }
  return false;
}
