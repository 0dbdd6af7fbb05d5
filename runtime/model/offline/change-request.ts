import { changeIn, type ManifestChange } from "./manifest-edit.ts";
import { pathIn } from "./repository.ts";
import { hits, nameWords } from "./words.ts";

const CHANGE =
  /\b(open|create|make|raises?|prepare|propose|scale|increases?|decreases?|lowers?|reduces?|double|halve|upgrade|bump|downgrade|set|sets|change|update|fix|patch|pull request|pr)\b/iu;
/** Words of such requests that name no object. */
const OTHER_WORDS =
  /^(?:replicas?|image|images|tag|version|limits?|requests?|chart|pull|value|manifest|draft|branch)$/;
const QUESTION =
  /^\s*(?:why|which|what|how|is|are|was|were|does|do|did|has|have|list|show|when|who|where)\b/iu;

/** Distinct words of `question` that ask for a change. */
export function changeWords(question: string): readonly string[] {
  return hits(question, CHANGE);
}

/** Whether `question` wants something changed, rather than to know something about changes. */
export function asksForChange(question: string): boolean {
  return changeWords(question).length > 0 && !QUESTION.test(question);
}

/** Words of a request that may name what is to be changed, the likeliest first. */
export function changedNames(question: string): readonly string[] {
  const path = pathIn(question)?.toLowerCase();
  return nameWords(question).filter(
    (word) => word !== path && !word.includes("/") && !CHANGE.test(word) && !OTHER_WORDS.test(word),
  );
}

/** The change of one value that a request asks for; `undefined` when it is about no value. */
export function requestedChange(question: string): ManifestChange | undefined {
  return changeIn(question, changedNames(question));
}

/** What is said of a value that nobody named. */
export const ASSUMED =
  "The request names no value: the current one was doubled, halved or moved by one.";

/** Whether the request names the new value. */
export function isNamed({ to }: ManifestChange): boolean {
  return to !== undefined && "value" in to;
}
