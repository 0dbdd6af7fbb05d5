import * as z from "zod";

/**
 * Longest name of a Kubernetes object (RFC 1123 subdomain).
 *
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
 */
const MAX_NAME = 253;
const NAME = /^[a-z0-9]([a-z0-9.:-]*[a-z0-9])?$/;
const NAMESPACE = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** Models write `true` and `"true"`, `10` and `"10"`; both mean the same. */
function unquoted(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const text = value.trim();
  if (text === "") return undefined;
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  return /^\d{1,15}$/.test(text) ? Number(text) : value;
}

/** Models fill optional text with `""`, which means absent. */
function blankIsAbsent(value: unknown): unknown {
  return typeof value === "string" && value.trim() === "" ? undefined : value;
}

/** Optional text of at most `max` characters; blank counts as absent. */
export function optionalText(max: number, description: string) {
  return z.preprocess(blankIsAbsent, z.string().max(max).optional()).describe(description);
}

/** One of `values`, or `fallback` when absent or blank. */
export function choice<const T extends readonly [string, ...string[]]>(
  values: T,
  fallback: T[number],
  description: string,
) {
  const schema = z.enum(values).default(fallback as z.util.NoUndefined<T[number]>);
  return z.preprocess(blankIsAbsent, schema).describe(description);
}

/** A switch that is off unless set; accepts `"true"` and `"false"` too. */
export function flag(description: string) {
  return z.preprocess(unquoted, z.boolean().default(false)).describe(description);
}

/** A whole number from 1 to `max`, `fallback` when absent; accepts digits in quotes too. */
export function count(max: number, fallback: number, description: string) {
  return z.preprocess(unquoted, z.int().min(1).max(max).default(fallback)).describe(description);
}

/** A whole number from 1 to `max` that must be given; accepts digits in quotes too. */
export function wholeNumber(max: number, description: string) {
  return z.preprocess(unquoted, z.int().min(1).max(max)).describe(description);
}

/** Required name of a Kubernetes object. */
export function objectName(description: string) {
  return z
    .string()
    .max(MAX_NAME)
    .regex(NAME, "must be the name of a Kubernetes object (lower-case letters, digits, - and .)")
    .describe(description);
}

/** Optional name of a Kubernetes object; blank counts as absent. */
export function optionalName(description: string) {
  return z.preprocess(blankIsAbsent, objectName(description).optional()).describe(description);
}

const namespaceSchema = z
  .string()
  .max(63)
  .regex(NAMESPACE, "must be the name of a namespace (lower-case letters, digits and -)");

/** Required namespace. */
export function namespaceName(description: string) {
  return namespaceSchema.describe(description);
}

/** Optional namespace; blank counts as absent. */
export function optionalNamespace(description: string) {
  return z.preprocess(blankIsAbsent, namespaceSchema.optional()).describe(description);
}
