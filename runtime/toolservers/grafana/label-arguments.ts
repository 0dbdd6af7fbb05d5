import * as z from "zod";
import { optionalNamespace } from "../arguments.ts";

const LABEL = /^[A-Za-z_]\w{0,99}$/;

/** Labels that select metrics or log streams; text of the form `a=b,c=d` is taken too. */
export function labelsArgument() {
  const schema = z
    .record(z.string().regex(LABEL, "must be the name of a label"), z.string().max(200))
    .refine((labels) => Object.keys(labels).length <= 10, "must be 10 labels at most")
    .default({});
  return z
    .preprocess(fromText, schema)
    .describe('Labels with their values, e.g. {"namespace": "shop", "app": "checkout"}');
}

function fromText(value: unknown): unknown {
  if (typeof value !== "string") return value ?? undefined;
  const pairs = value
    .replace(/[{}"]/g, "")
    .split(",")
    .map((pair) => pair.split("=").map((part) => part.trim()))
    .filter(([name]) => name !== "");
  return Object.fromEntries(pairs.map(([name = "", text = ""]) => [name, text]));
}

/** Namespace, as a shorthand for the label. */
export function namespaceArgument() {
  return optionalNamespace("Namespace; absent: all, or as labels say");
}

/** Matchers between braces; `otherwise` where nothing is selected. */
export function labelSelector(
  labels: Readonly<Record<string, string>>,
  namespace: string | undefined,
  otherwise: string,
): string {
  const all = namespace === undefined ? labels : { ...labels, namespace };
  const matchers = Object.entries(all).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${matchers.length === 0 ? otherwise : matchers.join(",")}}`;
}
