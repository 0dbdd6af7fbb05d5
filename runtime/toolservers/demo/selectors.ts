import { ClusterError, type KubeObject } from "../../api/cluster-reader.ts";
import { wordAt } from "../json-value.ts";

/** Whether an object is selected. */
export type Selects = (object: KubeObject) => boolean;

/**
 * A label selector as kubectl writes it: `a=1`, `a!=1`, `a in (1,2)`, `a notin (1)`, `a`, `!a`, joined by commas.
 *
 * @throws ClusterError `invalid` for anything else.
 */
export function labelSelector(text: string): Selects {
  const terms = splitOutsideParentheses(text).map(labelTerm);
  return (object) => terms.every((term) => term(object.metadata.labels ?? {}));
}

type LabelTerm = (labels: Readonly<Record<string, string>>) => boolean;

function labelTerm(text: string): LabelTerm {
  const set = /^([\w./-]+)\s+(in|notin)\s+\(([^()]*)\)$/.exec(text);
  if (set !== null) {
    const [, key = "", operator, list = ""] = set;
    const values = list.split(",").map((value) => value.trim());
    return operator === "in"
      ? (labels) => labels[key] !== undefined && values.includes(labels[key])
      : (labels) => labels[key] === undefined || !values.includes(labels[key]);
  }
  const pair = /^([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)$/.exec(text);
  if (pair !== null) {
    const [, key = "", operator, value] = pair;
    return operator === "!="
      ? (labels) => labels[key] !== value
      : (labels) => labels[key] === value;
  }
  const presence = /^(!?)\s*([\w./-]+)$/.exec(text);
  if (presence === null)
    throw new ClusterError("invalid", `unable to parse label selector "${text}"`);
  const [, not, key = ""] = presence;
  return (labels) => (labels[key] === undefined) === (not === "!");
}

function splitOutsideParentheses(text: string): readonly string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== "");
}

/**
 * A field selector: `metadata.name=a,spec.nodeName!=b`. Any path may be selected, unlike on a real server.
 *
 * @throws ClusterError `invalid` for anything else.
 */
export function fieldSelector(text: string): Selects {
  const terms = text
    .split(",")
    .filter((term) => term !== "")
    .map((term): Selects => {
      const match = /^([\w.]+)(==|=|!=)(.*)$/.exec(term.trim());
      if (match === null)
        throw new ClusterError("invalid", `unable to parse field selector "${term}"`);
      const [, path = "", operator, value] = match;
      const keys = path.split(".");
      return (object) => (wordAt(object, ...keys) === value) === (operator !== "!=");
    });
  return (object) => terms.every((term) => term(object));
}
