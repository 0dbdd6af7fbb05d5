/**
 * Whether `actual` has everything that `desired` names: what a server adds by itself (defaults, fields of others) does
 * not count.
 *
 * Lists are compared item by item; lists of named items by name, for others may have put theirs in between.
 */
export function covers(actual: unknown, desired: unknown): boolean {
  if (isAbsent(desired)) return true;
  if (Array.isArray(desired)) return Array.isArray(actual) && coversList(actual, desired);
  if (typeof desired !== "object" || desired === null) return actual === desired;
  if (typeof actual !== "object" || actual === null) return isEmpty(desired);
  const fields = actual as Readonly<Record<string, unknown>>;
  return Object.entries(desired).every(([field, value]) =>
    Object.hasOwn(fields, field) ? covers(fields[field], value) : isAbsent(value),
  );
}

function coversList(actual: readonly unknown[], desired: readonly unknown[]): boolean {
  const names = desired.map(nameOf);
  if (names.every((name) => name !== undefined))
    return desired.every((item, index) =>
      actual.some((other) => nameOf(other) === names[index] && covers(other, item)),
    );
  return (
    actual.length === desired.length && desired.every((item, index) => covers(actual[index], item))
  );
}

function nameOf(item: unknown): string | undefined {
  if (typeof item !== "object" || item === null || !("name" in item)) return undefined;
  return typeof item.name === "string" ? item.name : undefined;
}

/** A server keeps no empty maps and lists where it need not. */
function isAbsent(value: unknown): boolean {
  return value === undefined || (typeof value === "object" && value !== null && isEmpty(value));
}

function isEmpty(value: object): boolean {
  return Object.values(value).every((item) => item === undefined);
}
