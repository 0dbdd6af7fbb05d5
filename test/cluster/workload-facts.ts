/** Namespaces that are filled. */
export const NAMESPACES = ["shop", "payments", "flux-system"] as const;

/** Nodes, both Ready; pods are "on" the first and the second in turn. */
export const NODES = [
  { name: "worker-1", address: "10.0.0.11" },
  { name: "worker-2", address: "10.0.0.12" },
] as const;

/** What is wrong with the pods of a workload, or that nothing is. */
export type PodState =
  | { readonly kind: "running" }
  | {
      /** The container exits again and again and waits for its next start. */
      readonly kind: "crash-loop";
      readonly reason: "CrashLoopBackOff";
      /** Reason of the last termination. */
      readonly lastReason: "Error";
      readonly exitCode: number;
      readonly restartCount: number;
      /** Last words of the container, in `lastState.terminated.message`: the cause. */
      readonly message: string;
    }
  | {
      /** The container runs again after it was killed for its memory. */
      readonly kind: "oom-killed";
      readonly lastReason: "OOMKilled";
      readonly exitCode: 137;
      readonly restartCount: number;
    }
  | {
      /** The image cannot be pulled. */
      readonly kind: "image-pull";
      readonly reason: "ImagePullBackOff";
      /** What the runtime answered. */
      readonly message: string;
    }
  | {
      /** No node takes the pod. */
      readonly kind: "unschedulable";
      readonly reason: "Unschedulable";
      /** Message of the condition `PodScheduled` and of the event `FailedScheduling`. */
      readonly message: string;
    };

/** A Deployment with its ReplicaSet and Pods. */
export interface Workload {
  /** Namespace of everything. */
  readonly namespace: string;
  /** Name of the Deployment, of the container and of the label `app`. */
  readonly deployment: string;
  /** Name of the ReplicaSet; the pods' names begin with it. */
  readonly replicaSet: string;
  /** Names of the pods, one per replica. */
  readonly pods: readonly string[];
  /** Image of the only container. */
  readonly image: string;
  /** Memory the container asks for; its limit is the same. */
  readonly memory: string;
  /** State of every pod. */
  readonly state: PodState;
}

/** Workloads whose pods are all ready. */
export const HEALTHY_WORKLOADS = {
  storefront: {
    namespace: "shop",
    deployment: "storefront",
    replicaSet: "storefront-5f7c8d9b6",
    pods: ["storefront-5f7c8d9b6-4mzqt", "storefront-5f7c8d9b6-w8kxn"],
    image: "shop/storefront:1.8.2",
    memory: "256Mi",
    state: { kind: "running" },
  },
  ledger: {
    namespace: "payments",
    deployment: "ledger",
    replicaSet: "ledger-8495f6cdd",
    pods: ["ledger-8495f6cdd-j2vhs"],
    image: "payments/ledger:3.1.0",
    memory: "512Mi",
    state: { kind: "running" },
  },
} as const satisfies Readonly<Record<string, Workload>>;

/** Workloads that fail, each in its own way and with one pod. */
export const FAILING_WORKLOADS = {
  crashLoop: {
    namespace: "shop",
    deployment: "checkout",
    replicaSet: "checkout-7c9d5b8f64",
    pods: ["checkout-7c9d5b8f64-x2k4p"],
    image: "shop/checkout:2.3.1",
    memory: "256Mi",
    state: {
      kind: "crash-loop",
      reason: "CrashLoopBackOff",
      lastReason: "Error",
      exitCode: 1,
      restartCount: 14,
      message: "fatal: required setting LEDGER_URL is missing, see ConfigMap checkout-settings\n",
    },
  },
  unschedulable: {
    namespace: "shop",
    deployment: "search-index",
    replicaSet: "search-index-66b7d54c9f",
    pods: ["search-index-66b7d54c9f-nv6dl"],
    image: "shop/search-index:0.9.0",
    memory: "64Gi",
    state: {
      kind: "unschedulable",
      reason: "Unschedulable",
      message:
        "0/2 nodes are available: 2 Insufficient memory. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
    },
  },
  imagePull: {
    namespace: "payments",
    deployment: "card-gateway",
    replicaSet: "card-gateway-6fbd8c7d5c",
    pods: ["card-gateway-6fbd8c7d5c-zq9tb"],
    image: "payments/card-gateway:2.4.0-rc7",
    memory: "128Mi",
    state: {
      kind: "image-pull",
      reason: "ImagePullBackOff",
      message:
        'rpc error: code = NotFound desc = failed to pull and unpack image "payments/card-gateway:2.4.0-rc7": not found',
    },
  },
  oomKilled: {
    namespace: "payments",
    deployment: "fraud-scorer",
    replicaSet: "fraud-scorer-5d4c8b7f9d",
    pods: ["fraud-scorer-5d4c8b7f9d-7hwxg"],
    image: "payments/fraud-scorer:0.4.1",
    memory: "192Mi",
    state: { kind: "oom-killed", lastReason: "OOMKilled", exitCode: 137, restartCount: 6 },
  },
} as const satisfies Readonly<Record<string, Workload>>;

/** Settings of the crashing workload: the ConfigMap lacks the key that its last words name. */
export const CHECKOUT_SETTINGS = {
  namespace: "shop",
  name: "checkout-settings",
  data: { CATALOG_URL: "http://storefront.shop:8080", CURRENCY: "EUR" },
  missingKey: "LEDGER_URL",
} as const;

/** A Secret with a value that must never show up in an answer, an event or a log. */
export const LEDGER_SECRET = {
  namespace: "payments",
  name: "ledger-credentials",
  key: "password",
  canary: "canary-3f9b1c7e-not-to-be-shown",
} as const;

/** A release as Helm 3 stores it. */
export interface HelmReleaseFacts {
  readonly namespace: string;
  readonly name: string;
  /** Number of the only stored revision. */
  readonly revision: number;
  readonly status: "deployed" | "failed";
  /** Name of the chart. */
  readonly chart: string;
  readonly chartVersion: string;
  readonly appVersion: string;
  /** Helm's sentence about the outcome. */
  readonly description: string;
  /** Values the user gave. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** One release that went well and one that did not. */
export const HELM_RELEASES = {
  deployed: {
    namespace: "shop",
    name: "storefront",
    revision: 1,
    status: "deployed",
    chart: "storefront",
    chartVersion: "1.8.2",
    appVersion: "1.8.2",
    description: "Install complete",
    values: { replicaCount: 2 },
  },
  failed: {
    namespace: "payments",
    name: "fraud-scorer",
    revision: 1,
    status: "failed",
    chart: "fraud-scorer",
    chartVersion: "0.4.1",
    appVersion: "0.4.1",
    description: 'Release "fraud-scorer" failed: context deadline exceeded',
    values: { resources: { limits: { memory: "192Mi" } } },
  },
} as const satisfies Readonly<Record<string, HelmReleaseFacts>>;

/** A Flux object and its condition `Ready`. */
export interface FluxFacts {
  readonly kind: "Kustomization" | "HelmRelease";
  readonly namespace: string;
  readonly name: string;
  /** Status of the condition `Ready`. */
  readonly ready: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

/** Revision of the Git source that Flux saw last. */
export const FLUX_REVISION = "main@sha1:8f3c2e1d9b7a6f5e4d3c2b1a0f9e8d7c6b5a4f3e";

/** Of each kind one object that fails and one that is well. */
export const FLUX_OBJECTS = {
  failingKustomization: {
    kind: "Kustomization",
    namespace: "flux-system",
    name: "payments",
    ready: "False",
    reason: "BuildFailed",
    message:
      "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'card-gateway-patch.yaml': open card-gateway-patch.yaml: no such file or directory'",
  },
  healthyKustomization: {
    kind: "Kustomization",
    namespace: "flux-system",
    name: "shop",
    ready: "True",
    reason: "ReconciliationSucceeded",
    message: `Applied revision: ${FLUX_REVISION}`,
  },
  failingHelmRelease: {
    kind: "HelmRelease",
    namespace: "payments",
    name: "fraud-scorer",
    ready: "False",
    reason: "InstallFailed",
    message:
      "Helm install failed for release payments/fraud-scorer with chart fraud-scorer@0.4.1: context deadline exceeded",
  },
  healthyHelmRelease: {
    kind: "HelmRelease",
    namespace: "shop",
    name: "storefront",
    ready: "True",
    reason: "InstallSucceeded",
    message: "Helm install succeeded for release shop/storefront.v1 with chart storefront@1.8.2",
  },
} as const satisfies Readonly<Record<string, FluxFacts>>;
