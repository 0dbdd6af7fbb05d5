import { ToolFailure } from "../define-tool.ts";
import { keyOf, type Point, unnamed } from "./promql-value.ts";

/** Ten moments stand for a range in the functions over time. */
const MOMENTS = 10;

/** Functions of a range selector: of a series, the end and the length of the range in milliseconds. */
export const RANGE_FUNCTIONS: Readonly<
  Record<string, (value: (at: number) => number, end: number, lengthMs: number) => number>
> = {
  rate: (value, end, ms) => ((value(end) - value(end - ms)) / ms) * 1000,
  irate: (value, end, ms) => ((value(end) - value(end - ms)) / ms) * 1000,
  increase: (value, end, ms) => value(end) - value(end - ms),
  delta: (value, end, ms) => value(end) - value(end - ms),
  changes: (value, end, ms) =>
    moments(value, end, ms).filter((each, index, all) => index > 0 && each !== all[index - 1])
      .length,
  avg_over_time: (value, end, ms) => sum(moments(value, end, ms)) / MOMENTS,
  max_over_time: (value, end, ms) => Math.max(...moments(value, end, ms)),
  min_over_time: (value, end, ms) => Math.min(...moments(value, end, ms)),
};

function moments(value: (at: number) => number, end: number, ms: number): readonly number[] {
  return Array.from({ length: MOMENTS }, (_, index) => value(end - (ms * index) / MOMENTS));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Functions of numbers. */
export const NUMBER_FUNCTIONS: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  round: Math.round,
};

/** Aggregations of the values of one group. */
export const AGGREGATORS: Readonly<Record<string, (values: readonly number[]) => number>> = {
  sum,
  avg: (values) => sum(values) / values.length,
  min: (values) => Math.min(...values),
  max: (values) => Math.max(...values),
  count: (values) => values.length,
};

/** Arithmetic and comparisons; those answer 1 or 0. */
export const OPERATORS: Readonly<Record<string, (left: number, right: number) => number>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "%": (left, right) => left % right,
  "==": (left, right) => Number(left === right),
  "!=": (left, right) => Number(left !== right),
  ">": (left, right) => Number(left > right),
  "<": (left, right) => Number(left < right),
  ">=": (left, right) => Number(left >= right),
  "<=": (left, right) => Number(left <= right),
};

/**
 * Quantile of classic histograms, by linear interpolation inside the bucket.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
 */
export function histogramQuantile(quantile: number, buckets: readonly Point[]): readonly Point[] {
  const histograms = Map.groupBy(buckets, ({ labels }) => keyOf(withoutBound(labels)));
  return [...histograms.values()].flatMap((points) => {
    const [first] = points;
    const ordered = points
      .map(({ labels, value }) => ({ bound: boundOf(labels["le"] ?? ""), value }))
      .sort((a, b) => a.bound - b.bound);
    const value = interpolate(quantile, ordered);
    return first === undefined || value === undefined
      ? []
      : [{ labels: withoutBound(first.labels), value }];
  });
}

function withoutBound(labels: Point["labels"]): Point["labels"] {
  return Object.fromEntries(Object.entries(unnamed(labels)).filter(([name]) => name !== "le"));
}

function boundOf(text: string): number {
  if (text === "+Inf") return Infinity;
  const bound = Number(text);
  if (text === "" || Number.isNaN(bound))
    throw new ToolFailure("histogram_quantile needs buckets: keep the label le when aggregating");
  return bound;
}

function interpolate(
  quantile: number,
  buckets: readonly { readonly bound: number; readonly value: number }[],
): number | undefined {
  const total = buckets.at(-1)?.value ?? 0;
  if (total <= 0) return undefined;
  const rank = quantile * total;
  const index = buckets.findIndex(({ value }) => value >= rank);
  const bucket = buckets[index];
  const below = buckets[index - 1] ?? { bound: 0, value: 0 };
  if (bucket === undefined) return undefined;
  if (bucket.bound === Infinity) return below.bound;
  const share =
    bucket.value === below.value ? 1 : (rank - below.value) / (bucket.value - below.value);
  return below.bound + (bucket.bound - below.bound) * share;
}
