import * as z from "zod";
import type { ToolDefinition } from "../../api/tool.ts";
import { optionalText } from "../arguments.ts";
import { boundBytes, trimRows } from "../bounded-text.ts";
import { defineTool } from "../define-tool.ts";
import { textTable } from "../text-table.ts";
import type { GrafanaToolsDeps } from "./grafana-tools-deps.ts";
import { labelSelector, labelsArgument, namespaceArgument } from "./label-arguments.ts";
import type { Sample } from "./observability-source.ts";
import { datasourceArgument } from "./prometheus-tool.ts";
import { momentArgument, timeRange, timeText } from "./query-time.ts";

const METRIC = "http_request_duration_seconds";
const LABELS = ["cluster", "namespace", "service"];

/** `find_slow_requests`. */
export function findSlowRequests({ source, clock }: GrafanaToolsDeps): ToolDefinition {
  return defineTool({
    name: "find_slow_requests",
    description:
      "Services with the slowest requests of a time range, the slowest first: median, 95th and 99th percentile from request histograms in Prometheus, with the rate of requests.",
    inputSchema: z.strictObject({
      name: optionalText(200, "Name of the investigation; has no effect"),
      labels: labelsArgument(),
      namespace: namespaceArgument(),
      start: momentArgument("Start, an hour before the end unless given"),
      end: momentArgument("End, now unless given"),
      metric: optionalText(
        100,
        `Histogram in seconds without _bucket; ${METRIC} unless given`,
      ).refine(
        (text) => text === undefined || /^[A-Za-z_:][\w:]*$/.test(text),
        "must be the name of a metric",
      ),
      datasourceUid: datasourceArgument("Prometheus"),
    }),
    run: async (args, { signal }) => {
      const { from, to } = timeRange(args, clock.now());
      const metric = args.metric ?? METRIC;
      const range = `[${Math.ceil((to - from) / 1000)}s]`;
      const selector = labelSelector(args.labels, args.namespace, "");
      const rateOf = (suffix: string) => `rate(${metric}_${suffix}${selector}${range})`;
      const ask = (query: string) =>
        source.instant({ datasource: args.datasourceUid, query, at: to }, signal);
      const buckets = `sum by (${[...LABELS, "le"].join(", ")}) (${rateOf("bucket")})`;
      const [median, p95, p99, rate] = await Promise.all([
        ...[0.5, 0.95, 0.99].map((share) => ask(`histogram_quantile(${share}, ${buckets})`)),
        ask(`sum by (${LABELS.join(", ")}) (${rateOf("count")})`),
      ]);
      const when = `from ${timeText(from)} to ${timeText(to)}`;
      if (p95 === undefined || p95.length === 0)
        return `no requests are measured by ${metric}_bucket ${when}`;
      return slowText(p95, { median, p99, rate }, `${when}, by ${metric}`);
    },
  });
}

function slowText(
  slow: readonly Sample[],
  others: Readonly<Record<"median" | "p99" | "rate", readonly Sample[] | undefined>>,
  when: string,
): string {
  const { head, tail, leftOut } = trimRows(
    slow.toSorted((a, b) => (valueOf(b) ?? 0) - (valueOf(a) ?? 0)),
  );
  const rows = [...head, ...tail].map((sample) => [
    sample.labels["service"] ?? "",
    sample.labels["namespace"] ?? "",
    sample.labels["cluster"] ?? "",
    seconds(sameSeries(others.median, sample)),
    seconds(sample),
    seconds(sameSeries(others.p99, sample)),
    number(valueOf(sameSeries(others.rate, sample)), 1),
  ]);
  const columns = ["SERVICE", "NAMESPACE", "CLUSTER", "P50", "P95", "P99", "REQUESTS_PER_SECOND"];
  const gap = leftOut.length === 0 ? [] : [`... ${leftOut.length} services left out ...`];
  return boundBytes(
    [`latency of requests ${when}, slowest first`, ...textTable(columns, rows), ...gap].join("\n"),
  );
}

function sameSeries(
  samples: readonly Sample[] | undefined,
  { labels }: Sample,
): Sample | undefined {
  return samples?.find((each) => LABELS.every((name) => each.labels[name] === labels[name]));
}

function valueOf(sample: Sample | undefined): number | undefined {
  const value = Number(sample?.values.at(-1)?.[1] ?? NaN);
  return Number.isFinite(value) ? value : undefined;
}

function seconds(sample: Sample | undefined): string {
  const value = valueOf(sample);
  if (value === undefined) return "";
  return value < 1 ? `${Math.round(value * 1000)}ms` : `${value.toFixed(2)}s`;
}

function number(value: number | undefined, digits: number): string {
  return value?.toFixed(digits) ?? "";
}
