import { textAt } from "../json-read.ts";
import { callOf } from "../known-tool.ts";
import { readSamples } from "../read-samples.ts";
import { type Report, report } from "../report.ts";
import { shown } from "../simple-skill.ts";
import { answersOf, type Situation, toolNamed } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { namespaceIn } from "../subject.ts";
import { counted, hits } from "../words.ts";

const METRICS =
  /\b(promql|prometheus|metrics?|cpu|memory|usage|utili[sz]ation|latenc(?:y|ies)|throughput|request rate|error rate|errors? per|5xx|saturation|disk|filesystem|qps|rps|p9\d|percentile|network|traffic|load|slo|targets?)\b/iu;

const TOOLS = ["query_prometheus", "prometheus_query_tool", "query_tool"] as const;

/** Queries by the words of a question; the first that fits is asked. `NS` becomes the namespace matcher, `BY` labels. */
const QUERIES: readonly (readonly [words: RegExp, query: string, by: string])[] = [
  [
    /\b(restart\w*)\b/iu,
    "sum by (BY) (increase(kube_pod_container_status_restarts_total{NS}[1h]))",
    "namespace, pod",
  ],
  [
    /\b(error rate|errors?|5xx)\b/iu,
    'sum by (BY) (rate(http_requests_total{status=~"5..",NS}[5m]))',
    "namespace, service",
  ],
  [
    /\b(latenc\w+|p9\d|percentile|slow)\b/iu,
    "histogram_quantile(0.99, sum by (le, BY) (rate(http_request_duration_seconds_bucket{NS}[5m])))",
    "namespace, service",
  ],
  [
    /\b(throughput|request rate|traffic|qps|rps|requests?)\b/iu,
    "sum by (BY) (rate(http_requests_total{NS}[5m]))",
    "namespace, service",
  ],
  [
    /\b(disk|filesystem|volumes?)\b/iu,
    "max by (BY) (1 - node_filesystem_avail_bytes / node_filesystem_size_bytes)",
    "instance, mountpoint",
  ],
  [/\b(memory)\b/iu, "sum by (BY) (container_memory_working_set_bytes{NS})", "namespace, pod"],
  [
    /\b(cpu|load|utili[sz]ation|usage|saturation)\b/iu,
    "sum by (BY) (rate(container_cpu_usage_seconds_total{NS}[5m]))",
    "namespace, pod",
  ],
];
const FALLBACK = "up";

/** 15 series are shown. */
const MAX_SERIES = 15;

/** Values of Prometheus: a query in the question, else the one that fits its words. */
export const metrics: Skill = {
  name: "metrics",

  score: (situation) =>
    toolNamed(situation, ...TOOLS) === undefined
      ? 0
      : 4 * hits(situation.question, METRICS).length + (givenQuery(situation.question) ? 4 : 0),

  plan: (situation) => [
    callOf(toolNamed(situation, ...TOOLS), {
      query: queryFor(situation.question),
      queryType: "instant",
      start: "now-1h",
      end: "now",
      step: 60,
    }),
  ],

  report(situation) {
    const answers = TOOLS.flatMap((tool) => answersOf(situation, tool)).filter(
      ({ failed, text }, index, all) =>
        !failed && text !== "" && all.findIndex((other) => other.text === text) === index,
    );
    const samples = answers.flatMap(({ text }) => readSamples(text) ?? []);
    const query = answers[0] === undefined ? "" : queryOf(answers[0].args);
    if (samples.length === 0) return withoutSamples(situation, query);
    const [top] = samples;
    return report({
      operation: "metrics",
      namespace: namespaceIn(situation.question) ?? "",
      summary: `${counted(samples.length, "series", "series")} for the query ${query}; the highest is ${top?.series ?? ""} at ${figure(top?.value ?? 0)}.`,
      tables: [
        {
          title: "Series",
          columns: ["Series", "Value"],
          rows: samples
            .slice(0, MAX_SERIES)
            .map(({ series, value }) => [series || "value", figure(value)]),
        },
      ],
      incomplete: samples.length > MAX_SERIES,
    });
  },
};

/** No values: either the tool says so, or its answer is of a form that is not known. */
function withoutSamples(situation: Situation, query: string): Report {
  const answers = TOOLS.flatMap((tool) => answersOf(situation, tool)).filter(
    ({ failed, text }) => !failed && text !== "",
  );
  const plain = shown({ name: "metrics", noun: "series" })(situation, answers);
  const none = answers.every(({ text }) => /^no /i.test(text) || readSamples(text)?.length === 0);
  const asked = query || queryFor(situation.question);
  return none && answers.length > 0
    ? { ...plain, summary: `No values were found for the query ${asked}.` }
    : { ...plain, summary: `${plain.summary} The query was ${asked}.` };
}

function queryOf(args: unknown): string {
  return (
    ["expr", "query", "promql"].map((key) => textAt(args, key)).find((text) => text !== "") ?? ""
  );
}

/** A query between backticks. */
function givenQuery(question: string): string | undefined {
  return /`([^`]{2,500})`/.exec(question)?.[1];
}

function queryFor(question: string): string {
  const given = givenQuery(question);
  if (given !== undefined) return given;
  const namespace = namespaceIn(question);
  const [, query = FALLBACK, by = ""] = QUERIES.find(([words]) => words.test(question)) ?? [];
  const matcher = namespace === undefined ? "" : `namespace="${namespace}"`;
  return query
    .replaceAll(",NS}", matcher === "" ? "}" : `,${matcher}}`)
    .replaceAll("{NS}", matcher === "" ? "" : `{${matcher}}`)
    .replaceAll("BY", groupingIn(question) ?? by);
}

const GROUPS = ["namespace", "cluster", "pod", "node", "service", "container", "instance"];

/** Label that a question wants figures by, e.g. `by namespace`, `across clusters`. */
function groupingIn(question: string): string | undefined {
  const spoken = question
    .toLowerCase()
    .matchAll(/\b(?:by|per|each|every|across|between|compare)\s+(?:all\s+|the\s+)?([a-z]+)/g);
  const words = [...spoken].map(([, word = ""]) => word.replace(/s$/, ""));
  return GROUPS.find((group) => words.includes(group));
}

/** A number with at most four significant digits, large ones in powers of 1000. */
function figure(value: number): string {
  const units = ["", "k", "M", "G", "T", "P"];
  const power =
    Math.abs(value) < 1000 ? 0 : Math.min(5, Math.floor(Math.log10(Math.abs(value)) / 3));
  return `${Number((value / 1000 ** power).toPrecision(4))}${units[power] ?? ""}`;
}
