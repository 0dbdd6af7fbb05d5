import { isDeepStrictEqual } from "node:util";

/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether `value` is an object of JSON: no list, not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A deep copy as the wire makes it: fields that are `undefined` are left out. Frozen, so it can be handed to anybody. */
export function frozenCopy<T>(value: T): T;
export function frozenCopy(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map((each: unknown) => frozenCopy(each)));
  if (!isJsonObject(value)) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.freeze(Object.fromEntries(fields.map(([key, each]) => [key, frozenCopy(each)])));
}

/** Whether both are the same JSON. */
export function sameJson(some: unknown, other: unknown): boolean {
  return isDeepStrictEqual(some, other);
}

/**
 * `patch` merged into `target`: maps field by field, `null` removes, everything else replaces.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7396
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const merged = new Map(Object.entries(isJsonObject(target) ? target : {}));
  for (const [key, value] of Object.entries(patch))
    if (value === null) merged.delete(key);
    else if (value !== undefined) merged.set(key, mergePatch(merged.get(key), value));
  return Object.fromEntries(merged);
}

/** Way to a field from the top of an object. */
export type FieldPath = readonly string[];

/** Every field that holds no further fields: a scalar, a list (as one), an empty map. */
export function leaves(value: JsonObject): readonly (readonly [FieldPath, unknown])[] {
  return Object.entries(value).flatMap(([key, field]) =>
    isJsonObject(field) && Object.keys(field).length > 0
      ? leaves(field).map(([path, leaf]) => [[key, ...path], leaf] as const)
      : [[[key], field] as const],
  );
}

/** The value at `path`; `undefined` when there is none. */
export function valueAt(object: JsonObject, path: FieldPath): unknown {
  let at: unknown = object;
  for (const key of path) at = isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return at;
}

/** `object` with `value` at `path`; maps on the way are made. */
export function withValue(object: JsonObject, path: FieldPath, value: unknown): JsonObject {
  const [key, ...rest] = path;
  if (key === undefined) return object;
  if (rest.length === 0) return { ...object, [key]: value };
  const below = object[key];
  return { ...object, [key]: withValue(isJsonObject(below) ? below : {}, rest, value) };
}

/** `object` without the field at `path`, and without the maps that are empty then. */
export function withoutValue(object: JsonObject, path: FieldPath): JsonObject {
  const [key, ...rest] = path;
  if (key === undefined || !Object.hasOwn(object, key)) return object;
  const { [key]: below, ...others } = object;
  if (rest.length === 0 || !isJsonObject(below)) return others;
  const left = withoutValue(below, rest);
  return Object.keys(left).length === 0 ? others : { ...object, [key]: left };
}
