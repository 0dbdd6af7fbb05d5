import { MINUTE } from "../demo/workload.ts";
import type { ActiveAlert, AlertRule } from "./observability-source.ts";
import { evaluate } from "./promql-evaluate.ts";
import { parsePromql } from "./promql-expression.ts";
import { type DemoSeries, keyOf, type Point, unnamed } from "./promql-value.ts";

interface DemoRule {
  readonly name: string;
  readonly severity: "critical" | "warning";
  readonly query: string;
  readonly forMs: number;
  /** For people; `$label` becomes the label's value. */
  readonly summary: string;
}

const RULES: readonly DemoRule[] = [
  {
    name: "KubePodCrashLooping",
    severity: "critical",
    query: "increase(kube_pod_container_status_restarts_total[30m]) > 1",
    forMs: 10 * MINUTE,
    summary: "container $container of pod $namespace/$pod restarts again and again",
  },
  {
    name: "KubeContainerOOMKilled",
    severity: "critical",
    query: 'kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1',
    forMs: 0,
    summary: "container $container of pod $namespace/$pod was killed for its memory",
  },
  {
    name: "KubeContainerImagePullFailed",
    severity: "warning",
    query: 'kube_pod_container_status_waiting_reason{reason="ImagePullBackOff"} == 1',
    forMs: 15 * MINUTE,
    summary: "the image of pod $namespace/$pod cannot be pulled",
  },
  {
    name: "KubePodUnschedulable",
    severity: "warning",
    query: "kube_pod_status_unschedulable == 1",
    forMs: 15 * MINUTE,
    summary: "no node has room for pod $namespace/$pod",
  },
  {
    name: "HighErrorRate",
    severity: "critical",
    query:
      'sum by (cluster, namespace, service) (rate(http_requests_total{status=~"5.."}[5m])) / sum by (cluster, namespace, service) (rate(http_requests_total[5m])) > 0.05',
    forMs: 5 * MINUTE,
    summary: "more than 5 % of the requests to $namespace/$service fail",
  },
  {
    name: "HighLatency",
    severity: "warning",
    query:
      "histogram_quantile(0.95, sum by (cluster, namespace, service, le) (rate(http_request_duration_seconds_bucket[5m]))) > 1",
    forMs: 10 * MINUTE,
    summary: "1 in 20 requests to $namespace/$service takes longer than a second",
  },
  {
    name: "NodeDiskAlmostFull",
    severity: "warning",
    query: "1 - node_filesystem_avail_bytes / node_filesystem_size_bytes > 0.85",
    forMs: 30 * MINUTE,
    summary: "the disk of node $node is almost full",
  },
  {
    name: "KubePersistentVolumeFillingUp",
    severity: "warning",
    query: "kubelet_volume_stats_used_bytes / kubelet_volume_stats_capacity_bytes > 0.85",
    forMs: 30 * MINUTE,
    summary: "volume $namespace/$persistentvolumeclaim is almost full",
  },
  {
    name: "KubeNodeNotReady",
    severity: "critical",
    query: 'kube_node_status_condition{condition="Ready",status="true"} == 0',
    forMs: 15 * MINUTE,
    summary: "node $node is not ready",
  },
];

/** A minute between two evaluations of a rule's past. */
const STEP_MS = MINUTE;

/** What the demo's alerts are made of. */
export interface DemoAlertsDeps {
  readonly series: readonly DemoSeries[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds since 1970 from which an alert that holds all the time counts. */
  readonly since: (labels: DemoSeries["labels"]) => number;
}

/** The demo's alert rules, each evaluated over the demo's metrics now and back to where its alerts began. */
export function demoAlertRules(deps: DemoAlertsDeps): readonly AlertRule[] {
  return RULES.map((rule): AlertRule => {
    const expression = parsePromql(rule.query);
    const pointsAt = (at: number): readonly Point[] => {
      const value = evaluate(expression, deps.series, at);
      return typeof value === "number" ? [] : value;
    };
    const points = pointsAt(deps.now);
    const past = points.length === 0 ? [] : pastKeys(pointsAt, deps.now, rule.forMs);
    const alerts = points.map((point) => active(rule, point, past, deps));
    const firing = alerts.some(({ state }) => state === "firing");
    const state = firing ? "firing" : alerts.length > 0 ? "pending" : "inactive";
    const { name, severity, query } = rule;
    return { group: "demo/workloads", name, state, severity, query, alerts };
  });
}

/** Which series fulfilled the rule one step ago, two steps ago, ..., back to `forMs`. */
function pastKeys(
  pointsAt: (at: number) => readonly Point[],
  now: number,
  forMs: number,
): readonly ReadonlySet<string>[] {
  const steps = Math.ceil(forMs / STEP_MS);
  return Array.from(
    { length: steps },
    (_, index) => new Set(pointsAt(now - (index + 1) * STEP_MS).map(({ labels }) => keyOf(labels))),
  );
}

function active(
  rule: DemoRule,
  point: Point,
  past: readonly ReadonlySet<string>[],
  { now, since }: DemoAlertsDeps,
): ActiveAlert {
  const key = keyOf(point.labels);
  const broken = past.findIndex((keys) => !keys.has(key));
  // it held as long as was looked at: then as long as what it is about has been so
  const begun = broken < 0 ? since(point.labels) : now - broken * STEP_MS;
  return {
    state: now - begun >= rule.forMs ? "firing" : "pending",
    labels: { alertname: rule.name, severity: rule.severity, ...unnamed(point.labels) },
    activeAt: new Date(begun).toISOString(),
    summary: rule.summary.replace(/\$(\w+)/g, (_, label: string) => point.labels[label] ?? "?"),
  };
}
