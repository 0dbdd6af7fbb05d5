import { SEVERITIES } from "../../api/envelope.ts";
import { isObject, type JsonObject, listAt, numberAt, textAt, valueAt } from "./json-read.ts";
import type { Report } from "./report.ts";

/** 12 levels and 2000 values: a schema that refers to itself ends. */
const MAX_DEPTH = 12;
const MAX_VALUES = 2000;

interface Fitting {
  readonly root: JsonObject;
  readonly report: Report;
  readonly text: string;
  values: number;
}

/**
 * The smallest value that fits a JSON Schema, with what is known put where names and choices ask for it.
 *
 * @param text - The whole answer in prose, for a field that wants it.
 */
export function fitSchema(schema: JsonObject, report: Report, text: string): unknown {
  return fit(schema, "", { root: schema, report, text, values: 0 }, 0);
}

function fit(schema: unknown, key: string, run: Fitting, depth: number): unknown {
  run.values += 1;
  const whole = resolved(schema, run.root);
  const preset = valueAt(whole, "const") ?? valueAt(whole, "default");
  if (preset !== undefined) return preset;
  const choices = listAt(whole, "enum");
  if (choices.length > 0) return choiceOf(choices, run);
  if (depth > MAX_DEPTH || run.values > MAX_VALUES) return null;
  const branch = branchOf(whole);
  if (branch !== undefined) return fit(branch, key, run, depth + 1);
  return ofType(typeOf(whole), whole, key, { run, depth });
}

interface Place {
  readonly run: Fitting;
  readonly depth: number;
}

function ofType(type: string, schema: unknown, key: string, { run, depth }: Place): unknown {
  switch (type) {
    case "object":
      return objectFor(schema, run, depth);
    case "array":
      return arrayFor(schema, key, { run, depth });
    case "number":
    case "integer":
      return numberFor(schema);
    case "boolean":
      return false;
    case "null":
      return null;
    default:
      return textFor(schema, key, run);
  }
}

function resolved(schema: unknown, root: JsonObject): unknown {
  let place = schema;
  for (let hop = 0; hop < 20; hop += 1) {
    const reference = textAt(place, "$ref");
    if (!reference.startsWith("#")) return merged(place);
    const steps = reference.slice(1).split("/").slice(1);
    place = valueAt(root, ...steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~")));
  }
  return {};
}

/** `allOf` as one schema: later parts win, properties and required add up. */
function merged(schema: unknown): unknown {
  const parts = listAt(schema, "allOf").filter(isObject);
  if (parts.length === 0 || !isObject(schema)) return schema;
  const all = [schema, ...parts];
  return {
    ...Object.assign({}, ...all),
    properties: Object.assign(
      {},
      ...all.map((part) => valueAt(part, "properties") ?? {}),
    ) as unknown,
    required: all.flatMap((part) => listAt(part, "required")),
  };
}

function branchOf(schema: unknown): unknown {
  const branches = [...listAt(schema, "anyOf"), ...listAt(schema, "oneOf")];
  return branches.find((branch) => textAt(branch, "type") === "null") ?? branches[0];
}

function typeOf(schema: unknown): string {
  const types = listAt(schema, "type").map(String);
  if (types.length > 0) return types.includes("null") ? "null" : (types[0] ?? "");
  if (valueAt(schema, "properties") !== undefined) return "object";
  return textAt(schema, "type") || (valueAt(schema, "items") === undefined ? "string" : "array");
}

function choiceOf(choices: readonly unknown[], { report, text }: Fitting): unknown {
  if (SEVERITIES.every((severity) => choices.includes(severity))) return report.severity;
  const lower = text.toLowerCase();
  return (
    choices.find(
      (choice) =>
        typeof choice === "string" && choice !== "" && lower.includes(choice.toLowerCase()),
    ) ?? choices[0]
  );
}

function objectFor(schema: unknown, run: Fitting, depth: number): JsonObject {
  const properties = valueAt(schema, "properties");
  const names = isObject(properties) ? Object.keys(properties) : [];
  const required = new Set(listAt(schema, "required").map(String));
  const wanted = names.filter((name) => required.has(name) || PROSE.test(name));
  const missing = [...required].filter((name) => !names.includes(name));
  return Object.fromEntries([
    ...wanted.map((name) => [name, fit(valueAt(properties, name), name, run, depth + 1)] as const),
    ...missing.map((name) => [name, run.report.summary] as const),
  ]);
}

function arrayFor(schema: unknown, key: string, { run, depth }: Place): readonly unknown[] {
  const prefix = listAt(schema, "prefixItems").map((item) => fit(item, key, run, depth + 1));
  const least = Math.min(numberAt(schema, "minItems") ?? 0, 50);
  const items = valueAt(schema, "items") ?? {};
  while (prefix.length < least) prefix.push(fit(items, key, run, depth + 1));
  return prefix;
}

function numberFor(schema: unknown): number {
  const least = numberAt(schema, "minimum");
  const above = numberAt(schema, "exclusiveMinimum");
  const most = numberAt(schema, "maximum") ?? Number.POSITIVE_INFINITY;
  const step = numberAt(schema, "multipleOf") ?? (textAt(schema, "type") === "integer" ? 1 : 0);
  const from = Math.max(
    least ?? (above === undefined ? 0 : above + (step || 1)),
    Number.NEGATIVE_INFINITY,
  );
  const start = step > 0 ? Math.ceil(from / step) * step : from;
  return Math.min(start, most);
}

/** Names of fields that hold prose. */
const PROSE =
  /^(?:summary|answer|text|message|title|description|details?|body|report|reason|explanation|content|result)$/i;

function textFor(schema: unknown, key: string, { report, text }: Fitting): string {
  const format = FORMATS[textAt(schema, "format")];
  if (format !== undefined) return format;
  const most = numberAt(schema, "maxLength") ?? Number.POSITIVE_INFINITY;
  const least = numberAt(schema, "minLength") ?? 0;
  const known = KNOWN.find(([pattern]) => pattern.test(key))?.[1](report, text);
  const value = known ?? (least > 0 ? report.summary : "");
  return value.slice(0, most).padEnd(Math.min(least, 10_000), ".");
}

const KNOWN: readonly (readonly [RegExp, (report: Report, text: string) => string])[] = [
  [/^(?:answer|text|body|report|content|result|details?)$/i, (_report, text) => text],
  [PROSE, ({ summary }) => summary],
  [/^cluster/i, ({ cluster }) => cluster],
  [/^namespace/i, ({ namespace }) => namespace],
  [/next|action|recommend/i, ({ next }) => next],
];

const FORMATS: Readonly<Record<string, string>> = {
  "date-time": "1970-01-01T00:00:00Z",
  date: "1970-01-01",
  time: "00:00:00Z",
  email: "unknown@example.invalid",
  uri: "about:blank",
  uuid: "00000000-0000-0000-0000-000000000000",
};
