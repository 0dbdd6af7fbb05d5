import * as z from "zod";
import type { ToolDefinition } from "../../api/tool.ts";
import { choice, count, optionalText } from "../arguments.ts";
import { boundBytes, clip } from "../bounded-text.ts";
import { defineTool, ToolFailure } from "../define-tool.ts";
import { redactText } from "../redact.ts";
import { textTable } from "../text-table.ts";
import type { GrafanaToolsDeps } from "./grafana-tools-deps.ts";
import { labelSelector, labelsArgument, namespaceArgument } from "./label-arguments.ts";
import { comparePatterns } from "./log-patterns.ts";
import type { LogEntry } from "./observability-source.ts";
import { datasourceArgument, sampleText } from "./prometheus-tool.ts";
import { momentArgument, timeRange, timeText } from "./query-time.ts";

const MAX_QUERY = 2000;
/** 50 lines per answer (reference-platform.md section 1). */
const MAX_LINES = 50;
/** 500 characters per line: a stack trace's first lines. */
const MAX_LINE = 500;

/** `query_loki_logs`. */
export function queryLokiLogs({ source, clock }: GrafanaToolsDeps): ToolDefinition {
  return defineTool({
    name: "query_loki_logs",
    description:
      'Log lines of a LogQL query, or their number over time. Select streams by labels and filter lines, e.g. {namespace="shop"} |= "error"; count with sum by (app) (count_over_time({namespace="shop"} |= "error" [5m])).',
    inputSchema: z.strictObject({
      datasourceUid: datasourceArgument("Loki"),
      logql: z.string().trim().min(1).max(MAX_QUERY).describe("LogQL query"),
      startRfc3339: momentArgument("Start, an hour before the end unless given"),
      endRfc3339: momentArgument("End, now unless given"),
      limit: count(1000, MAX_LINES, `Lines to return, at most ${MAX_LINES}`),
      direction: choice(
        ["backward", "forward"],
        "backward",
        "backward (default): the latest lines of the range; forward: the earliest",
      ),
    }),
    run: async (args, { signal }) => {
      const range = timeRange({ start: args.startRfc3339, end: args.endRfc3339 }, clock.now());
      const { direction, logql: query, datasourceUid: datasource } = args;
      const limit = Math.min(args.limit, MAX_LINES);
      const asked = { datasource, query, limit, direction, ...range };
      const answer = await source.logs(asked, signal);
      const when = `from ${timeText(range.from)} to ${timeText(range.to)}`;
      if (answer.kind === "samples") return sampleText({}, answer.samples, when);
      return lineText(answer.entries.slice(0, limit), { limit, direction, when });
    },
  });
}

function lineText(
  entries: readonly LogEntry[],
  asked: {
    readonly limit: number;
    readonly direction: "backward" | "forward";
    readonly when: string;
  },
): string {
  if (entries.length === 0) return `no log lines match the query ${asked.when}`;
  const rows = entries.map(({ at, labels, line }) =>
    JSON.stringify({
      timestamp: new Date(at).toISOString(),
      line: clip(redactText(line), MAX_LINE),
      labels,
    }),
  );
  const which = asked.direction === "backward" ? "latest" : "earliest";
  const more = entries.length < asked.limit ? "" : `, the ${which} ones, there may be more`;
  const title = `${entries.length} log lines ${asked.when}, oldest first${more}`;
  return boundBytes([title, `[${rows.join(",\n")}]`].join("\n"));
}

/** 1000 lines are read of each of the two ranges that are compared. */
const PATTERN_LINES = 1000;
const MAX_PATTERNS = 25;

/** What marks a line as an error, whatever wrote it. */
const ERROR_WORDS = '|~ "(?i)(error|exception|fatal|panic)"';

/** `find_error_pattern_logs`. */
export function findErrorPatternLogs({ source, clock }: GrafanaToolsDeps): ToolDefinition {
  return defineTool({
    name: "find_error_pattern_logs",
    description:
      "Patterns of error lines in the logs of a time range, with how often each occurred and how often in the equally long range before. Use it to see which errors are new or more frequent.",
    inputSchema: z.strictObject({
      name: optionalText(200, "Name of the investigation; has no effect"),
      labels: labelsArgument(),
      namespace: namespaceArgument(),
      start: momentArgument("Start, an hour before the end unless given"),
      end: momentArgument("End, now unless given"),
      datasourceUid: datasourceArgument("Loki"),
    }),
    run: async ({ labels, namespace, start, end, datasourceUid: datasource }, { signal }) => {
      const { from, to } = timeRange({ start, end }, clock.now());
      const query = `${labelSelector(labels, namespace, 'namespace=~".+"')} ${ERROR_WORDS}`;
      const lines = async (since: number, until: number) => {
        const range = { from: since, to: until, limit: PATTERN_LINES };
        const asked = { datasource, query, direction: "backward", ...range } as const;
        const answer = await source.logs(asked, signal);
        if (answer.kind === "samples") throw new ToolFailure("Loki answered without lines");
        return answer.entries;
      };
      const [now, before] = await Promise.all([lines(from, to), lines(from - (to - from), from)]);
      const when = `from ${timeText(from)} to ${timeText(to)}`;
      return patternText(now, before, when);
    },
  });
}

function patternText(now: readonly LogEntry[], before: readonly LogEntry[], when: string): string {
  if (now.length === 0) return `no error lines ${when}`;
  const patterns = comparePatterns(now, before);
  const rows = patterns
    .slice(0, MAX_PATTERNS)
    .map(({ pattern, count: times, countBefore, change, where }) => [
      change,
      String(times),
      String(countBefore),
      where,
      redactText(pattern),
    ]);
  const table = textTable(["CHANGE", "COUNT", "BEFORE", "WHERE", "PATTERN"], rows);
  const notes = [
    ...(patterns.length > MAX_PATTERNS
      ? [`... ${patterns.length - MAX_PATTERNS} rarer patterns left out ...`]
      : []),
    ...(Math.max(now.length, before.length) < PATTERN_LINES
      ? []
      : [`only the latest ${PATTERN_LINES} error lines of each range were counted`]),
  ];
  const title = `${patterns.length} patterns in ${now.length} error lines ${when}; before: the range of the same length just before`;
  return boundBytes([title, ...table, ...notes].join("\n"));
}
