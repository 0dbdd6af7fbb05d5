/** How the worker's program gets into a pod (decisions 19). Either way it lies at `/app/main.mjs`. */
export type WorkerDelivery =
  /** An image that holds it. */
  | { readonly kind: "image"; readonly image: string }
  /** A stock Node image and an immutable ConfigMap of the pod's namespace, mounted at `/app`. */
  | { readonly kind: "bundle"; readonly nodeImage: string; readonly configMapName: string };

/** What the controller's own configuration says of the workloads that it makes (kagent-api section 4). */
export interface WorkloadSettings {
  readonly delivery: WorkerDelivery;
  /** KAGENT_URL of the pods, e.g. `http://kagent-controller.kagent:8083`. */
  readonly controllerUrl: string;
  /** KAGENT_UI_URL of the pods. */
  readonly uiUrl?: string;
  /** The `OTEL_*` variables of the controller; passed on to every pod. */
  readonly telemetry?: Readonly<Record<string, string>>;
  /** DEFAULT_SERVICE_ACCOUNT_NAME: Agents that name none run as it; absent: each has one of its own. */
  readonly serviceAccountName?: string;
  /** DEFAULT_AGENT_POD_LABELS. */
  readonly podLabels?: Readonly<Record<string, string>>;
  /** DEFAULT_AGENT_NODE_SELECTOR; used where an Agent has none. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** DEFAULT_AGENT_BIND_HOST; 0.0.0.0 when absent. */
  readonly bindHost?: string;
  /** Of the worker's image and of BYO images that name none; the API server's own default when absent. */
  readonly imagePullPolicy?: string;
}
