import { stringify } from "yaml";
import { podTemplate, wantedTag } from "../demo/controller-objects.ts";
import { FLUX, helmValues } from "../demo/flux-objects.ts";
import { selectorLabels } from "../demo/pod-objects.ts";
import { DAY, HOUR, MINUTE, type Workload } from "../demo/workload.ts";
import { WORKLOADS } from "../demo/workloads.ts";
import { without } from "../json-value.ts";
import type { NewFile } from "./git-repository.ts";

/** One commit of the repository's history. */
export interface SeedCommit {
  readonly message: string;
  /** Time before the demo began, in milliseconds. */
  readonly ageMs: number;
  readonly files: readonly NewFile[];
  /** Number of the pull request that brought it; absent for the first commit. */
  readonly pullRequest?: number;
}

/** The address that checkout lost and misses since. */
const PAYMENTS_API_URL = "https://payment-gateway.payments.svc:8443";

/**
 * A GitOps repository that fits the demo cluster: its manifests, and the changes that brought the faults, in the
 * order in which they were made.
 *
 * @param cluster - Name of the cluster.
 */
export function seedCommits(cluster: string): readonly SeedCommit[] {
  const now = manifests(WORKLOADS, cluster);
  const before = manifests(WORKLOADS.map(beforeFaults), cluster);
  const change = (
    message: string,
    ageMs: number,
    pullRequest: number,
    folder: string,
  ): SeedCommit => ({
    message,
    ageMs,
    pullRequest,
    files: now.filter(
      ({ path, content }) => path.startsWith(folder) && !holds(before, path, content),
    ),
  });
  return [
    { message: "Import the manifests of the platform", ageMs: 92 * DAY, files: before },
    change(
      "payments: reconcile in batches of 50000\n\nHalves the time of the nightly run.",
      27 * HOUR,
      41,
      "apps/payments/payment-gateway/",
    ),
    change(
      "checkout: drop settings that nothing reads\n\nThe payments address comes from service discovery now.",
      76 * MINUTE,
      44,
      "apps/shop/checkout/",
    ),
    change(
      "analytics-batch: ask for 48Gi\n\nThe yearly report did not fit.",
      54 * MINUTE,
      45,
      "apps/platform/analytics-batch/",
    ),
    change("invoice-worker: 1.9.0-rc7", 40 * MINUTE, 46, "apps/payments/invoice-worker/"),
  ];
}

function holds(files: readonly NewFile[], path: string, content: string): boolean {
  return files.some((file) => file.path === path && file.content === content);
}

/** The workload as it was before somebody changed it. */
function beforeFaults(workload: Workload): Workload {
  const { fault, ...well } = workload;
  switch (fault?.kind) {
    case "missing-setting":
      return { ...well, settings: { ...well.settings, [fault.setting]: PAYMENTS_API_URL } };
    case "out-of-memory":
      return { ...well, settings: { ...well.settings, RECONCILE_BATCH: "5000" } };
    case "unschedulable":
      return { ...well, memoryRequest: "4Gi", memoryLimit: "4Gi" };
    case "bad-image":
    case undefined:
      return well;
  }
}

function manifests(workloads: readonly Workload[], cluster: string): readonly NewFile[] {
  const own = workloads.filter(({ namespace }) => namespace !== "flux-system");
  const namespaces = [...new Set(own.map(({ namespace }) => namespace))];
  return [
    { path: "README.md", content: readme(cluster) },
    ...namespaces.map((namespace) => clusterKustomization(namespace, cluster)),
    ...namespaces.map((namespace) =>
      listing(
        `apps/${namespace}`,
        own.filter((each) => each.namespace === namespace).map(({ name }) => name),
      ),
    ),
    ...own.flatMap(workloadFiles),
  ];
}

function readme(cluster: string): string {
  return [
    "# platform-gitops",
    "",
    `What runs in the cluster ${cluster}, applied by Flux. Demonstration content made on the first start.`,
    "",
    "- `clusters/`: what Flux applies in each cluster",
    "- `apps/<namespace>/<workload>/`: manifests, or the HelmRelease of a chart",
    "",
    "Changes come as pull requests against `main`; agents push to branches `agent/*` only.",
    "",
  ].join("\n");
}

function yamlFile(path: string, ...objects: readonly unknown[]): NewFile {
  return { path, content: objects.map((object) => stringify(object)).join("---\n") };
}

function clusterKustomization(namespace: string, cluster: string): NewFile {
  return yamlFile(`clusters/${cluster}/${namespace}.yaml`, {
    apiVersion: FLUX.kustomize,
    kind: "Kustomization",
    metadata: { name: `${namespace}-apps`, namespace: "flux-system" },
    spec: {
      interval: "10m",
      path: `./apps/${namespace}`,
      prune: true,
      wait: true,
      timeout: "5m",
      sourceRef: { kind: "GitRepository", name: "platform-gitops" },
    },
  });
}

function listing(folder: string, resources: readonly string[]): NewFile {
  return yamlFile(`${folder}/kustomization.yaml`, {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources,
  });
}

function workloadFiles(workload: Workload): readonly NewFile[] {
  const { namespace, name, delivery } = workload;
  const folder = `apps/${namespace}/${name}`;
  if (delivery.kind === "helm")
    return [
      listing(folder, ["helmrelease.yaml"]),
      helmRelease(workload, `${folder}/helmrelease.yaml`),
    ];
  const controller = `${workload.kind.toLowerCase()}.yaml`;
  const files = [
    workloadManifest(workload, `${folder}/${controller}`),
    service(workload, `${folder}/service.yaml`),
  ];
  const settings =
    workload.settings === undefined ? [] : [configMap(workload, `${folder}/config.yaml`)];
  const all = [...files, ...settings];
  return [
    listing(
      folder,
      all.map(({ path }) => path.slice(folder.length + 1)),
    ),
    ...all,
  ];
}

function helmRelease(workload: Workload, path: string): NewFile {
  const { name, namespace, delivery } = workload;
  const chart =
    delivery.kind === "helm" ? { chart: delivery.chart, version: delivery.version } : {};
  const values = without(helmValues(workload), "adminPassword");
  return yamlFile(path, {
    apiVersion: FLUX.helm,
    kind: "HelmRelease",
    metadata: { name, namespace },
    spec: {
      interval: "10m",
      timeout: "5m",
      chart: {
        spec: {
          ...chart,
          sourceRef: { kind: "HelmRepository", name: "charts", namespace: "flux-system" },
        },
      },
      values,
    },
  });
}

function workloadManifest(workload: Workload, path: string): NewFile {
  const { name, namespace, kind, replicas } = workload;
  return yamlFile(path, {
    apiVersion: "apps/v1",
    kind,
    metadata: { name, namespace, labels: selectorLabels(workload) },
    spec: {
      replicas,
      selector: { matchLabels: selectorLabels(workload) },
      ...(kind === "StatefulSet" ? { serviceName: name } : {}),
      // without the label that Flux adds to what it applies
      template: {
        ...podTemplate(workload, wantedTag(workload)),
        metadata: { labels: selectorLabels(workload) },
      },
    },
  });
}

function service(workload: Workload, path: string): NewFile {
  const { name, namespace, port } = workload;
  return yamlFile(path, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels: selectorLabels(workload) },
    spec: { selector: selectorLabels(workload), ports: [{ name: "http", port, targetPort: port }] },
  });
}

function configMap(workload: Workload, path: string): NewFile {
  const { name, namespace, settings } = workload;
  return yamlFile(path, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `${name}-config`, namespace },
    data: settings,
  });
}
