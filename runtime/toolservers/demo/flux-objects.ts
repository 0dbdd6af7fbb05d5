import { createHash } from "node:crypto";
import type { KubeObject } from "../../api/cluster-reader.ts";
import { uid } from "./demo-pods.ts";
import { timestamp } from "./pod-objects.ts";
import { DAY, HOUR, MINUTE, type Workload } from "./workload.ts";
import { WORKLOADS } from "./workloads.ts";

/** Commit of the Git repository that Flux has seen; a stand-in like everything here. */
const DEMO_REVISION = `main@sha1:${createHash("sha1").update("demo").digest("hex")}`;

/** API versions of Flux's kinds. */
export const FLUX = {
  source: "source.toolkit.fluxcd.io/v1",
  kustomize: "kustomize.toolkit.fluxcd.io/v1",
  helm: "helm.toolkit.fluxcd.io/v2",
} as const;

/** Why the Kustomization payments-apps fails: the new invoice-worker never becomes ready. */
const HEALTH_CHECK_FAILED =
  "health check failed after 5m0.031s: timeout waiting for: [Deployment/payments/invoice-worker status: 'InProgress']";

/** Why the upgrade of analytics-batch failed: its pod finds no node. */
export const UPGRADE_FAILED =
  "Helm upgrade failed for release platform/analytics-batch with chart batch-runner@0.7.0: resource Deployment/platform/analytics-batch not ready. status: InProgress, message: Available: 0/1: context deadline exceeded";

/** Git and Helm sources, Kustomizations and HelmReleases of the demo cluster; one of each last two fails. */
export function fluxObjects(begin: number): readonly KubeObject[] {
  const releases = WORKLOADS.filter(({ delivery }) => delivery.kind === "helm");
  return [
    gitRepository(begin),
    helmRepository(begin),
    kustomization("flux-system", "./clusters/services-amer", begin),
    kustomization("infrastructure", "./infrastructure", begin),
    kustomization("shop-apps", "./apps/shop", begin),
    kustomization("payments-apps", "./apps/payments", begin, HEALTH_CHECK_FAILED),
    ...releases.map((workload) => helmRelease(workload, begin)),
  ];
}

function metadata(
  kind: string,
  namespace: string,
  name: string,
  begin: number,
): KubeObject["metadata"] {
  return {
    name,
    namespace,
    uid: uid(`${kind}/${namespace}/${name}`),
    generation: 4,
    creationTimestamp: timestamp(begin - 92 * DAY),
  };
}

function ready(status: "True" | "False", reason: string, message: string, sinceMs: number) {
  return { type: "Ready", status, reason, message, lastTransitionTime: timestamp(sinceMs) };
}

function gitRepository(begin: number): KubeObject {
  const message = `stored artifact for revision '${DEMO_REVISION}'`;
  return {
    apiVersion: FLUX.source,
    kind: "GitRepository",
    metadata: metadata("gitrepository", "flux-system", "platform-gitops", begin),
    spec: {
      interval: "1m0s",
      ref: { branch: "main" },
      url: "ssh://git@git.example.com/demo/platform-gitops",
      secretRef: { name: "platform-gitops-auth" },
    },
    status: {
      observedGeneration: 4,
      artifact: { revision: DEMO_REVISION, lastUpdateTime: timestamp(begin - 38 * MINUTE) },
      conditions: [ready("True", "Succeeded", message, begin - 38 * MINUTE)],
    },
  };
}

function helmRepository(begin: number): KubeObject {
  return {
    apiVersion: FLUX.source,
    kind: "HelmRepository",
    metadata: metadata("helmrepository", "flux-system", "charts", begin),
    spec: { interval: "10m0s", url: "https://charts.example.com" },
    status: {
      observedGeneration: 4,
      conditions: [
        ready("True", "Succeeded", "stored artifact: revision 'sha256:demo'", begin - DAY),
      ],
    },
  };
}

function kustomization(name: string, path: string, begin: number, failure?: string): KubeObject {
  const condition =
    failure === undefined
      ? ready(
          "True",
          "ReconciliationSucceeded",
          `Applied revision: ${DEMO_REVISION}`,
          begin - 38 * MINUTE,
        )
      : ready("False", "HealthCheckFailed", failure, begin - 33 * MINUTE);
  return {
    apiVersion: FLUX.kustomize,
    kind: "Kustomization",
    metadata: metadata("kustomization", "flux-system", name, begin),
    spec: {
      interval: "10m0s",
      path,
      prune: true,
      wait: true,
      timeout: "5m0s",
      sourceRef: { kind: "GitRepository", name: "platform-gitops" },
    },
    status: {
      observedGeneration: 4,
      lastAttemptedRevision: DEMO_REVISION,
      ...(failure === undefined ? { lastAppliedRevision: DEMO_REVISION } : {}),
      conditions: [
        condition,
        ...(failure === undefined ? [] : [{ ...condition, type: "Healthy" }]),
      ],
    },
  };
}

function helmRelease(workload: Workload, begin: number): KubeObject {
  const { name, namespace, delivery } = workload;
  const { chart, version } =
    delivery.kind === "helm" ? delivery : { chart: name, version: "0.0.0" };
  const failed = workload.fault?.kind === "unschedulable";
  const done = `Helm upgrade succeeded for release ${namespace}/${name}.v3 with chart ${chart}@${version}`;
  const condition = failed
    ? ready("False", "UpgradeFailed", UPGRADE_FAILED, begin - 47 * MINUTE)
    : ready("True", "UpgradeSucceeded", done, begin - 12 * DAY + 3 * HOUR);
  return {
    apiVersion: FLUX.helm,
    kind: "HelmRelease",
    metadata: metadata("helmrelease", namespace, name, begin),
    spec: {
      interval: "10m0s",
      timeout: "5m0s",
      chart: {
        spec: {
          chart,
          version,
          sourceRef: { kind: "HelmRepository", name: "charts", namespace: "flux-system" },
        },
      },
      values: helmValues(workload),
    },
    status: {
      observedGeneration: 4,
      lastAttemptedRevision: version,
      upgradeFailures: failed ? 1 : 0,
      conditions: failed ? [condition, { ...condition, type: "Released" }] : [condition],
      history: [
        {
          chartName: chart,
          chartVersion: version,
          version: failed ? 4 : 3,
          status: failed ? "failed" : "deployed",
        },
      ],
    },
  };
}

/** Values that the Helm release of `workload` is made with. */
export function helmValues(workload: Workload): Readonly<Record<string, unknown>> {
  const { image, tag, replicas, cpuRequest, cpuLimit, memoryRequest, memoryLimit, volumeGiB } =
    workload;
  return {
    image: { repository: image, tag },
    replicaCount: replicas,
    resources: {
      requests: { cpu: cpuRequest, memory: memoryRequest },
      limits: { cpu: cpuLimit, memory: memoryLimit },
    },
    ...(volumeGiB === undefined ? {} : { persistence: { enabled: true, size: `${volumeGiB}Gi` } }),
    ...(workload.credentials === undefined ? {} : { adminPassword: "demo-not-a-password" }),
  };
}
