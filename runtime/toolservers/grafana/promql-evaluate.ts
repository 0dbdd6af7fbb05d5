import { ToolFailure } from "../define-tool.ts";
import { AGGREGATIONS, type Expression, type Grouping } from "./promql-expression.ts";
import {
  AGGREGATORS,
  histogramQuantile,
  NUMBER_FUNCTIONS,
  OPERATORS,
  RANGE_FUNCTIONS,
} from "./promql-functions.ts";
import {
  type DemoSeries,
  grouped,
  keyOf,
  type Point,
  unnamed,
  type Value,
} from "./promql-value.ts";

/** 30 days: the longest range the demo data reaches back. */
const MAX_RANGE_MS = 30 * 24 * 3_600_000;

type Of<Kind extends Expression["kind"]> = Extract<Expression, { readonly kind: Kind }>;

/**
 * The value of `expression` over `series` at the moment `at` (milliseconds since 1970).
 *
 * @throws ToolFailure for functions and forms of PromQL that are not supported here.
 */
export function evaluate(expression: Expression, series: readonly DemoSeries[], at: number): Value {
  const of = (inner: Expression): Value => evaluate(inner, series, at);
  switch (expression.kind) {
    case "number":
      return expression.value;
    case "selector":
      if (expression.rangeMs !== undefined)
        throw new ToolFailure("a range such as [5m] belongs inside rate(), increase() or the like");
      return selected(expression, series).map((each) => ({
        labels: each.labels,
        value: each.value(at - expression.offsetMs),
      }));
    case "call":
      return call(expression, series, at);
    case "aggregate":
      return aggregate(expression, of);
    case "binary":
      return combine(expression, of(expression.left), of(expression.right));
  }
}

function selected({ metric, fits }: Of<"selector">, series: readonly DemoSeries[]) {
  return series.filter(
    ({ labels }) => (metric === "" || labels["__name__"] === metric) && fits(labels),
  );
}

function call({ name, args }: Of<"call">, series: readonly DemoSeries[], at: number): Value {
  const [first, second] = args;
  const overRange = own(RANGE_FUNCTIONS, name);
  if (!CALLS.includes(name)) throw unsupported(name);
  if (overRange !== undefined) return callOverRange(name, overRange, first, { series, at });
  if (first === undefined) {
    if (name === "time") return at / 1000;
    throw unsupported(name);
  }
  const value = evaluate(first, series, at);
  const ofNumber = own(NUMBER_FUNCTIONS, name);
  if (ofNumber !== undefined) return mapped(value, ofNumber);
  if (name === "histogram_quantile" && second !== undefined)
    return histogramQuantile(number(value, name), points(evaluate(second, series, at), name));
  const ofPoints = own(POINT_FUNCTIONS, name);
  if (ofPoints !== undefined) return ofPoints(points(value, name));
  throw unsupported(name);
}

const POINT_FUNCTIONS: Readonly<Record<string, (points: readonly Point[]) => readonly Point[]>> = {
  sort: (all) => all.toSorted((a, b) => a.value - b.value),
  sort_desc: (all) => all.toSorted((a, b) => b.value - a.value),
  absent: (all) => (all.length === 0 ? [{ labels: {}, value: 1 }] : []),
};

function callOverRange(
  name: string,
  overRange: (value: (at: number) => number, end: number, lengthMs: number) => number,
  selector: Expression | undefined,
  { series, at }: { readonly series: readonly DemoSeries[]; readonly at: number },
): Value {
  if (
    selector?.kind !== "selector" ||
    selector.rangeMs === undefined ||
    selector.rangeMs > MAX_RANGE_MS
  )
    throw new ToolFailure(`${name}() needs a metric with a range of at most 30d, e.g. metric[5m]`);
  const { rangeMs, offsetMs } = selector;
  return selected(selector, series).map((each) => ({
    labels: unnamed(each.labels),
    value: overRange((moment) => each.value(moment), at - offsetMs, rangeMs),
  }));
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

const CALLS: readonly string[] = [
  ...Object.keys(RANGE_FUNCTIONS),
  ...Object.keys(NUMBER_FUNCTIONS),
  ...Object.keys(POINT_FUNCTIONS),
  ...["histogram_quantile", "time"],
];

function unsupported(name: string): ToolFailure {
  const known = [...CALLS, ...AGGREGATIONS];
  return new ToolFailure(
    `the demo data does not know ${name}() in this form; it knows ${known.join(", ")}`,
  );
}

function mapped(value: Value, change: (value: number) => number): Value {
  if (typeof value === "number") return change(value);
  return value.map((point) => ({ labels: unnamed(point.labels), value: change(point.value) }));
}

function number(value: Value, name: string): number {
  if (typeof value === "number") return value;
  throw new ToolFailure(`${name}() needs a number as its first argument`);
}

function points(value: Value, name: string): readonly Point[] {
  if (typeof value !== "number") return value;
  throw new ToolFailure(`${name}() needs a metric, not a number`);
}

function aggregate(expression: Of<"aggregate">, of: (inner: Expression) => Value): Value {
  const { operator, grouping, args } = expression;
  const [first, second] = args;
  if (first === undefined) throw unsupported(operator);
  const aggregator = own(AGGREGATORS, operator);
  const inner = aggregator === undefined ? second : first;
  if (inner === undefined) throw unsupported(operator);
  const groups = Map.groupBy(points(of(inner), operator), ({ labels }) =>
    keyOf(grouped(labels, grouping)),
  );
  if (aggregator !== undefined)
    return [...groups.values()].map((members) => ({
      labels: grouped(members[0]?.labels ?? {}, grouping),
      value: aggregator(members.map(({ value }) => value)),
    }));
  const sign = operator === "topk" ? -1 : 1;
  const limit = Math.max(0, Math.trunc(number(of(first), operator)));
  return [...groups.values()].flatMap((members) =>
    members.toSorted((a, b) => sign * (a.value - b.value)).slice(0, limit),
  );
}

const ALL: Grouping = { mode: "without", labels: [] };
const COMPARISON = /^([<>]=?|[!=]=)$/;

function combine(expression: Of<"binary">, left: Value, right: Value): Value {
  const { operator, matching = ALL } = expression;
  const apply = own(OPERATORS, operator);
  if (apply === undefined) return combineSets(operator, matching, left, right);
  if (typeof left === "number" && typeof right === "number") return apply(left, right);
  const filters = COMPARISON.test(operator) && !expression.bool;
  const pairs = pairsOf(matching, left, right);
  return pairs.flatMap(({ labels, left: a, right: b }) => {
    const value = apply(a, b);
    if (!filters) return [{ labels: unnamed(labels), value }];
    return value === 0 ? [] : [{ labels, value: typeof left === "number" ? b : a }];
  });
}

interface Pair {
  readonly labels: Point["labels"];
  readonly left: number;
  readonly right: number;
}

function pairsOf(matching: Grouping, left: Value, right: Value): readonly Pair[] {
  if (typeof left === "number")
    return points(right, "").map(({ labels, value }) => ({ labels, left, right: value }));
  if (typeof right === "number")
    return left.map(({ labels, value }) => ({ labels, left: value, right }));
  const others = new Map<string, number>();
  for (const { labels, value } of right) {
    const key = keyOf(grouped(labels, matching));
    if (others.has(key))
      throw new ToolFailure("several series on the right meet one on the left: aggregate first");
    others.set(key, value);
  }
  return left.flatMap(({ labels, value }) => {
    const other = others.get(keyOf(grouped(labels, matching)));
    return other === undefined ? [] : [{ labels, left: value, right: other }];
  });
}

function combineSets(operator: string, matching: Grouping, left: Value, right: Value): Value {
  const [mine, theirs] = [points(left, operator), points(right, operator)];
  const keys = (members: readonly Point[]) =>
    new Set(members.map(({ labels }) => keyOf(grouped(labels, matching))));
  const [own, other] = [keys(mine), keys(theirs)];
  const has = (set: ReadonlySet<string>, { labels }: Point) =>
    set.has(keyOf(grouped(labels, matching)));
  if (operator === "or") return [...mine, ...theirs.filter((point) => !has(own, point))];
  return mine.filter((point) => has(other, point) === (operator === "and"));
}
