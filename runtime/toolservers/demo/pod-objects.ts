import type { KubeObject } from "../../api/cluster-reader.ts";
import { coresText } from "../kubernetes/quantity.ts";
import { type DemoPod, PODS, type Restarts, restartsAt, uid } from "./demo-pods.ts";
import { NODES } from "./nodes.ts";
import type { Workload } from "./workload.ts";

/** RFC 3339 in UTC, whole seconds, as the API server writes times. */
export function timestamp(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

/** Labels that select the pods of `workload`. */
export function selectorLabels({ name }: Workload): Readonly<Record<string, string>> {
  return { "app.kubernetes.io/name": name };
}

/** Labels of every object that belongs to `workload`. */
export function workloadLabels(workload: Workload): Readonly<Record<string, string>> {
  const { delivery, name } = workload;
  const by =
    delivery.kind === "helm"
      ? { "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": name }
      : { "kustomize.toolkit.fluxcd.io/name": delivery.name };
  return { ...selectorLabels(workload), ...by };
}

/** Container of `workload` with the image `tag`, as in a pod template. */
export function containerSpec(workload: Workload, tag: string): Readonly<Record<string, unknown>> {
  const { name, image, port, settings, credentials = [], volumeGiB } = workload;
  const { cpuRequest, memoryRequest, cpuLimit, memoryLimit } = workload;
  const env = credentials.map((key) => ({
    name: key,
    valueFrom: { secretKeyRef: { name: `${name}-credentials`, key } },
  }));
  return {
    name,
    image: `${image}:${tag}`,
    ports: [{ containerPort: port, protocol: "TCP" }],
    ...(settings === undefined ? {} : { envFrom: [{ configMapRef: { name: `${name}-config` } }] }),
    ...(env.length === 0 ? {} : { env }),
    resources: {
      requests: { cpu: coresText(cpuRequest), memory: memoryRequest },
      limits: { cpu: coresText(cpuLimit), memory: memoryLimit },
    },
    ...(workload.traffic === undefined
      ? {}
      : {
          readinessProbe: {
            httpGet: { path: "/healthz", port },
            periodSeconds: 10,
            failureThreshold: 3,
          },
        }),
    ...(volumeGiB === undefined ? {} : { volumeMounts: [{ name: "data", mountPath: "/data" }] }),
  };
}

/** Every pod object of the demo cluster at `now`. */
export function podObjects(now: number, begin: number): readonly KubeObject[] {
  return PODS.map((pod, index) => podObject(pod, index, now, begin));
}

function podObject(pod: DemoPod, index: number, now: number, begin: number): KubeObject {
  const { workload, name, node, owner, tag } = pod;
  const stateful = workload.kind === "StatefulSet";
  const created = timestamp(begin - pod.ageMs);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: workload.namespace,
      uid: uid(`pod/${workload.namespace}/${name}`),
      creationTimestamp: created,
      labels: workloadLabels(workload),
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: stateful ? "StatefulSet" : "ReplicaSet",
          name: owner,
          uid: uid(`${workload.namespace}/${owner}`),
          controller: true,
        },
      ],
    },
    spec: {
      ...(node === undefined ? {} : { nodeName: node }),
      restartPolicy: "Always",
      serviceAccountName: workload.name,
      containers: [containerSpec(workload, tag)],
      ...(workload.volumeGiB === undefined
        ? {}
        : { volumes: [{ name: "data", persistentVolumeClaim: { claimName: `data-${name}` } }] }),
    },
    status: podStatusObject(pod, index, created, restartsAt(pod, now, begin)),
  };
}

function podStatusObject(
  pod: DemoPod,
  index: number,
  created: string,
  restarts: Restarts,
): Readonly<Record<string, unknown>> {
  const { workload, tag, fault } = pod;
  const scheduled = fault?.kind !== "unschedulable";
  const ready = fault === undefined;
  const qosClass =
    workload.memoryRequest === workload.memoryLimit && workload.cpuRequest === workload.cpuLimit
      ? "Guaranteed"
      : "Burstable";
  if (!scheduled)
    return { phase: "Pending", qosClass, conditions: [unscheduledCondition(created)] };
  return {
    phase: fault?.kind === "bad-image" ? "Pending" : "Running",
    qosClass,
    hostIP: `10.20.1.${11 + (index % 3)}`,
    podIP: `10.64.${index % 3}.${20 + index}`,
    startTime: created,
    conditions: conditions(created, ready, workload.name),
    containerStatuses: [
      {
        name: workload.name,
        image: `${workload.image}:${tag}`,
        ready,
        started: ready,
        restartCount: restarts.count,
        ...containerState(pod, created, restarts),
      },
    ],
  };
}

function containerState(
  pod: DemoPod,
  created: string,
  restarts: Restarts,
): Readonly<Record<string, unknown>> {
  const { fault, workload, tag, name } = pod;
  if (fault === undefined) return { state: { running: { startedAt: created } }, lastState: {} };
  if (fault.kind === "bad-image") {
    const message = `Back-off pulling image "${workload.image}:${tag}": ErrImagePull: manifest for ${workload.image}:${tag} not found: manifest unknown`;
    return { state: { waiting: { reason: "ImagePullBackOff", message } }, lastState: {} };
  }
  const message = `back-off 5m0s restarting failed container=${workload.name} pod=${name}_${workload.namespace}(${uid(`pod/${workload.namespace}/${name}`)})`;
  const last = restarts.last ?? Date.parse(created);
  const oom = fault.kind === "out-of-memory";
  const terminated = {
    reason: oom ? "OOMKilled" : "Error",
    exitCode: oom ? 137 : 1,
    startedAt: timestamp(last - (oom ? 220_000 : 2_000)),
    finishedAt: timestamp(last),
  };
  return { state: { waiting: { reason: "CrashLoopBackOff", message } }, lastState: { terminated } };
}

/** Why no node takes a pod that asks for more memory than any has. */
export const UNSCHEDULABLE_MESSAGE = `0/${NODES.length} nodes are available: ${NODES.length} Insufficient memory. preemption: 0/${NODES.length} nodes are available: ${NODES.length} No preemption victims found for incoming pod.`;

function unscheduledCondition(since: string): Readonly<Record<string, string>> {
  return {
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    message: UNSCHEDULABLE_MESSAGE,
    lastTransitionTime: since,
  };
}

function conditions(since: string, ready: boolean, container: string): readonly unknown[] {
  const status = ready ? "True" : "False";
  const why = ready
    ? {}
    : {
        reason: "ContainersNotReady",
        message: `containers with unready status: [${container}]`,
      };
  return [
    { type: "PodScheduled", status: "True", lastTransitionTime: since },
    { type: "Initialized", status: "True", lastTransitionTime: since },
    { type: "ContainersReady", status, ...why, lastTransitionTime: since },
    { type: "Ready", status, ...why, lastTransitionTime: since },
  ];
}
