import type { KubeObject } from "../../api/cluster-reader.ts";
import { type DemoPod, PODS, restartsAt, suffix, uid } from "./demo-pods.ts";
import { UPGRADE_FAILED } from "./flux-objects.ts";
import { timestamp, UNSCHEDULABLE_MESSAGE } from "./pod-objects.ts";
import { HOUR, MINUTE } from "./workload.ts";

/** One event before it is an object. */
interface EventDraft {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly source: string;
  /** Milliseconds since 1970. */
  readonly first: number;
  /** Milliseconds since 1970. */
  readonly last: number;
  readonly count: number;
}

/** One hour: how long the API server keeps events. */
const KEPT_MS = HOUR;

/** Events of the demo cluster that are still kept at `now`. */
export function eventObjects(now: number, begin: number): readonly KubeObject[] {
  const drafts = [...PODS.flatMap((pod) => podEvents(pod, now, begin)), ...fluxEvents(now, begin)];
  return drafts.filter(({ last }) => now - last < KEPT_MS && last <= now).map(eventObject);
}

function podEvents(pod: DemoPod, now: number, begin: number): readonly EventDraft[] {
  const { fault } = pod;
  if (fault === undefined) return [];
  switch (fault.kind) {
    case "missing-setting":
    case "out-of-memory":
      return crashEvents(pod, now, begin);
    case "bad-image":
      return imageEvents(pod, now, begin - fault.sinceMs);
    case "unschedulable": {
      const first = begin - fault.sinceMs;
      const draft = about(pod, "Warning", "FailedScheduling", UNSCHEDULABLE_MESSAGE);
      return [repeated(draft, first, 5 * MINUTE, now, "default-scheduler")];
    }
  }
}

function about(
  { name, workload }: DemoPod,
  type: EventDraft["type"],
  reason: string,
  message: string,
): Pick<EventDraft, "kind" | "namespace" | "name" | "type" | "reason" | "message"> {
  return { kind: "Pod", namespace: workload.namespace, name, type, reason, message };
}

function repeated(
  draft: ReturnType<typeof about>,
  first: number,
  periodMs: number,
  now: number,
  source = "kubelet",
): EventDraft {
  const times = Math.max(0, Math.floor((now - first) / periodMs));
  return { ...draft, source, first, last: first + times * periodMs, count: times + 1 };
}

function crashEvents(pod: DemoPod, now: number, begin: number): readonly EventDraft[] {
  const { workload, name, tag } = pod;
  const { count, last } = restartsAt(pod, now, begin);
  if (last === undefined) return [];
  const id = uid(`pod/${workload.namespace}/${name}`);
  const backOff = `Back-off restarting failed container ${workload.name} in pod ${name}_${workload.namespace}(${id})`;
  const pulled = `Container image "${workload.image}:${tag}" already present on machine`;
  const first = begin - pod.ageMs;
  const base = { source: "kubelet", first, count };
  const warning = {
    ...about(pod, "Warning", "BackOff", backOff),
    ...base,
    last: last + 15_000,
    count: count * 6,
  };
  const normal = { ...about(pod, "Normal", "Pulled", pulled), ...base, last: last - 3_000 };
  const probe = `Readiness probe failed: Get "http://${name}:${workload.port}/healthz": connect: connection refused`;
  const unready = { ...about(pod, "Warning", "Unhealthy", probe), ...base, last: last - 1_000 };
  return workload.traffic === undefined ? [warning, normal] : [warning, unready, normal];
}

function imageEvents(pod: DemoPod, now: number, first: number): readonly EventDraft[] {
  const image = `${pod.workload.image}:${pod.tag}`;
  const failed = `Failed to pull image "${image}": manifest for ${image} not found: manifest unknown`;
  return [
    repeated(about(pod, "Normal", "Pulling", `Pulling image "${image}"`), first, 5 * MINUTE, now),
    repeated(about(pod, "Warning", "Failed", failed), first + 1_000, 5 * MINUTE, now),
    repeated(
      about(pod, "Warning", "BackOff", `Back-off pulling image "${image}"`),
      first + 14_000,
      MINUTE,
      now,
    ),
  ];
}

function fluxEvents(now: number, begin: number): readonly EventDraft[] {
  const failing = {
    kind: "Kustomization",
    namespace: "flux-system",
    name: "payments-apps",
    type: "Warning",
    reason: "HealthCheckFailed",
    message:
      "health check failed after 5m0.031s: timeout waiting for: [Deployment/payments/invoice-worker status: 'InProgress']",
  } as const;
  const release = {
    kind: "HelmRelease",
    namespace: "platform",
    name: "analytics-batch",
    type: "Warning",
    reason: "UpgradeFailed",
    message: UPGRADE_FAILED,
  } as const;
  const synced = {
    kind: "Kustomization",
    namespace: "flux-system",
    name: "shop-apps",
    type: "Normal",
    reason: "ReconciliationSucceeded",
    message: "Reconciliation finished in 812.4ms, next run in 10m0s",
  } as const;
  return [
    repeated(failing, begin - 33 * MINUTE, 10 * MINUTE, now, "kustomize-controller"),
    repeated(release, begin - 47 * MINUTE, 10 * MINUTE, now, "helm-controller"),
    repeated(synced, begin - 38 * MINUTE, 10 * MINUTE, now, "kustomize-controller"),
  ];
}

function eventObject(draft: EventDraft): KubeObject {
  const { kind, namespace, name, type, reason, message, source, first, last, count } = draft;
  const id = suffix(`${kind}/${namespace}/${name}/${reason}`, 16);
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: {
      name: `${name}.${id}`,
      namespace,
      uid: uid(`event/${namespace}/${name}.${id}`),
      creationTimestamp: timestamp(first),
    },
    involvedObject: { kind, namespace, name },
    type,
    reason,
    message,
    source: { component: source },
    firstTimestamp: timestamp(first),
    lastTimestamp: timestamp(last),
    count,
  };
}
