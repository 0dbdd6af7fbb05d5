/** What can be worked out, as Python, and how the question says it. */
export interface Calculation {
  /** A Python expression of numbers, operators and `range`. */
  readonly expression: string;
  /** For people: the unit of the result; empty for a bare number. */
  readonly unit: string;
}

const NUMBER = String.raw`\d+(?:\.\d+)?`;
/** Minutes of the spans that availability is told for; a month has 30 days. */
const SPAN_MINUTES: Readonly<Record<string, number>> = {
  hour: 60,
  day: 1_440,
  week: 10_080,
  month: 43_200,
  quarter: 129_600,
  year: 525_600,
};

/** A date is no subtraction. */
const DATE = /\b\d{4}-\d{2}-\d{2}\b/g;

/** Operators as people say them. */
const SPOKEN: readonly (readonly [RegExp, string])[] = [
  [/\bto the power of\b/giu, "**"],
  [/\bmultiplied by\b|\btimes\b|[×·]/giu, "*"],
  [/\bdivided by\b|[÷]/giu, "/"],
  [/\bplus\b/giu, "+"],
  [/\bminus\b|[−–]/giu, "-"],
  [/\bmodulo\b|\bmod\b/giu, "%"],
  [/\^/gu, "**"],
];

/**
 * The calculation that a question asks for: a share (`17 % of 4200`), what an availability leaves, a sum over a range, or
 * an arithmetic expression; `undefined` where it holds none.
 */
export function calculationIn(question: string): Calculation | undefined {
  // 1,000,000 is one number; a comma between others separates them.
  const text = question.replace(/(?<=\d),(?=\d{3}(?!\d))/g, "").replace(DATE, " ");
  return shareIn(text) ?? availabilityIn(text) ?? rangeIn(text) ?? arithmeticIn(text);
}

function shareIn(text: string): Calculation | undefined {
  const [, share, whole] =
    new RegExp(`(${NUMBER})\\s*(?:%|per ?cent)\\s+of\\s+(${NUMBER})`, "iu").exec(text) ?? [];
  if (share === undefined || whole === undefined) return undefined;
  return { expression: `${share} * ${whole} / 100`, unit: "" };
}

function availabilityIn(text: string): Calculation | undefined {
  const share = new RegExp(`(${NUMBER})\\s*(?:%|per ?cent)\\s+(?:availability|uptime)`, "iu").exec(
    text,
  )?.[1];
  const span = /\b(?:a|per|each|every|in a|this)\s+(hour|day|week|month|quarter|year)\b/iu.exec(
    text,
  )?.[1];
  const minutes = SPAN_MINUTES[span?.toLowerCase() ?? ""];
  if (share === undefined || minutes === undefined) return undefined;
  const of = `minutes of ${minutes} (a ${span?.toLowerCase() ?? ""})`;
  return { expression: `round((100 - ${share}) * ${minutes} / 100, 6)`, unit: of };
}

function rangeIn(text: string): Calculation | undefined {
  const [, from, to] =
    /\b(?:adds?|sums?|sum of|total of)\b[^\n]{0,40}?\b(?:from|between)\s+(\d{1,9})\s+(?:to|and|through)\s+(\d{1,9})\b/iu.exec(
      text,
    ) ?? [];
  if (from === undefined || to === undefined) return undefined;
  return { expression: `sum(range(${from}, ${to} + 1))`, unit: "" };
}

function arithmeticIn(text: string): Calculation | undefined {
  let spoken = text;
  for (const [words, sign] of SPOKEN) spoken = spoken.replace(words, ` ${sign} `);
  const found = spoken
    .match(/[\d(.][\d\s+\-*/%.()]{2,200}/g)
    ?.map((each) => each.trim().replace(/[.\s]+$/, ""))
    .find(isArithmetic);
  return found === undefined ? undefined : { expression: found.replace(/\s+/g, " "), unit: "" };
}

/** 200 signs and numbers: far more than a question has. */
const MAX_TOKENS = 200;

const OPERATOR = /^(?:\*\*|\/\/|[-+*/%])$/;

/** Whether a text is an arithmetic expression with an operator in it. */
function isArithmetic(text: string): boolean {
  const tokens = text.match(/\d+(?:\.\d+)?|\*\*|\/\/|[-+*/%()]|\S/g) ?? [];
  if (tokens.length > MAX_TOKENS) return false;
  let place: Place | undefined = { depth: 0, wants: "value" };
  for (const token of tokens) {
    place = place.wants === "value" ? afterValue(place, token) : afterOperator(place, token);
    if (place === undefined) return false;
  }
  const operators = tokens.slice(1).filter((token) => OPERATOR.test(token));
  return place.depth === 0 && place.wants === "operator" && operators.length > 0;
}

/** Where the reading of an expression is: open brackets, and what has to come. */
interface Place {
  readonly depth: number;
  readonly wants: "value" | "operator";
}

function afterValue({ depth }: Place, token: string): Place | undefined {
  if (token === "(") return { depth: depth + 1, wants: "value" };
  if (token === "-") return { depth, wants: "value" };
  return /^\d/.test(token) ? { depth, wants: "operator" } : undefined;
}

function afterOperator({ depth }: Place, token: string): Place | undefined {
  if (token === ")" && depth > 0) return { depth: depth - 1, wants: "operator" };
  return OPERATOR.test(token) ? { depth, wants: "value" } : undefined;
}
