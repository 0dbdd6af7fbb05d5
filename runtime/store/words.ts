/** 64 characters: longer runs are keys and hashes, told apart by their beginning. */
const MAX_WORD_LENGTH = 64;

/** Letters, marks and digits in a row. */
const RUN = /[\p{L}\p{M}\p{N}]+/gu;

/** Finds words in scripts that put no spaces between them; made when first needed. */
let segmenter: Intl.Segmenter | undefined;

/**
 * Words of a text, each once, in the order they come.
 *
 * Compatible forms are one (NFKC), and so are upper and lower case; hyphens, dots and underlines end a
 * word, so `checkout-api` is found by `api`.
 */
export function wordsOf(text: string): readonly string[] {
  const words = new Set<string>();
  // Upper case first folds what has several lower forms: ß and ss, both sigmas.
  const folded = text.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
  for (const [run] of folded.matchAll(RUN)) {
    for (const word of isAscii(run) ? [run] : segmentsOf(run)) {
      words.add(word.slice(0, MAX_WORD_LENGTH).toWellFormed());
    }
  }
  return [...words];
}

function isAscii(run: string): boolean {
  return /^[0-9a-z]+$/.test(run);
}

function segmentsOf(run: string): readonly string[] {
  segmenter ??= new Intl.Segmenter("en", { granularity: "word" });
  return Array.from(segmenter.segment(run), ({ segment }) => segment);
}
