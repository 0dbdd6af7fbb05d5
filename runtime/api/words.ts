/** A word or a mark of punctuation, in the form that words are compared in. */
export interface Token {
  /** Folded text: a word, or one mark. */
  readonly text: string;
  /** Whether it is a word; else a mark of punctuation. */
  readonly word: boolean;
  /** What stands between the token before and this one: white space, dashes, quotes, or nothing. */
  readonly before: string;
}

/** Characters that take no space on paper: hidden between letters they would break a word in two. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/** Apostrophes inside a word: `don't` and `pod's` are one word each. */
const APOSTROPHE = /(?<=[\p{L}\p{N}])['\u2018\u2019\u02BC](?=\p{L})/gu;

/**
 * A word (letters, marks, digits, connecting underscores) or one mark that parts sentences, clauses
 * or paths. White space, dashes, quotes and the decoration of Markdown are neither: `right-size`,
 * `"right" size` and `right size` are the same two words.
 */
const TOKEN = /([\p{L}\p{M}\p{N}\p{Pc}]+)|[.,;:!?/\\#+@&=%$|()[\]{}<>\u2026\u3001\u3002]/gu;

/**
 * `text` in the form in which it is compared: NFKC, without invisible characters, case folded.
 *
 * Linear in the length of the text.
 *
 * @param invisible - What takes the place of characters that take no space on paper.
 */
export function fold(text: string, invisible: "" | " " = ""): string {
  // Upper case first: it joins what lower case keeps apart (`ß` and `ss`, both forms of sigma).
  return text
    .normalize("NFKC")
    .replace(INVISIBLE, invisible)
    .replace(APOSTROPHE, "")
    .toUpperCase()
    .toLowerCase();
}

/**
 * Words and marks of a folded text, in order.
 *
 * Boundaries depend on character classes alone, not on a dictionary, so that the same text gives the
 * same words on every machine. Linear in the length of the text.
 */
export function tokens(folded: string): readonly Token[] {
  const found: Token[] = [];
  let end = 0;
  for (const match of folded.matchAll(TOKEN)) {
    const [text, word] = match;
    found.push({ text, word: word !== undefined, before: folded.slice(end, match.index) });
    end = match.index + text.length;
  }
  return found;
}

/** Whether `text` has characters that take no space on paper. */
export function hasInvisible(text: string): boolean {
  return text.search(INVISIBLE) >= 0;
}
