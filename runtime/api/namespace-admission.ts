import type { AllowedNamespaces } from "./allowed-namespaces.ts";

/** Labels of an object. */
type Labels = Readonly<Record<string, string>>;

/** The label that every namespace has by itself. */
const NAME_LABEL = "kubernetes.io/metadata.name";

/**
 * Whether an object may be referred to from another namespace than its own.
 *
 * @param allowed - The object's `spec.allowedNamespaces`; absent: only its own.
 * @param namespace - Where the reference is.
 * @param labels - Of that namespace, when known.
 * @returns `unknown` where it depends on labels that are not known.
 */
export function admits(
  allowed: AllowedNamespaces | undefined,
  namespace: string,
  labels: Labels | undefined,
): "yes" | "no" | "unknown" {
  if (allowed === undefined || allowed.from === "Same") return "no";
  if (allowed.from === "All") return "yes";
  const known = new Map([...Object.entries(labels ?? {}), [NAME_LABEL, namespace]]);
  const verdicts = requirements(allowed).map(({ key, holds }) =>
    known.has(key) || labels !== undefined ? holds(known.get(key)) : undefined,
  );
  if (verdicts.includes(false)) return "no";
  return verdicts.includes(undefined) ? "unknown" : "yes";
}

interface Requirement {
  readonly key: string;
  readonly holds: (value: string | undefined) => boolean;
}

function requirements({ selector }: AllowedNamespaces): readonly Requirement[] {
  const equal = Object.entries(selector?.matchLabels ?? {}).map(([key, wanted]) => ({
    key,
    holds: (value: string | undefined) => value === wanted,
  }));
  const expressions = (selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => ({
    key,
    holds: (value: string | undefined) => {
      const listed = value !== undefined && values.includes(value);
      if (operator === "In") return listed;
      if (operator === "NotIn") return !listed;
      return operator === "Exists" ? value !== undefined : value === undefined;
    },
  }));
  return [...equal, ...expressions];
}
