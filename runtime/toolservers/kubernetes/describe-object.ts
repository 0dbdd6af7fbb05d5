import { stringify } from "yaml";
import type { KubeObject } from "../../api/cluster-reader.ts";
import { boundBytes } from "../bounded-text.ts";
import { listAt, numberAt, recordAt, textAt, valueAt, without, wordAt } from "../json-value.ts";
import { textTable } from "../text-table.ts";
import { pairs } from "./columns.ts";
import { conditionLines, containerLines, fieldLines, identityLines } from "./describe-parts.ts";
import { healthOf } from "./health.ts";
import { podStatus } from "./pod-status.ts";
import { bytesText, coresText, parseQuantity } from "./quantity.ts";

/** A Deployment, StatefulSet, DaemonSet, ReplicaSet or Job with its pods, its events apart. */
export function describeWorkload(
  workload: KubeObject,
  pods: readonly KubeObject[],
  now: number,
): readonly string[] {
  const strategy =
    textAt(workload, "spec", "strategy", "type") ||
    textAt(workload, "spec", "updateStrategy", "type");
  const template = valueAt(workload, "spec", "template", "spec");
  return [
    ...identityLines(workload, now),
    ...fieldLines([
      ["Health", healthOf(workload, now).reason || "healthy"],
      ["Selector", pairs(recordAt(workload, "spec", "selector", "matchLabels"))],
      ["Replicas", replicasText(workload)],
      ["Strategy", strategy],
      ["Service Account", textAt(template, "serviceAccountName")],
    ]),
    "Pod Template:",
    ...listAt(template, "containers").flatMap((container) => [
      `  ${textAt(container, "name")}:`,
      ...containerLines(container),
    ]),
    ...conditionLines(workload, now),
    ...podLines(pods, now),
  ];
}

function replicasText(workload: KubeObject): string {
  const status = (field: string) => numberAt(workload, "status", field) ?? 0;
  if (workload.kind === "DaemonSet")
    return `${status("desiredNumberScheduled")} desired, ${status("numberReady")} ready`;
  if (workload.kind === "Job")
    return `${status("active")} active, ${status("succeeded")} succeeded, ${status("failed")} failed`;
  const desired = numberAt(workload, "spec", "replicas") ?? 1;
  return `${desired} desired, ${status("updatedReplicas")} updated, ${status("readyReplicas")} ready, ${status("availableReplicas")} available`;
}

/** 20 pods under a workload or on a node; the rest is counted. */
const MAX_PODS = 20;

function podLines(pods: readonly KubeObject[], now: number): readonly string[] {
  if (pods.length === 0) return ["Pods: none"];
  const rows = pods
    .map((pod) => ({ pod, status: podStatus(pod, now) }))
    .sort((a, b) => Number(a.status.healthy) - Number(b.status.healthy))
    .map(({ pod, status: { ready, status, restarts, reason } }) => [
      pod.metadata.name,
      ready,
      status,
      String(restarts),
      reason,
    ]);
  const table = textTable(
    ["NAME", "READY", "STATUS", "RESTARTS", "REASON"],
    rows.slice(0, MAX_PODS),
  );
  const left = rows.length - MAX_PODS;
  return [
    "Pods:",
    ...table.map((line) => `  ${line}`),
    ...(left > 0 ? [`  ... ${left} more ...`] : []),
  ];
}

/** A node with what its pods ask of it, its events apart. */
export function describeNode(
  node: KubeObject,
  pods: readonly KubeObject[],
  now: number,
): readonly string[] {
  const running = pods.filter(
    (pod) => !["Succeeded", "Failed"].includes(textAt(pod, "status", "phase")),
  );
  const taints = listAt(node, "spec", "taints").map(
    (taint) => `${textAt(taint, "key")}=${wordAt(taint, "value")}:${textAt(taint, "effect")}`,
  );
  return [
    ...identityLines(node, now),
    ...fieldLines([
      ["Taints", taints.join(", ")],
      ["Unschedulable", wordAt(node, "spec", "unschedulable")],
      ["Kubelet", textAt(node, "status", "nodeInfo", "kubeletVersion")],
      ["Runtime", textAt(node, "status", "nodeInfo", "containerRuntimeVersion")],
      ["Capacity", pairs(recordAt(node, "status", "capacity"))],
      ["Allocatable", pairs(recordAt(node, "status", "allocatable"))],
      ["Requested", `${requestedText(running, node)} by ${running.length} pods`],
    ]),
    ...conditionLines(node, now),
    ...podLines(running, now),
  ];
}

function requestedText(pods: readonly KubeObject[], node: KubeObject): string {
  const total = (resource: "cpu" | "memory") =>
    pods
      .flatMap((pod) => listAt(pod, "spec", "containers"))
      .map((each) => parseQuantity(wordAt(each, "resources", "requests", resource)) ?? 0)
      .reduce((sum, each) => sum + each, 0);
  const share = (requested: number, resource: string) => {
    const room = parseQuantity(wordAt(node, "status", "allocatable", resource)) ?? 0;
    return room === 0 ? "" : ` (${Math.round((100 * requested) / room)}%)`;
  };
  const cpu = total("cpu");
  const memory = total("memory");
  return `cpu ${coresText(cpu)}${share(cpu, "cpu")}, memory ${bytesText(memory)}${share(memory, "memory")}`;
}

/** 8 KiB each of spec and of status: enough for custom resources, bounded for those that embed documents. */
const MAX_PART_BYTES = 8 * 1024;

/** Any other object: identity, health, conditions, and the rest as YAML. */
export function describeOther(object: KubeObject, now: number): readonly string[] {
  const rest = without(object, "apiVersion", "kind", "metadata", "status");
  const state = without(recordAt(object, "status"), "conditions");
  const health = healthOf(object, now);
  return [
    ...identityLines(object, now),
    ...(health.healthy ? [] : fieldLines([["Health", health.reason]])),
    ...conditionLines(object, now),
    ...yamlLines(rest),
    ...(Object.keys(state).length === 0 ? [] : yamlLines({ status: state })),
  ];
}

function yamlLines(value: Readonly<Record<string, unknown>>): readonly string[] {
  if (Object.keys(value).length === 0) return [];
  return [boundBytes(stringify(value), MAX_PART_BYTES).trimEnd()];
}
