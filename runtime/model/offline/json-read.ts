/** An object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What lies at `path`, or `undefined` where a step is missing. */
export function valueAt(value: unknown, ...path: readonly (string | number)[]): unknown {
  let place: unknown = value;
  for (const step of path) {
    if (typeof place !== "object" || place === null || !Object.hasOwn(place, step))
      return undefined;
    place = (place as JsonObject)[step];
  }
  return place;
}

/** Text at `path`; numbers and booleans as text, anything else empty. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string {
  const found = valueAt(value, ...path);
  if (typeof found === "string") return found;
  return typeof found === "number" || typeof found === "boolean" ? String(found) : "";
}

/** Number at `path`, also one written as text; `undefined` for anything else. */
export function numberAt(
  value: unknown,
  ...path: readonly (string | number)[]
): number | undefined {
  const text = textAt(value, ...path).trim();
  const number = Number(text);
  return text === "" || !Number.isFinite(number) ? undefined : number;
}

/** List at `path`; empty for anything else. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? (found as readonly unknown[]) : [];
}

/** Whether `value` is an object and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parsed JSON, or `undefined` where `text` is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * JSON in the answer of a tool: from the first line that begins with it to the end, else each line that is an object
 * (a list that was cut still has those); `undefined` where there is none.
 */
export function jsonIn(text: string): unknown {
  const lineStart = text.search(/^[ \t]*[{[]/m);
  const start = lineStart < 0 ? text.search(/[{[]/) : lineStart;
  if (start < 0) return undefined;
  const whole = parseJson(text.slice(start));
  if (whole !== undefined) return whole;
  const objects = text
    .split("\n")
    .map((line) => line.trim().replace(/^\[(?=\{)|,$|(?<=\})\]$/g, ""))
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map(parseJson)
    .filter(isObject);
  return objects.length === 0 ? undefined : objects;
}

/** `value` as JSON with sorted keys, so that equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value === undefined) return "null";
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
