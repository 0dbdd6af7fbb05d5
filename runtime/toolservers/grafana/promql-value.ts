import type { Grouping } from "./promql-expression.ts";

/** Labels of a series. */
export type Labels = Readonly<Record<string, string>>;

/** A series at one moment. */
export interface Point {
  readonly labels: Labels;
  readonly value: number;
}

/** What an expression is at one moment: a number, or a number for each series. */
export type Value = number | readonly Point[];

/** A series of the demo data. */
export interface DemoSeries {
  /** With the metric's name as `__name__`. */
  readonly labels: Labels;
  /** Value at a moment (milliseconds since 1970), as a function of time alone. */
  value(at: number): number;
}

/** Labels without the metric's name. */
export function unnamed(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== "__name__"));
}

/** The labels that `grouping` leaves, in the order of their names. */
export function grouped(labels: Labels, grouping: Grouping): Labels {
  const kept = Object.entries(labels).filter(
    ([name]) => grouping.labels.includes(name) === (grouping.mode === "by") && name !== "__name__",
  );
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Text that is the same for equal labels only. */
export function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
