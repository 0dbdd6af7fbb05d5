/** An object of a cluster; only what every object has is typed. */
export interface KubeObject {
  /** Group and version, e.g. `apps/v1`. */
  readonly apiVersion: string;
  /** E.g. `Deployment`. */
  readonly kind: string;
  /** Identity and labels. */
  readonly metadata: ObjectMetadata;
  /** `spec`, `status`, `data` and whatever else the kind has. */
  readonly [field: string]: unknown;
}

/** The part of an object's metadata that tools read; the rest is there, untyped. */
export interface ObjectMetadata {
  /** Unique in its namespace and kind. */
  readonly name: string;
  /** Absent for cluster-wide kinds. */
  readonly namespace?: string;
  /** RFC 3339. */
  readonly creationTimestamp?: string;
  /** RFC 3339; set while the object is being deleted. */
  readonly deletionTimestamp?: string;
  /** For selectors. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Free text by key. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Everything else. */
  readonly [field: string]: unknown;
}

/** A kind that the cluster serves, in the preferred version of its group. */
export interface ApiResource {
  /** API group; empty for the core group. */
  readonly group: string;
  /** E.g. `v1`. */
  readonly version: string;
  /** E.g. `Deployment`. */
  readonly kind: string;
  /** Name in paths, e.g. `deployments`. */
  readonly plural: string;
  /** E.g. `deployment`; may be empty. */
  readonly singular: string;
  /** E.g. `deploy`. */
  readonly shortNames: readonly string[];
  /** Sets it belongs to, e.g. `all`. */
  readonly categories: readonly string[];
  /** Whether objects live in namespaces. */
  readonly namespaced: boolean;
  /** E.g. `get`, `list`. */
  readonly verbs: readonly string[];
}

/** What a cluster serves. */
export interface ApiCatalogue {
  /** Core group first, then in the order of the server. */
  readonly resources: readonly ApiResource[];
  /** Groups that could not be asked, e.g. because the service behind them is down. */
  readonly unavailable: readonly string[];
}

/** Which objects to list. */
export interface ListQuery {
  /** Absent: every namespace. */
  readonly namespace?: string;
  /** As kubectl's `--selector`. */
  readonly labelSelector?: string;
  /** As kubectl's `--field-selector`; what may be selected depends on the kind. */
  readonly fieldSelector?: string;
  /** Most objects to read. */
  readonly limit: number;
}

/** Objects that were listed. */
export interface ObjectList {
  /** In the order of the server. */
  readonly items: readonly KubeObject[];
  /** Whether the cluster has more than `limit` of them. */
  readonly more: boolean;
}

/** Which log to read. */
export interface LogQuery {
  /** Namespace of the pod. */
  readonly namespace: string;
  /** Name of the pod. */
  readonly pod: string;
  /** Container; needed when the pod has several. */
  readonly container?: string;
  /** Last lines to read. */
  readonly tailLines: number;
  /** Most bytes to read. */
  readonly limitBytes: number;
  /** `previous`: the log of the container's run before its last restart. */
  readonly run: "current" | "previous";
}

/** How a cluster introduces itself; no credentials. */
interface ClusterIdentity {
  /** Context of the kubeconfig, or the name of the demo cluster. */
  readonly context: string;
  /** Address of the API server, without user information. */
  readonly server: string;
  /** E.g. `v1.34.1`. */
  readonly version: string;
  /** E.g. `linux/amd64`. */
  readonly platform: string;
}

/**
 * Reads of one cluster; nothing here changes anything.
 *
 * Every method ends when its signal aborts, with the signal's reason, and has a time limit of its own. Failures
 * are {@link ClusterError}s.
 */
export interface ClusterReader {
  /** Name of the cluster for people. */
  readonly name: string;
  /** Says that the data is a stand-in; first line of every answer made from it. Absent: a real cluster. */
  readonly label?: string;
  /** Kinds the cluster serves; may be cached for a minute. */
  resources(signal: AbortSignal): Promise<ApiCatalogue>;
  /** Objects of one kind. */
  list(resource: ApiResource, query: ListQuery, signal: AbortSignal): Promise<ObjectList>;
  /** One object. Fails with `not-found` when there is none. */
  get(
    resource: ApiResource,
    ref: { readonly namespace?: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<KubeObject>;
  /** Log of one container. Fails with `invalid` when it has none yet. */
  logs(query: LogQuery, signal: AbortSignal): Promise<string>;
  /** Who answers. */
  identity(signal: AbortSignal): Promise<ClusterIdentity>;
}

/** Way in which reading a cluster failed. */
export type ClusterErrorCode =
  | "not-found"
  | "forbidden"
  | "unauthorized"
  | "unreachable"
  | "timeout"
  | "invalid"
  | "conflict"
  | "exists"
  | "expired";

/**
 * A request that a cluster refused or did not answer. The message is for people and holds no credentials.
 *
 * `unreachable`, `timeout`, `conflict` and `expired` go away by trying again; the others need somebody.
 */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
  /** Way in which it failed. */
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
