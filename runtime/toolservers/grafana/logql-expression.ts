import { ToolFailure } from "../define-tool.ts";
import { parseDuration } from "../duration-text.ts";
import { type LabelTest, labelMatcher, labelMatchers } from "./label-matchers.ts";
import type { LogEntry } from "./observability-source.ts";
import { type Token, TokenReader } from "./promql-tokens.ts";
import { QueryRegex } from "./query-regex.ts";

/** Which lines a LogQL query selects. */
export interface LogSelection {
  /** Of the stream. */
  readonly fits: LabelTest;
  /** The entries as the pipeline leaves them, without those it drops. */
  readonly pipeline: (entries: readonly LogEntry[]) => readonly LogEntry[];
}

/** A LogQL query, as far as the demo data understands LogQL: lines, or their number over time. */
export interface LogExpression {
  readonly selection: LogSelection;
  /** Absent: the lines themselves. */
  readonly count?: {
    readonly rangeMs: number;
    /** Lines in the range, or lines per second. */
    readonly unit: "lines" | "per-second";
    /** Labels kept when summing up; absent: all. */
    readonly by?: readonly string[];
  };
}

type Stage = LogSelection["pipeline"];

/** Reads LogQL. @throws ToolFailure with what is wrong or not supported. */
export function parseLogql(query: string): LogExpression {
  const reader = new TokenReader(query);
  const expression =
    reader.peek()?.kind === "name" ? counted(reader) : { selection: lines(reader) };
  if (reader.peek() !== undefined)
    throw new ToolFailure(`the query has ${reader.place()} where its end should be`);
  return expression;
}

const COUNTS = ["count_over_time", "rate"];

function counted(reader: TokenReader): LogExpression {
  const name = reader.take().text;
  if (name === "sum") {
    const before = groupLabels(reader);
    reader.expect("(");
    const inner = counted(reader);
    reader.expect(")");
    const by = before ?? groupLabels(reader) ?? [];
    return inner.count === undefined ? inner : { ...inner, count: { ...inner.count, by } };
  }
  if (!COUNTS.includes(name))
    throw new ToolFailure(
      `the demo data does not know ${name}() over logs; it knows ${COUNTS.join(", ")} and sum by (...)`,
    );
  reader.expect("(");
  const selection = lines(reader);
  reader.expect("[");
  const rangeMs = parseDuration(reader.expectKind("duration")) ?? 0;
  reader.expect("]");
  reader.expect(")");
  return { selection, count: { rangeMs, unit: name === "rate" ? "per-second" : "lines" } };
}

function groupLabels(reader: TokenReader): readonly string[] | undefined {
  if (reader.peek()?.text !== "by") return undefined;
  reader.take();
  reader.expect("(");
  const labels = [reader.expectKind("name")];
  while (reader.skip(",")) labels.push(reader.expectKind("name"));
  reader.expect(")");
  return labels;
}

function lines(reader: TokenReader): LogSelection {
  reader.expect("{");
  const fits = labelMatchers(reader);
  const stages: Stage[] = [];
  for (let stage = nextStage(reader); stage !== undefined; stage = nextStage(reader))
    stages.push(stage);
  return {
    fits,
    pipeline: (entries) => stages.reduce((kept, stage) => stage(kept), entries),
  };
}

function nextStage(reader: TokenReader): Stage | undefined {
  for (const sign of ["|=", "!=", "|~", "!~"]) {
    if (reader.skip(sign)) return lineFilter(sign, reader.expectKind("text"));
  }
  if (!reader.skip("|")) return undefined;
  if (isComparison(reader.peek(1))) return labelFilter(reader);
  const word = reader.peek()?.text;
  if (word !== "logfmt" && word !== "json")
    throw new ToolFailure(
      `the demo data does not know the stage ${reader.place()}; it knows line filters, logfmt and label filters`,
    );
  reader.take();
  // the demo's lines are logfmt: json finds nothing in them, as it would in a real Loki
  return word === "json" ? (entries) => entries : (entries) => entries.map(withFields);
}

function isComparison(token: Token | undefined): boolean {
  return token?.kind === "sign" && /^([=!]=|[=!]~|=|[<>]=?)$/.test(token.text);
}

function lineFilter(sign: string, text: string): Stage {
  const wanted = sign.startsWith("|");
  if (!sign.endsWith("~"))
    return (entries) => entries.filter(({ line }) => line.includes(text) === wanted);
  const regex = new QueryRegex(text, "part");
  return (entries) => {
    const found = regex.testAll(entries.map(({ line }) => line));
    return entries.filter((_, index) => found[index] === wanted);
  };
}

function labelFilter(reader: TokenReader): Stage {
  const sign = reader.peek(1)?.text ?? "";
  if (reader.peek(2)?.kind === "text") {
    const test = labelMatcher(reader);
    return (entries) => entries.filter(({ labels }) => test(labels));
  }
  const label = reader.take().text;
  reader.take();
  const bound = Number(reader.expectKind("number"));
  return (entries) =>
    entries.filter(({ labels }) => {
      const text = labels[label] ?? "";
      return text !== "" && compares(Number(text), sign, bound);
    });
}

function compares(value: number, sign: string, bound: number): boolean {
  switch (sign) {
    case ">":
      return value > bound;
    case "<":
      return value < bound;
    case ">=":
      return value >= bound;
    case "<=":
      return value <= bound;
    case "!=":
      return value !== bound;
    default:
      return value === bound;
  }
}

function withFields(entry: LogEntry): LogEntry {
  const fields = [...entry.line.matchAll(/\b([A-Za-z_]\w*)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g)].map(
    ([, name = "", quoted, bare]) => [name, quoted ?? bare ?? ""],
  );
  return {
    ...entry,
    labels: { ...(Object.fromEntries(fields) as LogEntry["labels"]), ...entry.labels },
  };
}
