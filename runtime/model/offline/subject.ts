import { kindsIn, type ResourceKind } from "./resource-kinds.ts";
import { nameWords } from "./words.ts";

/** What has a name and perhaps a namespace. */
export interface Named {
  readonly namespace: string;
  readonly name: string;
}

const NAME = "[`\"']?([a-z0-9][a-z0-9-]{0,62})[`\"']?";
const NO_NAMESPACE = new Set(
  `a all an any are by called each every for from has have in is it its kubernetes me my named of on or
our per same that the their this to what which with and`.split(/\s+/),
);

/** Namespace that `text` names explicitly (`in namespace shop`, `the shop namespace`, `-n shop`). */
export function namespaceIn(text: string): string | undefined {
  const patterns = [
    `\\b(?:namespace|ns)[\\s:=]+(?:named |called )?${NAME}`,
    `(?:^|\\s)-n\\s+${NAME}`,
    `\\b${NAME}\\s+namespace\\b`,
  ];
  for (const pattern of patterns)
    for (const match of text.toLowerCase().matchAll(new RegExp(pattern, "g"))) {
      const name = match[1];
      if (name !== undefined && !NO_NAMESPACE.has(name)) return name;
    }
  return undefined;
}

/** Object that `text` names with its kind (`deployment checkout`, `pod/web-1`). */
export function objectIn(text: string): { kind: ResourceKind; name: string } | undefined {
  const lower = text.toLowerCase();
  const pattern = new RegExp(
    "\\b([a-z]{2,30})(?:\\s+(?:named\\s+|called\\s+)?|/)[`\"']?([a-z0-9][a-z0-9.-]{1,252})",
    "g",
  );
  // Words overlap ("the pod web-1"), so each search begins at the second word of the one before.
  for (let match = pattern.exec(lower); match !== null; match = pattern.exec(lower)) {
    const [whole, word = "", name = ""] = match;
    const [kind] = kindsIn(word);
    const bare = name.replace(/[.-]+$/, "");
    if (kind !== undefined && nameWords(bare).includes(bare)) return { kind, name: bare };
    pattern.lastIndex = match.index + whole.length - name.length;
  }
  return undefined;
}

/**
 * The objects that `text` is about: those in a namespace or with a name (or beginning of one, up to a dash)
 * that it mentions. All of them where it mentions none.
 */
export function mentioned<T extends Named>(text: string, objects: readonly T[]): readonly T[] {
  const words = new Set(nameWords(text).flatMap((word) => [word, ...word.split("/")]));
  const explicit = namespaceIn(text);
  if (explicit !== undefined) words.delete(explicit);
  const inNamespace = objects.filter(({ namespace }) =>
    explicit === undefined ? words.has(namespace) : namespace === explicit,
  );
  const pool = inNamespace.length > 0 || explicit !== undefined ? inNamespace : objects;
  const byName = pool.filter(({ name }) => mentions(words, name));
  return byName.length > 0 ? byName : pool;
}

/** Names in `text` that nothing listed bears: quoted ones, and words with a dash that are none of `others`. */
export function unmet(
  text: string,
  objects: readonly Named[],
  others: readonly string[],
): readonly string[] {
  const quoted = [...text.toLowerCase().matchAll(/[`"']([a-z0-9][a-z0-9.-]{1,252})[`"']/g)];
  const dashed = nameWords(text).filter((word) => /^[a-z0-9]+(?:-[a-z0-9]+)+$/.test(word));
  const names = new Set([...quoted.map(([, name = ""]) => name), ...dashed]);
  return [...names].filter(
    (name) =>
      !others.includes(name) &&
      !objects.some((each) => each.namespace === name || mentions(new Set([name]), each.name)),
  );
}

/** Whether one of `words` is `name`, its beginning up to a dash, or, with a dash of its own, its end after one. */
export function mentions(words: ReadonlySet<string>, name: string): boolean {
  if (words.has(name)) return true;
  for (let dash = name.lastIndexOf("-"); dash > 2; dash = name.lastIndexOf("-", dash - 1))
    if (words.has(name.slice(0, dash))) return true;
  return [...words].some((word) => word.includes("-") && name.endsWith(`-${word}`));
}
