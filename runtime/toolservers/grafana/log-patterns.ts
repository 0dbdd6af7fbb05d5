import type { LogEntry } from "./observability-source.ts";

/** Lines that differ only in numbers, times and identifiers. */
export interface LogPattern {
  /** The line with a placeholder for each of those. */
  readonly pattern: string;
  /** Lines in the range. */
  readonly count: number;
  /** Lines in the range before. */
  readonly countBefore: number;
  /** `new`, `more`, `same` or `less`. */
  readonly change: "new" | "more" | "same" | "less";
  /** Namespaces and apps it occurs in. */
  readonly where: string;
}

/** 300 characters of a line make its pattern. */
const MAX_PATTERN = 300;
/** Half as much again counts as more, two thirds as less. */
const MORE = 1.5;

/** The line with placeholders for what differs from one occurrence to the next. */
function patternOf(line: string): string {
  return (
    line
      .slice(0, MAX_PATTERN)
      .replace(/\d{4}-\d{2}-\d{2}[T ][\d:.,]+(?:Z|[+-]\d{2}:?\d{2})?/g, "<time>")
      .replace(/\b[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\b/gi, "<id>")
      .replace(/\b(?=[a-f]*\d)[\da-f]{12,}\b/gi, "<id>")
      .replace(/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, "<address>")
      // a status code says what is wrong; it stays
      .replace(/(\bstatus(?:_code)?["']?[=:]\s?["']?)?\b\d+(?:\.\d+)?/g, (all, status?: string) =>
        status === undefined ? "<n>" : all,
      )
      .trim()
  );
}

/** Patterns of `now`, each compared with `before`: new and growing ones first, then the frequent ones. */
export function comparePatterns(
  now: readonly LogEntry[],
  before: readonly LogEntry[],
): readonly LogPattern[] {
  const earlier = Map.groupBy(before, ({ line }) => patternOf(line));
  const patterns = [...Map.groupBy(now, ({ line }) => patternOf(line))].map(
    ([pattern, entries]): LogPattern => {
      const countBefore = earlier.get(pattern)?.length ?? 0;
      const change = changeOf(entries.length, countBefore);
      return { pattern, count: entries.length, countBefore, change, where: whereOf(entries) };
    },
  );
  return patterns.sort((a, b) => rank(a) - rank(b) || b.count - a.count);
}

function changeOf(count: number, before: number): LogPattern["change"] {
  if (before === 0) return "new";
  if (count >= before * MORE) return "more";
  return count * MORE <= before ? "less" : "same";
}

function rank({ change }: LogPattern): number {
  return change === "new" ? 0 : change === "more" ? 1 : 2;
}

const SHOWN = 3;

function whereOf(entries: readonly LogEntry[]): string {
  const places = new Set(
    entries.map(({ labels }) =>
      [labels["namespace"], labels["app"] ?? labels["container"] ?? labels["pod"]]
        .filter((text) => text !== undefined)
        .join("/"),
    ),
  );
  const rest = places.size > SHOWN ? [`and ${places.size - SHOWN} more`] : [];
  return [...[...places].slice(0, SHOWN), ...rest].join(", ");
}
