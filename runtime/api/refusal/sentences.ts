import { type Token, tokens } from "../words.ts";

/** A word in its sentence. */
interface Word {
  /** Folded text. */
  readonly text: string;
  /**
   * Whether a clause may begin here: `fresh` on its own (first word, behind a colon, a dash or a line
   * end), `linked` to what comes before (behind a comma).
   */
  readonly opens: "fresh" | "linked" | "no";
  /** Whether punctuation parts it from the word before. */
  readonly parted: boolean;
  /** Whether a line begins with it. */
  readonly line: boolean;
}

/** The words of one sentence, at least one. */
export type Sentence = readonly Word[];

/** Marks that end a sentence when white space follows. */
const ENDS = new Set([".", "!", "?", "\u2026", "\u3002"]);
/** Marks behind which a clause goes on from the one before. */
const COMMAS = new Set([",", "\u3001"]);
/** Marks of names, paths and remarks, which part nothing. */
const INSIDE = new Set("/ \\ # + @ = % $ ( ) [ ] { } < >".split(" "));
const LINE_END = /[\n\r]/;
/** A line end, or a dash with space around it. */
const BREAK = /[\n\r]|\s[-\u2013\u2014]+\s|[\u2013\u2014]/;

/** What stands between two words; all false where it is white space only. */
interface Between {
  /** A mark that ends sentences. */
  readonly end: boolean;
  /** White space behind such a mark. */
  readonly ended: boolean;
  readonly comma: boolean;
  /** A mark that parts clauses and is no comma. */
  readonly colon: boolean;
  readonly line: boolean;
  readonly broken: boolean;
}

const NOTHING: Between = {
  end: false,
  ended: false,
  comma: false,
  colon: false,
  line: false,
  broken: false,
};

/** Sentences of a folded text, in order; punctuation is gone. Linear in the length of the text. */
export function sentencesOf(folded: string): readonly Sentence[] {
  const sentences: Word[][] = [[]];
  let between = NOTHING;
  for (const token of tokens(folded)) {
    between = extended(between, token);
    if (!token.word) continue;
    if (between.ended) sentences.push([]);
    const sentence = sentences.at(-1) ?? [];
    sentence.push(...wordsOf(token.text, sentence.length === 0, between));
    between = NOTHING;
  }
  return sentences.filter(({ length }) => length > 0);
}

function extended(between: Between, { text, word, before }: Token): Between {
  const spaced = between.end && /\s/.test(before) ? { ...between, ended: true } : between;
  const broken = BREAK.test(before)
    ? { ...spaced, broken: true, line: spaced.line || LINE_END.test(before) }
    : spaced;
  if (word || INSIDE.has(text)) return broken;
  if (COMMAS.has(text)) return { ...broken, comma: true };
  return { ...broken, colon: true, end: broken.end || ENDS.has(text) };
}

/** A token's words: names in snake case are read as the words they are made of. */
function wordsOf(token: string, first: boolean, between: Between): readonly Word[] {
  const parted = between.comma || between.colon;
  const fresh = first || between.broken || between.colon;
  return token
    .split("_")
    .filter((part) => part !== "")
    .map((text, at) => {
      if (at > 0) return { text, opens: "no", parted: false, line: false };
      const opens = fresh ? "fresh" : between.comma ? "linked" : "no";
      return { text, opens, parted, line: first || between.line };
    });
}
