/** Reads into data of unknown shape; none of these throws, and none follows a prototype. */

/** What lies at `path`, or `undefined`. */
export function valueAt(value: unknown, ...path: readonly (string | number)[]): unknown {
  let at: unknown = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string | number, unknown>)[key];
  }
  return at;
}

/** The text at `path`; empty when there is none. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string {
  const found = valueAt(value, ...path);
  return typeof found === "string" ? found : "";
}

/** The finite number at `path`, or `undefined`. */
export function numberAt(
  value: unknown,
  ...path: readonly (string | number)[]
): number | undefined {
  const found = valueAt(value, ...path);
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
}

/** The array at `path`; empty when there is none. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found: unknown = valueAt(value, ...path);
  return Array.isArray(found) ? (found as unknown[]) : [];
}

/** The object at `path`; empty when there is none. */
export function recordAt(
  value: unknown,
  ...path: readonly (string | number)[]
): Readonly<Record<string, unknown>> {
  const found = valueAt(value, ...path);
  if (typeof found !== "object" || found === null || Array.isArray(found)) return {};
  return found as Record<string, unknown>;
}

/** Text or number at `path` as text; empty for anything else. */
export function wordAt(value: unknown, ...path: readonly (string | number)[]): string {
  const found = valueAt(value, ...path);
  if (typeof found === "string") return found;
  return typeof found === "number" || typeof found === "boolean" ? String(found) : "";
}

/** A copy of `record` without `keys`. */
export function without(
  record: Readonly<Record<string, unknown>>,
  ...keys: readonly string[]
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}

/** The first of several texts that is not empty, else empty. */
export function firstText(...texts: readonly string[]): string {
  return texts.find((text) => text !== "") ?? "";
}
