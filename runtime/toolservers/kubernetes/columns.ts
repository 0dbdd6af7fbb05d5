import type { ApiResource, KubeObject } from "../../api/cluster-reader.ts";
import { ageText, durationText } from "../duration-text.ts";
import { listAt, numberAt, recordAt, textAt, valueAt, wordAt } from "../json-value.ts";
import { healthOf } from "./health.ts";
import { conditionOf, podStatus } from "./pod-status.ts";
import { isBuiltIn } from "./resource-types.ts";

/** One column of a list: its heading and how a cell is made. */
export interface Column {
  /** Upper-case heading. */
  readonly heading: string;
  /** Text of the cell for `object` at `now`. */
  readonly cell: (object: KubeObject, now: number) => string;
}

function column(heading: string, cell: Column["cell"]): Column {
  return { heading, cell };
}

const NAME = column("NAME", ({ metadata }) => metadata.name);
const AGE = column("AGE", ({ metadata }, now) => ageText(metadata.creationTimestamp ?? "", now));
const REASON = column("REASON", (object, now) => healthOf(object, now).reason);
const IMAGES = column("IMAGES", (object) =>
  listAt(object, "spec", "template", "spec", "containers")
    .map((each) => textAt(each, "image"))
    .join(","),
);

function field(heading: string, ...path: readonly (string | number)[]): Column {
  return column(heading, (object) => wordAt(object, ...path));
}

function counts(heading: string, ready: string, desired: (object: KubeObject) => number): Column {
  return column(
    heading,
    (object) => `${numberAt(object, "status", ready) ?? 0}/${desired(object)}`,
  );
}

const wantedReplicas = (object: KubeObject) => numberAt(object, "spec", "replicas") ?? 1;

const POD: readonly Column[] = [
  NAME,
  column("READY", (pod, now) => podStatus(pod, now).ready),
  column("STATUS", (pod, now) => podStatus(pod, now).status),
  column("RESTARTS", (pod, now) => {
    const { restarts, lastRestart } = podStatus(pod, now);
    if (restarts === 0 || lastRestart === undefined || lastRestart === 0) return String(restarts);
    return `${restarts} (${durationText(now - lastRestart)} ago)`;
  }),
  AGE,
  field("NODE", "spec", "nodeName"),
  REASON,
];

const DEPLOYMENT: readonly Column[] = [
  NAME,
  counts("READY", "readyReplicas", wantedReplicas),
  field("UP-TO-DATE", "status", "updatedReplicas"),
  field("AVAILABLE", "status", "availableReplicas"),
  AGE,
  IMAGES,
  REASON,
];

const STATEFUL_SET: readonly Column[] = [
  NAME,
  counts("READY", "readyReplicas", wantedReplicas),
  AGE,
  IMAGES,
  REASON,
];

const REPLICA_SET: readonly Column[] = [
  NAME,
  field("DESIRED", "spec", "replicas"),
  field("CURRENT", "status", "replicas"),
  column("READY", (object) => String(numberAt(object, "status", "readyReplicas") ?? 0)),
  AGE,
  IMAGES,
  REASON,
];

const DAEMON_SET: readonly Column[] = [
  NAME,
  counts("READY", "numberReady", (set) => numberAt(set, "status", "desiredNumberScheduled") ?? 0),
  AGE,
  IMAGES,
  REASON,
];

const SERVICE: readonly Column[] = [
  NAME,
  field("TYPE", "spec", "type"),
  field("CLUSTER-IP", "spec", "clusterIP"),
  column("PORTS", (service) =>
    listAt(service, "spec", "ports")
      .map((port) => `${wordAt(port, "port")}/${textAt(port, "protocol") || "TCP"}`)
      .join(","),
  ),
  AGE,
  column("SELECTOR", (service) => pairs(recordAt(service, "spec", "selector"))),
];

const INGRESS: readonly Column[] = [
  NAME,
  field("CLASS", "spec", "ingressClassName"),
  column("HOSTS", (ingress) =>
    listAt(ingress, "spec", "rules")
      .map((rule) => textAt(rule, "host") || "*")
      .join(","),
  ),
  AGE,
];

const NODE: readonly Column[] = [
  NAME,
  column("STATUS", (node) => {
    const ready = textAt(conditionOf(node, "Ready"), "status") === "True" ? "Ready" : "NotReady";
    return valueAt(node, "spec", "unschedulable") === true ? `${ready},SchedulingDisabled` : ready;
  }),
  column("ROLES", ({ metadata }) => roles(metadata.labels ?? {})),
  AGE,
  field("VERSION", "status", "nodeInfo", "kubeletVersion"),
  field("CPU", "status", "allocatable", "cpu"),
  field("MEMORY", "status", "allocatable", "memory"),
  REASON,
];

const CLAIM: readonly Column[] = [
  NAME,
  field("STATUS", "status", "phase"),
  field("VOLUME", "spec", "volumeName"),
  field("CAPACITY", "status", "capacity", "storage"),
  field("STORAGECLASS", "spec", "storageClassName"),
  AGE,
  REASON,
];

const CONFIG_MAP: readonly Column[] = [
  NAME,
  column("DATA", (map) => Object.keys(recordAt(map, "data")).join(",")),
  AGE,
];

const SECRET: readonly Column[] = [
  NAME,
  field("TYPE", "type"),
  column("KEYS", (secret) => Object.keys(recordAt(secret, "data")).join(",")),
  AGE,
];

const JOB: readonly Column[] = [
  NAME,
  counts("COMPLETIONS", "succeeded", (job) => numberAt(job, "spec", "completions") ?? 1),
  column("FAILED", (job) => String(numberAt(job, "status", "failed") ?? 0)),
  AGE,
  IMAGES,
  REASON,
];

const CRON_JOB: readonly Column[] = [
  NAME,
  field("SCHEDULE", "spec", "schedule"),
  field("SUSPEND", "spec", "suspend"),
  column("LAST SCHEDULE", (job, now) => {
    const last = textAt(job, "status", "lastScheduleTime");
    return last === "" ? "" : ageText(last, now);
  }),
  AGE,
];

const NAMESPACE: readonly Column[] = [NAME, field("STATUS", "status", "phase"), AGE];

/** Every kind without columns of its own: Flux objects, agents, whatever has conditions. */
const OTHER: readonly Column[] = [
  NAME,
  column("READY", (object) => textAt(conditionOf(object, "Ready"), "status")),
  AGE,
  column("STATUS", (object, now) => {
    const { healthy, reason } = healthOf(object, now);
    const suspended = valueAt(object, "spec", "suspend") === true ? "suspended; " : "";
    return suspended + (healthy ? textAt(conditionOf(object, "Ready"), "message") : reason);
  }),
];

const BY_KIND: Readonly<Record<string, readonly Column[]>> = {
  Pod: POD,
  Deployment: DEPLOYMENT,
  StatefulSet: STATEFUL_SET,
  ReplicaSet: REPLICA_SET,
  DaemonSet: DAEMON_SET,
  Service: SERVICE,
  Ingress: INGRESS,
  Node: NODE,
  Namespace: NAMESPACE,
  PersistentVolumeClaim: CLAIM,
  ConfigMap: CONFIG_MAP,
  Secret: SECRET,
  Job: JOB,
  CronJob: CRON_JOB,
};

/** Columns in which objects of `resource` are listed, without the namespace. */
export function columnsOf(resource: ApiResource): readonly Column[] {
  const { kind } = resource;
  if (!isBuiltIn(resource) || !Object.hasOwn(BY_KIND, kind)) return OTHER;
  return BY_KIND[kind] ?? OTHER;
}

/** `a=1,b=2`. */
export function pairs(record: Readonly<Record<string, unknown>>): string {
  return Object.keys(record)
    .map((key) => `${key}=${wordAt(record, key)}`)
    .join(",");
}

function roles(labels: Readonly<Record<string, string>>): string {
  const prefix = "node-role.kubernetes.io/";
  return Object.keys(labels)
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length))
    .join(",");
}
