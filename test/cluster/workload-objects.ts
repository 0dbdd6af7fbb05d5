import { createHash } from "node:crypto";
import type { ClusterObject } from "./api-client.ts";
import { CHECKOUT_SETTINGS, LEDGER_SECRET, NODES, type Workload } from "./workload-facts.ts";

const MINUTE_MS = 60_000;

/** Time stamp as the API writes it, so many minutes before `now` (milliseconds since 1970). */
export function minutesBefore(now: number, minutes: number): string {
  return new Date(now - minutes * MINUTE_MS).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Hexadecimal digits that look random and are the same in every run. */
export function digest(text: string, digits: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}

/** Node a pod of the workload is on. */
export function nodeOf(workload: Workload, pod: string): (typeof NODES)[number] {
  return NODES[workload.pods.indexOf(pod) % NODES.length] ?? NODES[0];
}

/** A namespace. */
export function namespace(name: string): ClusterObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

/** A node with four cores and 8 GiB. */
export function node(name: string): ClusterObject {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
      },
    },
  };
}

/** Status of a node that is well. */
export function nodeStatus(
  name: string,
  address: string,
  now: number,
): Readonly<Record<string, unknown>> {
  const resources = { cpu: "4", memory: "8Gi", pods: "110", "ephemeral-storage": "100Gi" };
  const condition = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: minutesBefore(now, 0),
    lastTransitionTime: minutesBefore(now, 10_000),
  });
  return {
    capacity: resources,
    allocatable: resources,
    addresses: [
      { type: "InternalIP", address },
      { type: "Hostname", address: name },
    ],
    conditions: [
      condition(
        "MemoryPressure",
        "False",
        "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
      ),
      condition(
        "DiskPressure",
        "False",
        "KubeletHasNoDiskPressure",
        "kubelet has no disk pressure",
      ),
      condition(
        "PIDPressure",
        "False",
        "KubeletHasSufficientPID",
        "kubelet has sufficient PID available",
      ),
      condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ],
    nodeInfo: {
      machineID: digest(name, 32),
      systemUUID: digest(`${name}-system`, 32),
      bootID: digest(`${name}-boot`, 32),
      kernelVersion: "6.12.48",
      osImage: "Debian GNU/Linux 13 (trixie)",
      containerRuntimeVersion: "containerd://2.1.4",
      kubeletVersion: "v1.36.3",
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: "amd64",
    },
  };
}

/** Objects that no controller would make: settings, a Secret and a Service. */
export const PLAIN_OBJECTS: readonly ClusterObject[] = [
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: CHECKOUT_SETTINGS.name, namespace: CHECKOUT_SETTINGS.namespace },
    data: CHECKOUT_SETTINGS.data,
  },
  {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: LEDGER_SECRET.name, namespace: LEDGER_SECRET.namespace },
    type: "Opaque",
    data: { [LEDGER_SECRET.key]: Buffer.from(LEDGER_SECRET.canary).toString("base64") },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "storefront", namespace: "shop", labels: { app: "storefront" } },
    spec: { selector: { app: "storefront" }, ports: [{ name: "http", port: 8080 }] },
  },
];

/** The Deployment of a workload. */
export function deployment(workload: Workload): ClusterObject {
  const { namespace: where, deployment: name, pods } = workload;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name,
      namespace: where,
      labels: { app: name },
      annotations: { "deployment.kubernetes.io/revision": "1" },
    },
    spec: {
      replicas: pods.length,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: podSpec(workload) },
    },
  };
}

/** Status of a Deployment or a ReplicaSet: the counts both share. */
export function replicaCounts(workload: Workload): Readonly<Record<string, number>> {
  const ready = readyPods(workload);
  return {
    observedGeneration: 1,
    replicas: workload.pods.length,
    readyReplicas: ready,
    availableReplicas: ready,
  };
}

/** Status of the Deployment of a workload. */
export function deploymentStatus(
  workload: Workload,
  now: number,
): Readonly<Record<string, unknown>> {
  const { pods, replicaSet } = workload;
  const isWell = readyPods(workload) === pods.length;
  const since = minutesBefore(now, 118);
  const condition = (type: string, reason: string, message: string) => ({
    type,
    status: isWell ? "True" : "False",
    reason,
    message,
    lastTransitionTime: since,
    lastUpdateTime: since,
  });
  return {
    ...replicaCounts(workload),
    updatedReplicas: pods.length,
    unavailableReplicas: pods.length - readyPods(workload),
    conditions: isWell
      ? [
          condition(
            "Available",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
          ),
          condition(
            "Progressing",
            "NewReplicaSetAvailable",
            `ReplicaSet "${replicaSet}" has successfully progressed.`,
          ),
        ]
      : [
          condition(
            "Available",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
          ),
          condition(
            "Progressing",
            "ProgressDeadlineExceeded",
            `ReplicaSet "${replicaSet}" has timed out progressing.`,
          ),
        ],
  };
}

/** The ReplicaSet of a workload; `owner` is the uid of its Deployment. */
export function replicaSet(workload: Workload, owner: string): ClusterObject {
  const labels = podLabels(workload);
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: workload.replicaSet,
      namespace: workload.namespace,
      labels,
      annotations: { "deployment.kubernetes.io/revision": "1" },
      ownerReferences: [ownerReference("Deployment", workload.deployment, owner)],
    },
    spec: {
      replicas: workload.pods.length,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec(workload) },
    },
  };
}

/** One pod of a workload; `owner` is the uid of its ReplicaSet. */
export function pod(workload: Workload, name: string, owner: string): ClusterObject {
  const isScheduled = workload.state.kind !== "unschedulable";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: workload.namespace,
      labels: podLabels(workload),
      ownerReferences: [ownerReference("ReplicaSet", workload.replicaSet, owner)],
    },
    spec: {
      ...podSpec(workload),
      ...(isScheduled ? { nodeName: nodeOf(workload, name).name } : {}),
    },
  };
}

function podSpec(workload: Workload): Readonly<Record<string, unknown>> {
  const { deployment: name, image, memory } = workload;
  const isCheckout = name === "checkout";
  return {
    containers: [
      {
        name,
        image,
        ports: [{ name: "http", containerPort: 8080 }],
        resources: { requests: { cpu: "100m", memory }, limits: { memory } },
        terminationMessagePolicy: "FallbackToLogsOnError",
        ...(isCheckout ? { envFrom: [{ configMapRef: { name: CHECKOUT_SETTINGS.name } }] } : {}),
      },
    ],
  };
}

function podLabels(workload: Workload): Readonly<Record<string, string>> {
  const { deployment: app, replicaSet: set } = workload;
  return { app, "pod-template-hash": set.slice(app.length + 1) };
}

function ownerReference(
  kind: string,
  name: string,
  uid: string,
): Readonly<Record<string, unknown>> {
  return { apiVersion: "apps/v1", kind, name, uid, controller: true, blockOwnerDeletion: true };
}

function readyPods(workload: Workload): number {
  const isReady = workload.state.kind === "running" || workload.state.kind === "oom-killed";
  return isReady ? workload.pods.length : 0;
}
