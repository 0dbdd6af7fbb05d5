import type { KubeObject } from "../../api/cluster-reader.ts";
import { PODS, replicaSetName, uid } from "./demo-pods.ts";
import { containerSpec, selectorLabels, timestamp, workloadLabels } from "./pod-objects.ts";
import type { Workload } from "./workload.ts";
import { WORKLOADS } from "./workloads.ts";

/** Deployments, ReplicaSets and StatefulSets of the demo cluster. */
export function controllerObjects(begin: number): readonly KubeObject[] {
  return WORKLOADS.flatMap((workload) =>
    workload.kind === "StatefulSet"
      ? [statefulSet(workload, begin)]
      : [deployment(workload, begin), ...replicaSets(workload, begin)],
  );
}

/** Tag that the workload's pod template asks for: the new one while a rollout is stuck. */
export function wantedTag(workload: Workload): string {
  return workload.fault?.kind === "bad-image" ? workload.fault.tag : workload.tag;
}

/** Pod template of `workload` with the image `tag`, as Git and the cluster have it. */
export function podTemplate(workload: Workload, tag: string): Readonly<Record<string, unknown>> {
  return {
    metadata: { labels: workloadLabels(workload) },
    spec: { serviceAccountName: workload.name, containers: [containerSpec(workload, tag)] },
  };
}

/** Everything restarts at once after a change of its settings, so a bad setting takes all of it down. */
function strategy(workload: Workload): Readonly<Record<string, unknown>> {
  const recreates = ["missing-setting", "unschedulable"].includes(workload.fault?.kind ?? "");
  if (recreates) return { type: "Recreate" };
  return { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
}

function readyPods(workload: Workload): number {
  return PODS.filter((pod) => pod.workload === workload && pod.fault === undefined).length;
}

function metadata(
  workload: Workload,
  name: string,
  created: number,
  owner?: Readonly<Record<string, unknown>>,
): KubeObject["metadata"] {
  const helm =
    workload.delivery.kind === "helm"
      ? {
          annotations: {
            "meta.helm.sh/release-name": workload.name,
            "meta.helm.sh/release-namespace": workload.namespace,
          },
        }
      : {};
  return {
    name,
    namespace: workload.namespace,
    uid: uid(`${workload.namespace}/${name}`),
    generation: 7,
    creationTimestamp: timestamp(created),
    labels: workloadLabels(workload),
    ...(owner === undefined ? helm : { ownerReferences: [owner] }),
  };
}

function deployment(workload: Workload, begin: number): KubeObject {
  const ready = readyPods(workload);
  const { replicas, fault } = workload;
  const updated = fault?.kind === "bad-image" ? 1 : replicas;
  const available = Math.min(ready, replicas);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadata(workload, workload.name, begin - Math.max(workload.ageMs, 40 * 86_400_000)),
    spec: {
      replicas,
      selector: { matchLabels: selectorLabels(workload) },
      strategy: strategy(workload),
      template: podTemplate(workload, wantedTag(workload)),
    },
    status: {
      observedGeneration: 7,
      replicas: PODS.filter((pod) => pod.workload === workload).length,
      updatedReplicas: updated,
      readyReplicas: available,
      availableReplicas: available,
      unavailableReplicas: PODS.filter((pod) => pod.workload === workload).length - available,
      conditions: rolloutConditions(workload, available, begin),
    },
  };
}

function rolloutConditions(
  workload: Workload,
  available: number,
  begin: number,
): readonly unknown[] {
  const { name, replicas, fault } = workload;
  const since = timestamp(begin - 35 * 60_000);
  const enough = available >= replicas;
  const stuck = fault !== undefined && fault.kind !== "out-of-memory";
  const set = replicaSetName(workload, wantedTag(workload));
  return [
    {
      type: "Available",
      status: enough ? "True" : "False",
      reason: enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
      message: enough
        ? "Deployment has minimum availability."
        : "Deployment does not have minimum availability.",
      lastTransitionTime: since,
    },
    {
      type: "Progressing",
      status: stuck ? "False" : "True",
      reason: stuck ? "ProgressDeadlineExceeded" : "NewReplicaSetAvailable",
      message: stuck
        ? `ReplicaSet "${set}" has timed out progressing.`
        : `ReplicaSet "${replicaSetName(workload, workload.tag)}" has successfully progressed (deployment ${name}).`,
      lastTransitionTime: since,
    },
  ];
}

function replicaSets(workload: Workload, begin: number): readonly KubeObject[] {
  const tags = [...new Set([workload.tag, wantedTag(workload)])];
  return tags.map((tag) => {
    const name = replicaSetName(workload, tag);
    const pods = PODS.filter((pod) => pod.owner === name);
    const age = Math.max(...pods.map(({ ageMs }) => ageMs));
    return {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: metadata(workload, name, begin - age, {
        apiVersion: "apps/v1",
        kind: "Deployment",
        name: workload.name,
        uid: uid(`${workload.namespace}/${workload.name}`),
        controller: true,
      }),
      spec: {
        replicas: pods.length,
        selector: { matchLabels: selectorLabels(workload) },
        template: podTemplate(workload, tag),
      },
      status: {
        replicas: pods.length,
        readyReplicas: pods.filter(({ fault }) => fault === undefined).length,
      },
    };
  });
}

function statefulSet(workload: Workload, begin: number): KubeObject {
  const ready = readyPods(workload);
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: metadata(workload, workload.name, begin - workload.ageMs),
    spec: {
      replicas: workload.replicas,
      serviceName: workload.name,
      selector: { matchLabels: selectorLabels(workload) },
      template: podTemplate(workload, workload.tag),
    },
    status: {
      replicas: ready,
      readyReplicas: ready,
      availableReplicas: ready,
      updatedReplicas: ready,
    },
  };
}
