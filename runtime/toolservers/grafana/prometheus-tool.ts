import * as z from "zod";
import type { ToolDefinition } from "../../api/tool.ts";
import { choice, optionalText } from "../arguments.ts";
import { boundBytes, trimRows } from "../bounded-text.ts";
import { defineTool } from "../define-tool.ts";
import type { GrafanaToolsDeps } from "./grafana-tools-deps.ts";
import type { ObservabilitySource, Sample } from "./observability-source.ts";
import { moment, momentArgument, timeRange, timeText } from "./query-time.ts";

/** 2000 characters: longer expressions are generated, not written. */
const MAX_QUERY = 2000;
/** 30 points per series: what a model can still read; a longer step is the way out. */
const MAX_POINTS = 30;
const MIN_STEP_MS = 1000;

/** Argument that names a data source. */
export function datasourceArgument(type: string) {
  return optionalText(
    100,
    `Identifier or name of the ${type} data source; the default one unless given`,
  );
}

/** `query_prometheus`. */
export function queryPrometheus({ source, clock }: GrafanaToolsDeps): ToolDefinition {
  return defineTool({
    name: "query_prometheus",
    description:
      "Evaluates a PromQL expression now (instant) or over a time range. Aggregate and keep few labels, e.g. sum by (namespace) (rate(http_requests_total[5m])); topk(10, ...) keeps answers short.",
    inputSchema: z.strictObject({
      datasourceUid: datasourceArgument("Prometheus"),
      expr: z.string().trim().min(1).max(MAX_QUERY).describe("PromQL expression"),
      queryType: choice(
        ["instant", "range"],
        "instant",
        "instant (default): one value per series at endTime; range: values from startTime to endTime",
      ),
      startTime: momentArgument("Start of a range, an hour before its end unless given"),
      endTime: momentArgument("End, now unless given"),
      stepSeconds: z
        .preprocess(
          (value) => (value === "" || value === null ? undefined : value),
          z.coerce
            .number()
            .positive()
            .max(30 * 86_400)
            .optional(),
        )
        .describe("Seconds between values of a range; at most 30 values per series are returned"),
    }),
    run: async (args, { signal }) => {
      const asked = { datasource: args.datasourceUid, query: args.expr };
      const now = clock.now();
      if (args.queryType === "instant") {
        const at = moment(args.endTime ?? "now", now);
        return sampleText(
          source,
          await source.instant({ ...asked, at }, signal),
          `at ${timeText(at)}`,
        );
      }
      const { from, to } = timeRange({ start: args.startTime, end: args.endTime }, now);
      const least = Math.ceil((to - from) / (MAX_POINTS - 1));
      const stepMs = Math.max(MIN_STEP_MS, least, (args.stepSeconds ?? 0) * 1000);
      const samples = await source.range({ ...asked, from, to, stepMs }, signal);
      const step = `every ${Math.round(stepMs / 1000)} s`;
      return sampleText(source, samples, `from ${timeText(from)} to ${timeText(to)}, ${step}`);
    },
  });
}

/** Series in the form of Prometheus' own answers, one a line, highest last value first. */
export function sampleText(
  source: Pick<ObservabilitySource, "metricNames">,
  samples: readonly Sample[],
  when: string,
): string {
  if (samples.length === 0) {
    const known = source.metricNames;
    const hint = known === undefined ? "" : `; metrics there are: ${known.join(", ")}`;
    return `no series match the query ${when}${hint}`;
  }
  const { head, tail, leftOut } = trimRows(samples.toSorted(byLastValue));
  const rows = [...head, ...tail].map(({ labels, values }) =>
    JSON.stringify(
      values.length === 1 ? { metric: labels, value: values[0] } : { metric: labels, values },
    ),
  );
  const gap =
    leftOut.length === 0
      ? ""
      : `; ${leftOut.length} left out between the highest ${head.length} and the lowest ${tail.length}`;
  const title = `${samples.length} series ${when}, highest value first${gap}`;
  return boundBytes([title, `[${rows.join(",\n")}]`].join("\n"));
}

function byLastValue(a: Sample, b: Sample): number {
  return lastValue(b) - lastValue(a);
}

/** Values that are no number sort last. */
function lastValue({ values }: Sample): number {
  const value = Number(values.at(-1)?.[1] ?? NaN);
  return Number.isNaN(value) ? -Number.MAX_VALUE : clamp(value);
}

/** Infinity minus infinity would be no number. */
function clamp(value: number): number {
  return Math.min(Number.MAX_VALUE / 4, Math.max(-Number.MAX_VALUE / 4, value));
}
