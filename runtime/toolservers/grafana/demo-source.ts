import type { Clock } from "../../process/clock.ts";
import { demoLabel } from "../demo/demo-cluster.ts";
import { PODS } from "../demo/demo-pods.ts";
import { HOUR } from "../demo/workload.ts";
import { demoAlertRules } from "./demo-alerts.ts";
import { demoLogs } from "./demo-logs.ts";
import { demoSeries } from "./demo-series.ts";
import type { Dashboard, DataSource, ObservabilitySource, Sample } from "./observability-source.ts";
import { evaluate } from "./promql-evaluate.ts";
import { parsePromql } from "./promql-expression.ts";
import { keyOf, type Labels, type Value } from "./promql-value.ts";

/** What {@link demoSource} needs. */
export interface DemoSourceDeps {
  /** Tells how far the demo's faults have gone on. */
  readonly clock: Pick<Clock, "now">;
  /** Name of the demo cluster. */
  readonly cluster: string;
  /** Milliseconds since 1970 when the demo began; the clock's time of the call unless set. */
  readonly begin?: number;
}

/**
 * Metrics, logs and alerts of the demo cluster, made from the same workloads as its Kubernetes API and a function
 * of the clock alone. Understands the usual part of PromQL and LogQL and says so where it does not.
 */
export function demoSource(deps: DemoSourceDeps): ObservabilitySource {
  const { clock, cluster } = deps;
  const begin = deps.begin ?? clock.now();
  const series = demoSeries({ cluster, begin });
  const names = [...new Set(series.map(({ labels }) => labels["__name__"] ?? ""))].sort();
  return {
    label: demoLabel(cluster),
    metricNames: names,
    instant: ({ query, at }, signal) =>
      answer(signal, () =>
        samplesAt(evaluate(parsePromql(query), series, Math.min(at, clock.now())), at),
      ),
    range: ({ query, from, to, stepMs }, signal) =>
      answer(signal, () => {
        const expression = parsePromql(query);
        const last = Math.min(to, clock.now());
        const at = (moment: number) => samplesAt(evaluate(expression, series, moment), moment);
        return overTime(at, from, last, stepMs);
      }),
    logs: (query, signal) =>
      answer(signal, () => demoLogs({ cluster, begin, now: clock.now() }, query)),
    alertRules: (signal) =>
      answer(signal, () =>
        demoAlertRules({ series, now: clock.now(), since: (labels) => sinceOf(labels, begin) }),
      ),
    dashboards: (words, signal) => answer(signal, () => dashboardsWith(words)),
    datasources: (signal) => answer(signal, () => DATA_SOURCES),
  };
}

function answer<T>(signal: AbortSignal, make: () => T): Promise<T> {
  return new Promise((resolve) => {
    signal.throwIfAborted();
    resolve(make());
  });
}

function samplesAt(value: Value, at: number): readonly Sample[] {
  const points = typeof value === "number" ? [{ labels: {}, value }] : value;
  return points.map((point) => ({
    labels: point.labels,
    values: [[at / 1000, String(point.value)]],
  }));
}

function overTime(
  at: (moment: number) => readonly Sample[],
  from: number,
  to: number,
  stepMs: number,
): readonly Sample[] {
  const moments: number[] = [];
  for (let moment = from; moment <= to; moment += stepMs) moments.push(moment);
  const series = Map.groupBy(moments.flatMap(at), ({ labels }) => keyOf(labels));
  return [...series.values()].map((samples) => ({
    labels: samples[0]?.labels ?? {},
    values: samples.flatMap(({ values }) => values),
  }));
}

/** Since when what `labels` name has been as it is. */
function sinceOf(labels: Labels, begin: number): number {
  const pod = PODS.find(
    ({ name, workload }) => name === labels["pod"] && workload.namespace === labels["namespace"],
  );
  if (pod?.fault?.kind === "out-of-memory")
    return begin - pod.fault.crash.lastMs - pod.fault.crash.before * pod.fault.crash.periodMs;
  return begin - (pod?.ageMs ?? HOUR);
}

const DATA_SOURCES: readonly DataSource[] = [
  { uid: "prometheus", name: "Prometheus", type: "prometheus", isDefault: true },
  { uid: "loki", name: "Loki", type: "loki", isDefault: false },
];

const DASHBOARDS: readonly Dashboard[] = [
  {
    uid: "demo-cluster",
    title: "Kubernetes / Cluster overview",
    folder: "Kubernetes",
    tags: ["kubernetes", "cluster", "nodes"],
  },
  {
    uid: "demo-workloads",
    title: "Kubernetes / Workloads by namespace",
    folder: "Kubernetes",
    tags: ["kubernetes", "pods", "cpu", "memory"],
  },
  {
    uid: "demo-nodes",
    title: "Node exporter / Nodes",
    folder: "Kubernetes",
    tags: ["nodes", "disk", "memory"],
  },
  { uid: "demo-flux", title: "Flux / Reconciliation", folder: "GitOps", tags: ["flux", "gitops"] },
  {
    uid: "demo-storefront",
    title: "Shop / Storefront and checkout latency",
    folder: "Shop",
    tags: ["shop", "storefront", "checkout", "latency", "errors"],
  },
  {
    uid: "demo-payments",
    title: "Payments / Gateway and ledger",
    folder: "Payments",
    tags: ["payments", "payment-gateway", "ledger", "errors"],
  },
  {
    uid: "demo-ingress",
    title: "Platform / Ingress controller",
    folder: "Platform",
    tags: ["ingress", "ingress-controller", "latency"],
  },
  { uid: "demo-logs", title: "Loki / Log lines by level", folder: "Logs", tags: ["logs", "loki"] },
];

function dashboardsWith(words: string): readonly Dashboard[] {
  const wanted = words
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  return DASHBOARDS.filter(({ title, folder, tags }) => {
    const text = [title, folder, ...tags].join(" ").toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}
