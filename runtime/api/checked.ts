import type * as z from "zod";
import { issueMessage } from "./issue-message.ts";

/** One broken rule, in the words every side reports: CLI, policy, webhook, condition. */
export interface Violation {
  /** Path from the object root, e.g. `spec.tools[0].agent.name`; empty for the object itself. */
  readonly path: string;
  /** What is wrong, for people; never the value, which may be a secret. */
  readonly message: string;
}

/** Outcome of checking outside data. Rules return it; the edges decide what to throw. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly violations: readonly Violation[] };

/** 100 violations of one input: bounds what hostile input makes us say; the rest is counted. */
const MAX_VIOLATIONS = 100;

/**
 * Checks `input` against `schema`.
 *
 * A field that is `null` counts as absent, as the API server takes it, unless the schema wants the
 * null. Each unknown field is a violation of its own, at its own path.
 *
 * @param root - The path its top stands for, e.g. `spec`; empty for whole objects.
 * @returns The value with defaults filled in, or what is wrong, in the order of the schema's fields.
 * Never throws, whatever the input.
 */
export function check<T>(schema: z.ZodType<T>, input: unknown, root: string): Checked<T> {
  const first = schema.safeParse(input, { error: issueMessage });
  if (first.success) return { ok: true, value: first.data };
  const nulls = first.error.issues.filter(({ path }) => isNullField(input, path));
  if (nulls.length === 0) return { ok: false, violations: violations(first.error.issues, root) };
  const paths = nulls.map(({ path }) => path);
  const second = schema.safeParse(withoutFields(input, paths), { error: issueMessage });
  if (second.success) return { ok: true, value: second.data };
  return { ok: false, violations: violations(second.error.issues, root) };
}

/** `path: message; path: message`, for places that hold one string. */
export function sentence(violations: readonly Violation[]): string {
  return violations
    .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
    .join("; ");
}

/**
 * Path of a field below `root` as people write it: `a.b[0]`, and `labels["a/b"]` for keys of maps
 * that are no identifiers.
 */
export function pathText(root: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((at, key) => {
    if (typeof key === "number") return `${at}[${key}]`;
    const name = String(key);
    if (!/^[A-Za-z_$][\w$]*$/.test(name)) return `${at}[${JSON.stringify(name)}]`;
    return at === "" ? name : `${at}.${name}`;
  }, root);
}

function violations(issues: readonly z.core.$ZodIssue[], root: string): readonly Violation[] {
  const all = issues.flatMap((issue) => violationsOf(issue, root));
  if (all.length <= MAX_VIOLATIONS) return all;
  const more = { path: root, message: `and ${all.length - MAX_VIOLATIONS} more violations` };
  return [...all.slice(0, MAX_VIOLATIONS), more];
}

function violationsOf(issue: z.core.$ZodIssue, root: string): readonly Violation[] {
  const { path, message } = issue;
  const branch = issue.code === "invalid_union" ? meantBranch(issue.errors) : undefined;
  if (branch !== undefined) {
    return branch.flatMap((below) => violationsOf(moved(below, path), root));
  }
  if (issue.code !== "unrecognized_keys") return [{ path: pathText(root, path), message }];
  // issueMessage writes one line for each key, in order.
  const lines = message.split("\n");
  return issue.keys.map((key, index) => ({
    path: pathText(root, [...path, key]),
    message: lines[index] ?? message,
  }));
}

/** Issues of the one branch of a union that the value has the type of; `undefined` without such a one. */
function meantBranch(
  branches: readonly (readonly z.core.$ZodIssue[])[],
): readonly z.core.$ZodIssue[] | undefined {
  const meant = branches.filter((issues) => !issues.some(isOfWholeValue));
  return meant.length === 1 ? meant[0] : undefined;
}

/** Whether the value has another type than the branch, or is none of its values. */
function isOfWholeValue({ code, path }: z.core.$ZodIssue): boolean {
  return path.length === 0 && (code === "invalid_type" || code === "invalid_value");
}

function moved(issue: z.core.$ZodIssue, path: readonly PropertyKey[]): z.core.$ZodIssue {
  return { ...issue, path: [...path, ...issue.path] };
}

/** Whether `path` leads to a `null` that is a field of an object (an item of a list is not). */
function isNullField(input: unknown, path: readonly PropertyKey[]): boolean {
  if (typeof path.at(-1) !== "string") return false;
  let at: unknown = input;
  for (const key of path) {
    if (typeof at !== "object" || at === null) return false;
    at = (at as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return at === null;
}

/** A copy of `input` without the fields at `paths`; shares everything else with it. */
function withoutFields(input: unknown, paths: readonly (readonly PropertyKey[])[]): unknown {
  if (typeof input !== "object" || input === null) return input;
  const byKey = new Map<PropertyKey, (readonly PropertyKey[])[]>();
  for (const [key, ...rest] of paths) {
    if (key === undefined) continue;
    const below = byKey.get(key);
    if (below === undefined) byKey.set(key, [rest]);
    else below.push(rest);
  }
  if (Array.isArray(input)) {
    return input.map((item: unknown, index) => withoutFields(item, byKey.get(index) ?? []));
  }
  return Object.fromEntries(
    Object.entries(input).flatMap(([key, value]): [string, unknown][] => {
      const below = byKey.get(key);
      if (below === undefined) return [[key, value]];
      return below.some((rest) => rest.length === 0) ? [] : [[key, withoutFields(value, below)]];
    }),
  );
}
