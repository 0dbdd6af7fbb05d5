import type { RefusalCategory } from "../agent-config.ts";
import { isRequested } from "./request-mood.ts";
import type { Sentence } from "./sentences.ts";
import {
  matchesAt,
  mayMatch,
  type WordClasses,
  type WordPattern,
  wordPattern,
} from "./word-pattern.ts";

/** What a category of requests looks like; patterns as {@link wordPattern} reads them. */
export interface CategoryWords {
  readonly category: RefusalCategory;
  /** Classes that the patterns name. */
  readonly classes: WordClasses;
  /** Patterns whose first word must ask for something to be done. */
  readonly requests: readonly string[];
  /** Patterns that tell enough wherever they stand. */
  readonly anywhere: readonly string[];
  /** Patterns that make a sentence harmless. */
  readonly unless: readonly string[];
}

/** Says whether a sentence asks for something of a category. */
export type CategoryMatcher = (sentence: Sentence) => boolean;

/** 14 words before and behind a request may make it harmless; further ones belong to something else. */
const UNLESS_REACH = 14;

interface Entry {
  readonly pattern: WordPattern;
  readonly mood: "request" | "any";
}

/** Prepares a category once; matching costs a constant for each word of a sentence. */
export function compileCategory(source: CategoryWords): CategoryMatcher {
  const read = (pattern: string) => wordPattern(pattern, source.classes);
  const entries: readonly Entry[] = [
    ...source.requests.map((pattern) => ({ pattern: read(pattern), mood: "request" as const })),
    ...source.anywhere.map((pattern) => ({ pattern: read(pattern), mood: "any" as const })),
  ];
  const unless = source.unless.map(read);

  return (sentence) => {
    const words = new Set(sentence.map(({ text }) => text));
    const possible = entries.filter(({ pattern }) => mayMatch(pattern, words));
    if (possible.length === 0) return false;
    return sentence.some(({ text }, at) =>
      possible.some(
        ({ pattern, mood }) =>
          pattern.first.has(text) &&
          matchesAt(pattern, sentence, at) &&
          (mood === "any" || isRequested(sentence, at)) &&
          !isHarmless(unless, sentence, at),
      ),
    );
  };
}

/** Whether words near the request, on its line, make it harmless. */
function isHarmless(unless: readonly WordPattern[], sentence: Sentence, at: number): boolean {
  let from = at;
  while (from > 0 && at - from < UNLESS_REACH && sentence[from]?.line === false) from--;
  let to = at + 1;
  while (to < sentence.length && to - at < UNLESS_REACH && sentence[to]?.line === false) to++;
  const near = sentence.slice(from, to);
  return unless.some((pattern) => near.some((_, start) => matchesAt(pattern, near, start)));
}
