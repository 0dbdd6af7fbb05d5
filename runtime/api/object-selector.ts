import { ClusterError, type KubeObject } from "./cluster-reader.ts";

/** Whether an object is selected. */
export type Selects = (object: KubeObject) => boolean;

const KEY = String.raw`[\w./-]+`;
const SET = new RegExp(String.raw`^(${KEY})\s+(in|notin)\s*\(([^()]*)\)$`);
const PAIR = new RegExp(String.raw`^(${KEY})\s*(==|=|!=)\s*([\w.-]*)$`);
const PRESENCE = new RegExp(String.raw`^(!?)\s*(${KEY})$`);

/**
 * A label selector as kubectl writes it: `a=1`, `a!=1`, `a in (1,2)`, `a notin (1)`, `a`, `!a`, joined by commas.
 *
 * @throws ClusterError `invalid` for anything else.
 */
export function labelSelector(text: string): Selects {
  const terms = text
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== "")
    .map(labelTerm);
  return ({ metadata: { labels = {} } }) => terms.every((term) => term(labels));
}

type LabelTerm = (labels: Readonly<Record<string, string>>) => boolean;

function labelTerm(text: string): LabelTerm {
  const set = SET.exec(text);
  if (set !== null) {
    const [, key = "", operator, list = ""] = set;
    const values: readonly (string | undefined)[] = list.split(",").map((value) => value.trim());
    // an absent label is in no set
    return (labels) => values.includes(labels[key]) === (operator === "in");
  }
  const pair = PAIR.exec(text);
  if (pair !== null) {
    const [, key = "", operator, value] = pair;
    return (labels) => (labels[key] === value) === (operator !== "!=");
  }
  const presence = PRESENCE.exec(text);
  if (presence === null)
    throw new ClusterError("invalid", `unable to parse label selector "${text}"`);
  const [, not, key = ""] = presence;
  return (labels) => (labels[key] === undefined) === (not === "!");
}

/**
 * A field selector: `metadata.name=a,spec.nodeName!=b`. Any path may be selected, unlike on a real server.
 *
 * @throws ClusterError `invalid` for anything else.
 */
export function fieldSelector(text: string): Selects {
  const terms = text
    .split(",")
    .map((term) => term.trim())
    .filter((term) => term !== "")
    .map((term): Selects => {
      const match = /^([\w.]+)(==|=|!=)(.*)$/.exec(term);
      if (match === null)
        throw new ClusterError("invalid", `unable to parse field selector "${term}"`);
      const [, path = "", operator, value] = match;
      const keys = path.split(".");
      return (object) => (wordAt(object, keys) === value) === (operator !== "!=");
    });
  return (object) => terms.every((term) => term(object));
}

/** The value at `keys` as selectors compare it; absent counts as empty. */
function wordAt(object: KubeObject, keys: readonly string[]): string {
  let at: unknown = object;
  for (const key of keys)
    at =
      typeof at === "object" && at !== null && Object.hasOwn(at, key)
        ? Reflect.get(at, key)
        : undefined;
  return typeof at === "string" || typeof at === "number" || typeof at === "boolean"
    ? String(at)
    : "";
}
