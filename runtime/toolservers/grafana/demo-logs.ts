import { PODS } from "../demo/demo-pods.ts";
import { podLog } from "../demo/pod-logs.ts";
import { type LogExpression, type LogSelection, parseLogql } from "./logql-expression.ts";
import type { LogAnswer, LogEntry, ObservabilitySource, Sample } from "./observability-source.ts";

/** What the demo's logs are made of. */
export interface DemoLogsDeps {
  /** Name of the cluster; every stream has it as label. */
  readonly cluster: string;
  /** Milliseconds since 1970 when the demo began. */
  readonly begin: number;
  /** Milliseconds since 1970: nothing is written later. */
  readonly now: number;
}

/** Points of a counting query. */
const POINTS = 12;
const LEVELS = ["info", "warn", "error"];

/** The demo pods' log lines, or their number, for a LogQL query. @throws ToolFailure for what is not supported. */
export function demoLogs(
  deps: DemoLogsDeps,
  query: Parameters<ObservabilitySource["logs"]>[0],
): LogAnswer {
  const expression = parseLogql(query.query);
  const to = Math.min(query.to, deps.now);
  if (expression.count !== undefined)
    return { kind: "samples", samples: counts(deps, expression, { from: query.from, to }) };
  const entries = entriesOf(deps, expression.selection, { from: query.from, to });
  const kept =
    query.direction === "backward" ? entries.slice(-query.limit) : entries.slice(0, query.limit);
  return { kind: "lines", entries: kept };
}

function entriesOf(
  { cluster, begin }: DemoLogsDeps,
  { fits, pipeline }: LogSelection,
  { from, to }: { readonly from: number; readonly to: number },
): readonly LogEntry[] {
  const entries: LogEntry[] = [];
  for (const pod of PODS) {
    const { namespace, name } = pod.workload;
    const labels = { cluster, namespace, app: name, pod: pod.name, container: name };
    // writing lines costs more than looking at labels
    if (!LEVELS.some((level) => fits({ ...labels, level }))) continue;
    const since = Math.max(from, begin - pod.ageMs);
    for (const { at, level, text } of podLog(pod, { from: since, to, begin })) {
      const all = { ...labels, level };
      if (fits(all)) entries.push({ at, labels: all, line: text });
    }
  }
  return pipeline(entries).toSorted((a, b) => a.at - b.at);
}

function counts(
  deps: DemoLogsDeps,
  { selection, count }: LogExpression,
  { from, to }: { readonly from: number; readonly to: number },
): readonly Sample[] {
  if (count === undefined || to <= from) return [];
  const { rangeMs, unit, by } = count;
  const entries = entriesOf(deps, selection, { from: from - rangeMs, to });
  const series = Map.groupBy(entries, ({ labels }) =>
    JSON.stringify(Object.entries(labels).filter(([name]) => by?.includes(name) ?? true)),
  );
  const step = (to - from) / POINTS;
  const moments = Array.from({ length: POINTS }, (_, index) => from + step * (index + 1));
  return [...series].map(([key, members]) => ({
    labels: Object.fromEntries(JSON.parse(key) as [string, string][]),
    values: moments.map((moment): [number, string] => {
      const lines = members.filter(({ at }) => at > moment - rangeMs && at <= moment).length;
      return [moment / 1000, String(unit === "lines" ? lines : (lines / rangeMs) * 1000)];
    }),
  }));
}
