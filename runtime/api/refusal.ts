import type { RefusalCategory, RefusalRule } from "./agent-config.ts";
import { PhraseIndex } from "./phrase-index.ts";
import { type CategoryMatcher, compileCategory } from "./refusal/category.ts";
import { CREDENTIALS } from "./refusal/credentials.ts";
import { DESTRUCTIVE } from "./refusal/destructive.ts";
import { IMPERSONATION } from "./refusal/impersonation.ts";
import { INJECTION } from "./refusal/injection.ts";
import { type Sentence, sentencesOf } from "./refusal/sentences.ts";
import { fold, hasInvisible, type Token, tokens } from "./words.ts";

/** Why a request is refused. */
interface RefusalMatch {
  /** Name of the rule. */
  readonly rule: string;
  /** Set when the rule names a category. */
  readonly category?: RefusalCategory;
  /** What the caller is told. */
  readonly message: string;
}

/** Says whether a text is refused and by which rule; pure. */
export type RefusalCheck = (text: string) => RefusalMatch | undefined;

interface Reading {
  readonly tokens: readonly Token[];
  readonly sentences: readonly Sentence[];
}

const CATEGORIES: Readonly<Record<RefusalCategory, CategoryMatcher>> = {
  destructive: compileCategory(DESTRUCTIVE),
  injection: compileCategory(INJECTION),
  credentials: compileCategory(CREDENTIALS),
  impersonation: compileCategory(IMPERSONATION),
};

/**
 * Prepares refusal rules (decisions 10), which run before routing and before any model call.
 *
 * Text is compared in NFKC without invisible characters, without regard to case and white space. A word
 * or phrase refuses wherever it stands. A category refuses what asks for such a thing, not what talks
 * about it: "delete all pods" is refused, "why was the pod deleted?" is not. The first rule in order of
 * declaration wins. Cost is linear in the length of the text.
 */
export function compileRefusals(rules: readonly RefusalRule[]): RefusalCheck {
  const checks = rules.map((rule) => ({ rule, matches: matcher(rule) }));
  return (text) => {
    if (checks.length === 0) return undefined;
    const readings = readingsOf(text);
    const hit = checks.find(({ matches }) => readings.some(matches));
    if (hit === undefined) return undefined;
    const { name, match, message } = hit.rule;
    return { rule: name, message, ...("category" in match && { category: match.category }) };
  };
}

function matcher({ match }: RefusalRule): (reading: Reading) => boolean {
  if ("category" in match) {
    const asks = CATEGORIES[match.category];
    return ({ sentences }) => sentences.some(asks);
  }
  const index = new PhraseIndex<true>();
  index.add("word" in match ? match.word : match.phrase, true);
  return ({ tokens: words }) => index.find(words).length > 0;
}

/** Invisible characters may be noise inside a word or stand for the space between two: both are read. */
function readingsOf(text: string): readonly Reading[] {
  const folded = hasInvisible(text) ? [fold(text), fold(text, " ")] : [fold(text)];
  return folded.map((form) => ({ tokens: tokens(form), sentences: sentencesOf(form) }));
}
