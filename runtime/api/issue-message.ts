import type * as z from "zod";
import { nearest } from "./nearest.ts";

type Issue = z.core.$ZodRawIssue;
/** Words for the codes that have some of ours; the rest comes with its message or keeps zod's. */
const WORDS: { readonly [C in Issue["code"]]?: (issue: Extract<Issue, { code: C }>) => string } = {
  invalid_type: ({ expected, input, inst }) =>
    wrongType(expected === "number" && isInteger(inst) ? "int" : expected, input),
  invalid_value: ({ values, input }) => notListed(values, input),
  too_small: (issue) => outOfBounds("least", issue.minimum, issue),
  too_big: (issue) => outOfBounds("most", issue.maximum, issue),
  unrecognized_keys: ({ keys, inst }) => {
    const known = knownFields(inst);
    return keys.map((key) => unknownField(key, known)).join("\n");
  },
  invalid_key: ({ issues }) => `the key ${issues[0]?.message ?? "is invalid"}`,
};

/**
 * What a zod issue says in our voice; `undefined` leaves the words to zod.
 *
 * For `unrecognized_keys` one line for each key. Never holds a value that was given, except numbers:
 * it may be a secret in the wrong field.
 */
export function issueMessage(issue: Issue): string | undefined {
  // Each entry takes the issues of its own code; TypeScript cannot see that through a lookup.
  return (WORDS[issue.code] as ((issue: Issue) => string) | undefined)?.(issue);
}

/** `known` as a list for people: `"a"`, `"a" or "b"`, `"a", "b" or "c"`. */
export function quotedList(known: readonly unknown[]): string {
  const quoted = known.map((value) => JSON.stringify(value));
  const last = quoted.pop() ?? "";
  return quoted.length === 0 ? last : `${quoted.join(", ")} or ${last}`;
}

/** Words for "did you mean", empty without a known name that is close. */
export function suggestion(name: string, known: readonly string[]): string {
  const close = nearest(name, known);
  return close === undefined ? "" : `; did you mean ${JSON.stringify(close)}?`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
  object: "an object",
  record: "an object",
  array: "a list",
};

function wrongType(expected: string, input: unknown): string {
  if (input === undefined) return "is required";
  const wanted = EXPECTED[expected] ?? expected;
  const found = `must be ${wanted}, is ${typeName(input)}`;
  if (expected === "string" && (typeof input === "number" || typeof input === "boolean"))
    return `${found} (put it in quotes)`;
  if (expected !== "string" && isLiteralText(expected, input))
    return `${found} (leave out the quotes)`;
  return found;
}

/** Whether a schema is one of integers, which zod expects to be numbers first. */
function isInteger(schema: unknown): boolean {
  return /int/.test((schema as Partial<z.core.$ZodNumberFormat>)._zod?.def.format ?? "");
}

/** Whether a string holds what was wanted: `"5"` for an integer, `"true"` for a boolean. */
function isLiteralText(expected: string, input: unknown): boolean {
  if (typeof input !== "string") return false;
  if (expected === "boolean") return input === "true" || input === "false";
  return (expected === "int" || expected === "number") && /^-?\d+$/.test(input);
}

function typeName(input: unknown): string {
  if (input === null) return "null";
  if (Array.isArray(input)) return "a list";
  if (typeof input === "number") return Number.isInteger(input) ? "an integer" : "a number";
  return typeof input === "object" ? "an object" : `a ${typeof input}`;
}

function notListed(values: readonly unknown[], input: unknown): string {
  if (input === undefined) return "is required";
  const rule = `must be ${quotedList(values)}`;
  if (typeof input !== "string") {
    const isQuotable = typeof input === "boolean" || typeof input === "number";
    const quotes = isQuotable && values.includes(String(input)) ? " (put it in quotes)" : "";
    return `${rule}, is ${typeName(input)}${quotes}`;
  }
  return (
    rule +
    suggestion(
      input,
      values.filter((value) => typeof value === "string"),
    )
  );
}

function outOfBounds(
  side: "least" | "most",
  bound: number | bigint,
  { origin, input }: { readonly origin: string; readonly input?: unknown },
): string {
  if (origin === "array" && Array.isArray(input)) {
    return `must have at ${side} ${bound} item${bound === 1 ? "" : "s"}, has ${input.length}`;
  }
  const is = typeof input === "number" ? `, is ${input}` : "";
  return `must be at ${side} ${bound}${is}`;
}

function unknownField(name: string, known: readonly string[]): string {
  return `unknown field ${JSON.stringify(name)}${suggestion(name, known)}`;
}

function knownFields(schema: unknown): readonly string[] {
  const shape = (schema as Partial<z.core.$ZodObject> | undefined)?._zod?.def.shape;
  return shape === undefined ? [] : Object.keys(shape);
}
