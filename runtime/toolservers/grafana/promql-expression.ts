import { ToolFailure } from "../define-tool.ts";
import { parseDuration } from "../duration-text.ts";
import { type LabelTest, labelMatchers } from "./label-matchers.ts";
import { TokenReader } from "./promql-tokens.ts";

/** Labels that decide which series belong together. */
export interface Grouping {
  readonly mode: "by" | "without";
  readonly labels: readonly string[];
}

/** A PromQL expression, as far as the demo data understands PromQL. */
export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | {
      readonly kind: "selector";
      /** Empty: any metric whose labels fit. */
      readonly metric: string;
      readonly fits: LabelTest;
      /** Of a range selector. */
      readonly rangeMs?: number;
      readonly offsetMs: number;
    }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[] }
  | {
      readonly kind: "aggregate";
      readonly operator: string;
      readonly grouping: Grouping;
      readonly args: readonly Expression[];
    }
  | {
      readonly kind: "binary";
      readonly operator: string;
      /** Comparison that answers 0 or 1 instead of filtering. */
      readonly bool: boolean;
      /** Labels by which series of both sides meet; absent: all but the metric's name. */
      readonly matching?: Grouping;
      readonly left: Expression;
      readonly right: Expression;
    };

/** Operators that make one series of many. */
export const AGGREGATIONS = ["sum", "avg", "min", "max", "count", "topk", "bottomk"];

const LEVELS: readonly (readonly string[])[] = [
  ["or"],
  ["and", "unless"],
  ["==", "!=", ">", "<", ">=", "<="],
  ["+", "-"],
  ["*", "/", "%"],
];

/** 24 levels of brackets and operators: bounds the stack. */
const MAX_DEPTH = 24;

/** Reads PromQL. @throws ToolFailure with what is wrong or not supported. */
export function parsePromql(query: string): Expression {
  const reader = new TokenReader(query);
  const expression = binary(reader, 0, 0);
  if (reader.peek() !== undefined)
    throw new ToolFailure(`the query has ${reader.place()} where its end should be`);
  return expression;
}

function binary(reader: TokenReader, level: number, depth: number): Expression {
  const operators = LEVELS[level];
  if (operators === undefined) return unary(reader, depth);
  let left = binary(reader, level + 1, depth);
  for (;;) {
    const next = reader.peek();
    if (next === undefined || next.kind === "text" || !operators.includes(next.text)) return left;
    reader.take();
    const bool = reader.peek()?.text === "bool";
    if (bool) reader.take();
    const matching = vectorMatching(reader);
    const right = binary(reader, level + 1, depth);
    left = {
      kind: "binary",
      operator: next.text,
      bool,
      left,
      right,
      ...(matching === undefined ? {} : { matching }),
    };
  }
}

function vectorMatching(reader: TokenReader): Grouping | undefined {
  const word = reader.peek()?.text;
  if (word !== "on" && word !== "ignoring") return undefined;
  reader.take();
  const labels = labelNames(reader);
  if (/^group_(left|right)$/.test(reader.peek()?.text ?? ""))
    throw new ToolFailure("the demo data knows no group_left and group_right; aggregate first");
  return { mode: word === "on" ? "by" : "without", labels };
}

function unary(reader: TokenReader, depth: number): Expression {
  if (depth > MAX_DEPTH) throw new ToolFailure("the query is nested too deeply");
  if (reader.skip("-"))
    return {
      kind: "binary",
      operator: "*",
      bool: false,
      left: { kind: "number", value: -1 },
      right: unary(reader, depth + 1),
    };
  if (reader.skip("(")) {
    const inner = binary(reader, 0, depth + 1);
    reader.expect(")");
    return inner;
  }
  if (reader.peek()?.kind === "number")
    return { kind: "number", value: Number(reader.take().text) };
  return named(reader, depth);
}

function named(reader: TokenReader, depth: number): Expression {
  if (reader.skip("{")) return selector(reader, "", labelMatchers(reader));
  const name = reader.expectKind("name");
  const next = reader.peek()?.text;
  if (AGGREGATIONS.includes(name) && (next === "(" || next === "by" || next === "without"))
    return aggregate(reader, name, depth);
  if (reader.skip("(")) return { kind: "call", name, args: callArguments(reader, depth) };
  const fits = reader.skip("{") ? labelMatchers(reader) : () => true;
  return selector(reader, name, fits);
}

function selector(reader: TokenReader, metric: string, fits: LabelTest): Expression {
  let rangeMs: number | undefined;
  if (reader.skip("[")) {
    rangeMs = duration(reader);
    reader.expect("]");
  }
  let offsetMs = 0;
  if (reader.peek()?.text === "offset") {
    reader.take();
    offsetMs = duration(reader);
  }
  const range = rangeMs === undefined ? {} : { rangeMs };
  return { kind: "selector", metric, fits, offsetMs, ...range };
}

function duration(reader: TokenReader): number {
  const text = reader.expectKind("duration");
  return parseDuration(text) ?? 0;
}

function aggregate(reader: TokenReader, operator: string, depth: number): Expression {
  const before = grouping(reader);
  reader.expect("(");
  const args = callArguments(reader, depth);
  return {
    kind: "aggregate",
    operator,
    grouping: before ?? grouping(reader) ?? { mode: "by", labels: [] },
    args,
  };
}

function grouping(reader: TokenReader): Grouping | undefined {
  const word = reader.peek()?.text;
  if (word !== "by" && word !== "without") return undefined;
  reader.take();
  return { mode: word, labels: labelNames(reader) };
}

function labelNames(reader: TokenReader): readonly string[] {
  reader.expect("(");
  const labels: string[] = [];
  while (!reader.skip(")")) {
    labels.push(reader.expectKind("name"));
    if (!reader.skip(",")) {
      reader.expect(")");
      break;
    }
  }
  return labels;
}

function callArguments(reader: TokenReader, depth: number): readonly Expression[] {
  const args: Expression[] = [];
  while (!reader.skip(")")) {
    args.push(binary(reader, 0, depth + 1));
    if (!reader.skip(",")) {
      reader.expect(")");
      break;
    }
  }
  return args;
}
