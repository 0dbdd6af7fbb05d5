import {
  type FieldPath,
  isJsonObject,
  type JsonObject,
  leaves,
  sameJson,
  valueAt,
  withoutValue,
  withValue,
} from "./json-fields.ts";

/** For each manager, the fields it set (see `idOf`). */
export type FieldOwners = ReadonlyMap<string, ReadonlySet<string>>;

/** Stands for everybody who writes without apply; no name of a manager is empty. */
const WRITERS = "";

/** What an apply makes of an object. */
export interface Applied {
  readonly object: JsonObject;
  readonly owners: FieldOwners;
}

/**
 * Server-side apply, forced: maps are merged, lists are replaced as a whole. Fields that `manager` applied before and
 * no longer names go, unless somebody else set them too.
 *
 * @param current - What is stored; an empty object when nothing is.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function applyFields(
  current: JsonObject,
  wanted: JsonObject,
  manager: string,
  owners: FieldOwners,
): Applied {
  const named = new Map(leaves(wanted).map(([path, value]) => [idOf(path), { path, value }]));
  const others = [...owners].filter(([owner]) => owner !== manager);
  let object = current;
  for (const id of owners.get(manager) ?? []) {
    const path = pathOf(id);
    const isKept = named.has(id) || others.some(([, fields]) => fields.has(id));
    if (!isKept && !isFilled(valueAt(object, path))) object = withoutValue(object, path);
  }
  // an empty map asks for a map, not for its fields to go
  for (const { path, value } of named.values())
    if (!isJsonObject(value) || !isJsonObject(valueAt(object, path)))
      object = withValue(object, path, value);
  const kept = others.map(
    ([owner, fields]) => [owner, unchanged(fields, current, object)] as const,
  );
  return { object, owners: new Map([...kept, [manager, new Set(named.keys())]]) };
}

/** Owners after a write without apply: what it changed is the writer's. */
export function writtenFields(
  before: JsonObject,
  after: JsonObject,
  owners: FieldOwners,
): FieldOwners {
  const kept = [...owners].map(
    ([owner, fields]) => [owner, unchanged(fields, before, after)] as const,
  );
  const changed = leaves(after)
    .filter(([path, value]) => !sameJson(value, valueAt(before, path)))
    .map(([path]) => idOf(path));
  const written = new Set([...(new Map(kept).get(WRITERS) ?? []), ...changed]);
  return new Map([...kept, [WRITERS, written]]);
}

function unchanged(
  fields: ReadonlySet<string>,
  before: JsonObject,
  after: JsonObject,
): ReadonlySet<string> {
  return new Set(
    [...fields].filter((id) => {
      const path = pathOf(id);
      return sameJson(valueAt(before, path), valueAt(after, path));
    }),
  );
}

function isFilled(value: unknown): boolean {
  return isJsonObject(value) && Object.keys(value).length > 0;
}

/** 0 occurs in no key of an object that a cluster takes. */
const SEPARATOR = "\0";

function idOf(path: FieldPath): string {
  return path.join(SEPARATOR);
}

function pathOf(id: string): FieldPath {
  return id.split(SEPARATOR);
}
