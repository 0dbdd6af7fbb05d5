import type { GuardRule } from "./guard-rule.ts";
import { normalise } from "./normalise.ts";

/** Where a rule matched, in the original text. */
export interface GuardMatch {
  readonly rule: GuardRule;
  /** First UTF-16 unit. */
  readonly start: number;
  /** After the last one. */
  readonly end: number;
}

/** Every match of every rule, by place. Time is linear in the text for each rule. */
export function scan(original: string, rules: readonly GuardRule[]): readonly GuardMatch[] {
  const { text, origins } = normalise(original);
  const matches: GuardMatch[] = [];
  for (const rule of rules) {
    for (const match of text.matchAll(rule.pattern)) {
      const [whole, value = whole] = match;
      if (rule.value === "random" && !looksRandom(value)) continue;
      const from = match.index + whole.lastIndexOf(value);
      const start = origins[from] ?? 0;
      const end = origins[from + value.length] ?? original.length;
      matches.push({ rule, start, end });
    }
  }
  return matches.sort((a, b) => a.start - b.start);
}

/** Text with what the rules match replaced by `[masked <rule>]`. */
export interface MaskedText {
  readonly text: string;
  /** Rules that matched, each once. */
  readonly rules: readonly string[];
}

/** Masks what `rules` match; overlapping matches become one, named by the first. */
export function mask(original: string, rules: readonly GuardRule[]): MaskedText {
  const matches = scan(original, rules);
  const pieces: string[] = [];
  let at = 0;
  for (const { rule, start, end } of matches) {
    if (end <= at) continue;
    if (start >= at) pieces.push(original.slice(at, start), `[masked ${rule.id}]`);
    at = end;
  }
  pieces.push(original.slice(at));
  return { text: pieces.join(""), rules: [...new Set(matches.map(({ rule }) => rule.id))] };
}

/** Whether a word in lower case is made by chance: letters and digits mixed, and no name of something else. */
export function looksRandom(value: string): boolean {
  if (/^[$%*<]|^\W*$|\*\*\*|^masked/.test(value)) return false;
  return (
    /[0-9]/.test(value) &&
    /[a-z]/.test(value) &&
    !/^[a-z]+(?:[-_./][a-z]+)*[-_.]?[0-9]{0,2}$/.test(value)
  );
}
