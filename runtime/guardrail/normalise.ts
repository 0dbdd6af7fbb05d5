/** Text as rules see it, with the way back. */
export interface NormalisedText {
  /** Folded: NFKC, lower case, look-alikes as Latin letters, nothing invisible, white space as it is. */
  readonly text: string;
  /** For each UTF-16 unit of `text`, and for its end, where it comes from in the original. */
  readonly origins: Uint32Array;
}

/** Letters of other scripts that look like Latin ones, after lower-casing. */
const LOOK_ALIKES = new Map(
  Object.entries({
    а: "a",
    в: "b",
    с: "c",
    ԁ: "d",
    е: "e",
    һ: "h",
    і: "i",
    ј: "j",
    к: "k",
    ӏ: "l",
    м: "m",
    н: "h",
    о: "o",
    р: "p",
    ԛ: "q",
    г: "r",
    ѕ: "s",
    т: "t",
    у: "y",
    ѵ: "v",
    ԝ: "w",
    х: "x",
    ѐ: "e",
    ё: "e",
    α: "a",
    β: "b",
    ε: "e",
    η: "n",
    ι: "i",
    κ: "k",
    ν: "v",
    ο: "o",
    ρ: "p",
    τ: "t",
    υ: "u",
    χ: "x",
    ɑ: "a",
    ɡ: "g",
    ı: "i",
    ʟ: "l",
    ո: "n",
    օ: "o",
    ս: "u",
    ց: "g",
    հ: "h",
  }),
);

/** Zero width, joiners, soft hyphen, directions, variation selectors, tags. */
const INVISIBLE =
  /^[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\u{e0000}-\u{e0fff}]$/u;

/** Plain text needs no folding beside its case, which keeps every place. */
const ASCII = /^[\u0000-\u007f]*$/;

/** Folds text for the rules; O(length). */
export function normalise(original: string): NormalisedText {
  if (ASCII.test(original)) {
    const origins = Uint32Array.from({ length: original.length + 1 }, (_, index) => index);
    return { text: original.toLowerCase(), origins };
  }
  const pieces: string[] = [];
  const origins: number[] = [];
  let at = 0;
  for (const point of original) {
    const folded = fold(point);
    pieces.push(folded);
    for (let unit = 0; unit < folded.length; unit += 1) origins.push(at);
    at += point.length;
  }
  origins.push(original.length);
  return { text: pieces.join(""), origins: Uint32Array.from(origins) };
}

function fold(point: string): string {
  if (INVISIBLE.test(point)) return "";
  let folded = "";
  for (const part of point.normalize("NFKC").toLowerCase()) folded += LOOK_ALIKES.get(part) ?? part;
  return folded;
}
