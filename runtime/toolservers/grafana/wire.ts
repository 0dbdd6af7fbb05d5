import * as z from "zod";
import { ToolFailure } from "../define-tool.ts";
import { firstText } from "../json-value.ts";
import type {
  AlertRule,
  AlertState,
  Dashboard,
  DataSource,
  LogAnswer,
  LogEntry,
  Sample,
} from "./observability-source.ts";

const Labels = z.record(z.string(), z.string()).default({});
const Value = z.tuple([z.number(), z.string()]);
const Series = z.object({
  metric: Labels,
  value: Value.optional(),
  values: z.array(Value).optional(),
});
const Streams = z.object({
  stream: Labels,
  values: z.array(z.tuple([z.string(), z.string()]).rest(z.unknown())),
});

const QueryAnswer = z.object({
  data: z.discriminatedUnion("resultType", [
    z.object({ resultType: z.literal("vector"), result: z.array(Series) }),
    z.object({ resultType: z.literal("matrix"), result: z.array(Series) }),
    z.object({ resultType: z.literal("scalar"), result: Value }),
    z.object({ resultType: z.literal("string"), result: Value }),
    z.object({ resultType: z.literal("streams"), result: z.array(Streams) }),
  ]),
});

function parse<T>(schema: z.ZodType<T>, name: string, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success)
    throw new ToolFailure(`${name} answered in an unknown form`, { cause: parsed.error });
  return parsed.data;
}

/**
 * Samples of an answer of Prometheus' query API.
 *
 * @throws ToolFailure when it is none.
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/
 */
export function readSamples(name: string, body: unknown): readonly Sample[] {
  const answer = readLogAnswer(name, body);
  if (answer.kind === "lines") throw new ToolFailure(`${name} answered with log lines`);
  return answer.samples;
}

/**
 * Lines or samples of an answer of Loki's query API; lines in the order of their time, oldest first.
 *
 * @throws ToolFailure when it is none.
 * @see https://grafana.com/docs/loki/latest/reference/loki-http-api/
 */
export function readLogAnswer(name: string, body: unknown): LogAnswer {
  const { data } = parse(QueryAnswer, name, body);
  if (data.resultType === "streams") {
    const entries = data.result.flatMap(({ stream, values }) =>
      values.map(([at, line]): LogEntry => ({ at: Number(at) / 1e6, labels: stream, line })),
    );
    return { kind: "lines", entries: entries.sort((a, b) => a.at - b.at) };
  }
  if (data.resultType === "scalar" || data.resultType === "string")
    return { kind: "samples", samples: [{ labels: {}, values: [data.result] }] };
  const samples = data.result.map(
    ({ metric, value, values }): Sample => ({
      labels: metric,
      values: values ?? (value === undefined ? [] : [value]),
    }),
  );
  return { kind: "samples", samples };
}

const RulesAnswer = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        name: z.string(),
        file: z.string().default(""),
        rules: z.array(
          z.object({
            type: z.string().default("alerting"),
            name: z.string(),
            query: z.string().default(""),
            state: z.string().default(""),
            labels: Labels,
            annotations: Labels,
            alerts: z
              .array(
                z.object({
                  state: z.string().default(""),
                  labels: Labels,
                  annotations: Labels,
                  activeAt: z.string().nullish(),
                }),
              )
              .nullish(),
          }),
        ),
      }),
    ),
  }),
});

/**
 * Alert rules of an answer of the rules API, which Prometheus and Grafana share.
 *
 * @throws ToolFailure when it is none.
 */
export function readAlertRules(name: string, body: unknown): readonly AlertRule[] {
  return parse(RulesAnswer, name, body).data.groups.flatMap(({ name: group, file, rules }) =>
    rules
      .filter(({ type }) => type === "alerting")
      .map((rule): AlertRule => {
        const summaryOf = (annotations: Readonly<Record<string, string>>) =>
          firstText(
            annotations["summary"] ?? "",
            annotations["description"] ?? "",
            annotations["message"] ?? "",
          );
        const alerts = (rule.alerts ?? []).map(({ state, labels, annotations, activeAt }) => ({
          state: alertState(state),
          labels,
          activeAt: activeAt ?? "",
          summary: firstText(summaryOf(annotations), summaryOf(rule.annotations)),
        }));
        return {
          group: file === "" ? group : `${file}/${group}`,
          name: rule.name,
          state: alertState(rule.state),
          severity: rule.labels["severity"] ?? "",
          query: rule.query,
          alerts: alerts.filter(({ state }) => state !== "inactive"),
        };
      }),
  );
}

/** Grafana writes `Alerting`, `Alerting (NoData)`, `Normal`; Prometheus `firing`, `inactive`. */
function alertState(text: string): AlertState {
  const word = text.toLowerCase();
  if (/^(firing|alerting|active)/.test(word)) return "firing";
  if (word.startsWith("pending") || word.startsWith("recovering")) return "pending";
  return /^(inactive|normal|ok)/.test(word) ? "inactive" : "unknown";
}

const DataSources = z.array(
  z.object({
    uid: z.string(),
    name: z.string(),
    type: z.string(),
    isDefault: z.boolean().default(false),
  }),
);

/** Grafana's data sources, without their addresses. @throws ToolFailure when `body` is no list of them. */
export function readDataSources(body: unknown): readonly DataSource[] {
  return parse(DataSources, "Grafana", body);
}

const Dashboards = z.array(
  z.object({
    uid: z.string().default(""),
    title: z.string(),
    folderTitle: z.string().default(""),
    tags: z.array(z.string()).nullish(),
  }),
);

/** Grafana's search results. @throws ToolFailure when `body` is none. */
export function readDashboards(body: unknown): readonly Dashboard[] {
  return parse(Dashboards, "Grafana", body).map(({ uid, title, folderTitle, tags }) => ({
    uid,
    title,
    folder: folderTitle,
    tags: tags ?? [],
  }));
}
