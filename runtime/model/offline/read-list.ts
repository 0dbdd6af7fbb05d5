import {
  isObject,
  type JsonObject,
  listAt,
  numberAt,
  parseJson,
  textAt,
  valueAt,
} from "./json-read.ts";

/** Objects that a tool listed. */
export interface ObjectList {
  readonly objects: readonly JsonObject[];
  /** How many there are, shown or not. */
  readonly total: number;
  /** How many the tool says need attention, which it lists first; `undefined` where it does not say. */
  readonly unhealthy: number | undefined;
  /** Whether something is missing: left out by the tool, or cut on the way. */
  readonly incomplete: boolean;
}

/** 256 KiB of a damaged list are searched for whole objects. */
const MAX_DAMAGED = 256 * 1024;

/**
 * Reads a Kubernetes List, a plain JSON array or one object; `undefined` where `text` is no JSON.
 *
 * A list that was cut in its middle gives the objects that are whole.
 */
export function readObjects(text: string): ObjectList | undefined {
  if (/^no [^\n]{1,200} found\b/i.test(text))
    return { objects: [], total: 0, unhealthy: undefined, incomplete: false };
  const start = text.search(/[{[]/);
  if (start < 0 || text.slice(0, start).split("\n").length > 5) return undefined;
  const json = text.slice(start);
  const parsed = parseJson(json);
  if (parsed !== undefined) return whole(parsed);
  const objects = wholeObjects(json.slice(0, MAX_DAMAGED));
  if (objects.length === 0 && !/"items"\s*:/.test(json)) return undefined;
  const head = json.slice(0, 400);
  return {
    objects,
    total: countIn(head, "total") ?? objects.length,
    unhealthy: countIn(head, "unhealthy"),
    incomplete: true,
  };
}

/** A count in the head of a list that is damaged further down. */
function countIn(head: string, key: string): number | undefined {
  const digits = new RegExp(`"${key}"\\s*:\\s*(\\d{1,9})`).exec(head)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function whole(parsed: unknown): ObjectList | undefined {
  const items = Array.isArray(parsed) ? (parsed as unknown[]) : listAt(parsed, "items");
  const isList = Array.isArray(parsed) || Array.isArray(valueAt(parsed, "items"));
  if (!isList && !isKubernetesObject(parsed)) return undefined;
  const objects = isList ? items.filter(isObject) : [parsed as JsonObject];
  return {
    objects,
    total: numberAt(parsed, "total") ?? objects.length,
    unhealthy: numberAt(parsed, "unhealthy"),
    incomplete:
      (numberAt(parsed, "leftOut") ?? 0) > 0 ||
      valueAt(parsed, "more") === true ||
      textAt(parsed, "metadata", "continue") !== "",
  };
}

function isKubernetesObject(value: unknown): value is JsonObject {
  return isObject(value) && textAt(value, "metadata", "name") !== "";
}

/** 2 MiB of text are parsed in search of whole objects: deeply nested text would cost its square. */
const MAX_PARSED = 2 * 1024 * 1024;

/** Kubernetes objects in `text` that are whole, whatever became of the text around them. */
function wholeObjects(text: string): readonly JsonObject[] {
  const found: JsonObject[] = [];
  const ends = closings(text);
  let room = MAX_PARSED;
  for (let at = text.indexOf("{"); at >= 0 && room > 0; at = text.indexOf("{", at)) {
    const end = ends.get(at) ?? at - 1;
    room -= end - at + 1;
    const parsed = end > at ? parseJson(text.slice(at, end + 1)) : undefined;
    const isItem = isKubernetesObject(parsed);
    if (isItem) found.push(parsed);
    at = isItem ? end + 1 : at + 1;
  }
  return found;
}

/**
 * For each opening brace its closing one. A raw line break inside a string means damage: strings of JSON have
 * none, so reading starts afresh outside of it.
 */
function closings(text: string): ReadonlyMap<number, number> {
  const ends = new Map<number, number>();
  const open: number[] = [];
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (inString && character === "\\") at += 1;
    else if (character === '"') inString = !inString;
    else if (character === "\n") inString = false;
    else if (inString) continue;
    else if (character === "{") open.push(at);
    else if (character === "}") {
      const start = open.pop();
      if (start !== undefined) ends.set(start, at);
    }
  }
  return ends;
}
