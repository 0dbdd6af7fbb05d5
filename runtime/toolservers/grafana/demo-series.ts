import { type DemoPod, PODS, restartsAt } from "../demo/demo-pods.ts";
import { NODES } from "../demo/nodes.ts";
import { draw } from "../demo/pod-logs.ts";
import { HOUR, type Traffic, type Workload } from "../demo/workload.ts";
import { WORKLOADS } from "../demo/workloads.ts";
import { parseQuantity } from "../kubernetes/quantity.ts";
import type { DemoSeries, Labels } from "./promql-value.ts";

/** What the demo's metrics are made of. */
export interface DemoSeriesDeps {
  /** Name of the cluster; every series has it as label. */
  readonly cluster: string;
  /** Milliseconds since 1970 when the demo began. */
  readonly begin: number;
}

/** Upper bounds of the latency histogram in seconds. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, Infinity];
const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Metrics of the demo cluster: the same workloads, pods and faults that its Kubernetes API shows. */
export function demoSeries({ cluster, begin }: DemoSeriesDeps): readonly DemoSeries[] {
  const series = (metric: string, labels: Labels, value: (at: number) => number): DemoSeries => ({
    labels: { __name__: metric, cluster, ...labels },
    value,
  });
  return [
    ...PODS.flatMap((pod) => [
      ...stateSeries(pod, begin, series),
      ...(isStarted(pod) ? useSeries(pod, begin, series) : []),
      ...trafficSeries(pod, begin, series),
    ]),
    ...WORKLOADS.flatMap((workload) => workloadSeries(workload, series)),
    ...NODES.flatMap(({ name }) => nodeSeries(name, begin, series)),
  ];
}

type Make = (metric: string, labels: Labels, value: (at: number) => number) => DemoSeries;

/** Whether its containers have ever run. */
function isStarted({ fault }: DemoPod): boolean {
  return fault?.kind !== "bad-image" && fault?.kind !== "unschedulable";
}

function labelsOf({ workload, name }: DemoPod): Labels {
  return { namespace: workload.namespace, pod: name, container: workload.name };
}

function stateSeries(pod: DemoPod, begin: number, make: Make): readonly DemoSeries[] {
  const { workload, name, node, fault } = pod;
  const labels = labelsOf(pod);
  const place = { namespace: workload.namespace, pod: name };
  const pending = !isStarted(pod);
  const waiting = pending ? "ImagePullBackOff" : "CrashLoopBackOff";
  const job = { ...place, job: workload.name, instance: `${name}:${workload.port}` };
  const phases = ["Pending", "Running", "Failed"].map((phase) =>
    make("kube_pod_status_phase", { ...place, phase }, () =>
      Number(phase === (pending ? "Pending" : "Running")),
    ),
  );
  const resources = (["requests", "limits"] as const).flatMap((kind) => [
    make(`kube_pod_container_resource_${kind}`, { ...labels, resource: "cpu", unit: "core" }, () =>
      kind === "requests" ? workload.cpuRequest : workload.cpuLimit,
    ),
    make(
      `kube_pod_container_resource_${kind}`,
      { ...labels, resource: "memory", unit: "byte" },
      () => parseQuantity(kind === "requests" ? workload.memoryRequest : workload.memoryLimit) ?? 0,
    ),
  ]);
  return [
    ...phases,
    ...resources,
    make("kube_pod_status_ready", { ...place, condition: "true" }, () =>
      Number(fault === undefined),
    ),
    make("kube_pod_status_unschedulable", place, () => Number(node === undefined)),
    ...(node === undefined ? [] : [make("kube_pod_info", { ...place, node }, () => 1)]),
    ...(pending ? [] : [make("up", job, () => Number(fault === undefined))]),
    ...(pending
      ? []
      : [
          make(
            "kube_pod_container_status_restarts_total",
            labels,
            (at) => restartsAt(pod, at, begin).count,
          ),
        ]),
    ...(fault === undefined || fault.kind === "unschedulable"
      ? []
      : [
          make("kube_pod_container_status_waiting_reason", { ...labels, reason: waiting }, () => 1),
        ]),
    ...(fault === undefined || pending
      ? []
      : [
          make(
            "kube_pod_container_status_last_terminated_reason",
            { ...labels, reason: fault.kind === "out-of-memory" ? "OOMKilled" : "Error" },
            () => 1,
          ),
        ]),
  ];
}

function useSeries(pod: DemoPod, begin: number, make: Make): readonly DemoSeries[] {
  const { workload, name } = pod;
  const labels = labelsOf(pod);
  const created = begin - pod.ageMs;
  const volume = { namespace: workload.namespace, persistentvolumeclaim: `data-${name}` };
  const size = (workload.volumeGiB ?? 0) * GIB;
  return [
    make(
      "container_cpu_usage_seconds_total",
      labels,
      (at) => (workload.cpuUse * Math.max(0, at - created)) / 1000,
    ),
    make("container_memory_working_set_bytes", labels, (at) => memoryUse(pod, at, begin)),
    ...(workload.volumeGiB === undefined
      ? []
      : [
          make("kubelet_volume_stats_capacity_bytes", volume, () => size),
          make(
            "kubelet_volume_stats_used_bytes",
            volume,
            () => size * (0.35 + 0.3 * draw(`volume/${name}`)),
          ),
        ]),
  ];
}

/** Steady, but for a container that is killed for its memory: there it grows from crash to crash. */
function memoryUse(pod: DemoPod, at: number, begin: number): number {
  const { workload, fault } = pod;
  if (fault?.kind !== "out-of-memory") return workload.memoryUseMiB * MIB;
  const limit = parseQuantity(workload.memoryLimit) ?? 0;
  const last = restartsAt(pod, at, begin).last ?? begin - pod.ageMs;
  const share = Math.min(1, Math.max(0, at - last) / fault.crash.periodMs);
  return Math.round(limit * (0.55 + 0.44 * share));
}

function trafficSeries(pod: DemoPod, begin: number, make: Make): readonly DemoSeries[] {
  const { workload, name } = pod;
  const { traffic, namespace } = workload;
  if (traffic === undefined || !isStarted(pod)) return [];
  const replicas = PODS.filter((each) => each.workload === workload).length;
  const created = begin - pod.ageMs;
  const requests = (at: number) =>
    ((traffic.perSecond / replicas) * Math.max(0, at - created)) / 1000;
  const labels = { namespace, service: workload.name, pod: name };
  const broken = workload.fault === undefined && traffic.errorShare < 0.01 ? "500" : "503";
  const bucket = (bound: number) =>
    make(
      "http_request_duration_seconds_bucket",
      { ...labels, le: bound === Infinity ? "+Inf" : String(bound) },
      (at) => requests(at) * belowBound(traffic, bound),
    );
  return [
    make(
      "http_requests_total",
      { ...labels, status: "200" },
      (at) => requests(at) * (1 - traffic.errorShare),
    ),
    make(
      "http_requests_total",
      { ...labels, status: broken },
      (at) => requests(at) * traffic.errorShare,
    ),
    ...BOUNDS.map(bucket),
    make("http_request_duration_seconds_count", labels, requests),
    make(
      "http_request_duration_seconds_sum",
      labels,
      (at) => requests(at) * traffic.medianSeconds * 1.3,
    ),
  ];
}

/** Log-logistic: median and, at three times the median, the 95th percentile. */
function belowBound({ medianSeconds }: Traffic, bound: number): number {
  if (bound === Infinity) return 1;
  const shape = Math.log(19) / Math.log(3);
  return 1 / (1 + (bound / medianSeconds) ** -shape);
}

function workloadSeries(workload: Workload, make: Make): readonly DemoSeries[] {
  const { namespace, name, kind, replicas } = workload;
  const pods = PODS.filter((pod) => pod.workload === workload);
  const available = Math.min(replicas, pods.filter(({ fault }) => fault === undefined).length);
  const prefix = kind === "Deployment" ? "kube_deployment" : "kube_statefulset";
  const labels = { namespace, [kind.toLowerCase()]: name };
  const desired = kind === "Deployment" ? `${prefix}_spec_replicas` : `${prefix}_replicas`;
  return [
    make(desired, labels, () => replicas),
    make(`${prefix}_status_replicas_available`, labels, () => available),
    ...(kind === "Deployment"
      ? [make(`${prefix}_status_replicas_unavailable`, labels, () => pods.length - available)]
      : []),
  ];
}

function nodeSeries(name: string, begin: number, make: Make): readonly DemoSeries[] {
  const node = NODES.find((each) => each.name === name);
  const memory = (node?.memoryGiB ?? 0) * GIB;
  const cores = node?.cpu ?? 0;
  const pods = PODS.filter((pod) => pod.node === name && isStarted(pod));
  const used = pods.reduce((sum, { workload }) => sum + workload.memoryUseMiB * MIB, 0);
  const busy = pods.reduce((sum, { workload }) => sum + workload.cpuUse, 0);
  const labels = { instance: name, node: name };
  const disk = { ...labels, mountpoint: "/", device: "/dev/vda1" };
  const since = begin - 40 * 24 * HOUR;
  const seconds = (at: number) => Math.max(0, at - since) / 1000;
  return [
    make("node_memory_MemTotal_bytes", labels, () => memory),
    make("node_memory_MemAvailable_bytes", labels, () => memory - used - 1.5 * GIB),
    make(
      "node_cpu_seconds_total",
      { ...labels, mode: "idle" },
      (at) => seconds(at) * (cores - busy),
    ),
    make("node_cpu_seconds_total", { ...labels, mode: "user" }, (at) => seconds(at) * busy),
    make("node_filesystem_size_bytes", disk, () => 120 * GIB),
    make("node_filesystem_avail_bytes", disk, () => GIB * (44 + 30 * draw(`disk/${name}`))),
    make("kube_node_status_condition", { node: name, condition: "Ready", status: "true" }, () => 1),
  ];
}
