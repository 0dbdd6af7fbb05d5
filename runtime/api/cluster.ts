import type { ApiResource, KubeObject, ObjectMetadata } from "./cluster-reader.ts";
import { GROUP, VERSION } from "./names.ts";

/** A kind as requests name it. */
export type ResourceType = Pick<
  ApiResource,
  "group" | "version" | "kind" | "plural" | "namespaced"
>;

/** An owner of an object: when it goes, the object goes. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** The one owner that manages the object. */
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** An object as the API server keeps it. */
export interface StoredObject extends KubeObject {
  readonly metadata: ObjectMetadata & {
    readonly uid: string;
    /** Opaque; changes with every write. */
    readonly resourceVersion: string;
    /** Counts changes of `spec`. */
    readonly generation?: number;
    readonly ownerReferences?: readonly OwnerReference[];
  };
}

const core = (kind: string, plural: string, namespaced = true): ResourceType => ({
  group: "",
  version: "v1",
  kind,
  plural,
  namespaced,
});
const own = (kind: string, plural: string): ResourceType => ({
  group: GROUP,
  version: VERSION,
  kind,
  plural,
  namespaced: true,
});

/** Every kind that the runtime reads or writes. */
export const RESOURCES = {
  Agent: own("Agent", "agents"),
  ModelConfig: own("ModelConfig", "modelconfigs"),
  RemoteMCPServer: own("RemoteMCPServer", "remotemcpservers"),
  ModelProviderConfig: own("ModelProviderConfig", "modelproviderconfigs"),
  Namespace: core("Namespace", "namespaces", false),
  Secret: core("Secret", "secrets"),
  ConfigMap: core("ConfigMap", "configmaps"),
  Service: core("Service", "services"),
  ServiceAccount: core("ServiceAccount", "serviceaccounts"),
  Pod: core("Pod", "pods"),
  Event: core("Event", "events"),
  Deployment: {
    group: "apps",
    version: "v1",
    kind: "Deployment",
    plural: "deployments",
    namespaced: true,
  },
  EndpointSlice: {
    group: "discovery.k8s.io",
    version: "v1",
    kind: "EndpointSlice",
    plural: "endpointslices",
    namespaced: true,
  },
  Lease: {
    group: "coordination.k8s.io",
    version: "v1",
    kind: "Lease",
    plural: "leases",
    namespaced: true,
  },
} as const satisfies Readonly<Record<string, ResourceType>>;

/** One object of a kind; `namespace` is left out for kinds of the whole cluster. */
export interface ObjectKey {
  readonly namespace?: string;
  readonly name: string;
}

/** Which objects to list or watch. */
export interface Selection {
  /** Absent: every namespace. */
  readonly namespace?: string;
  /** As kubectl's `--selector`. */
  readonly labelSelector?: string;
  /** As kubectl's `--field-selector`. */
  readonly fieldSelector?: string;
}

/** A change that a watch tells. */
export type WatchEvent =
  | { readonly type: "added" | "modified" | "deleted"; readonly object: StoredObject }
  /** Nothing changed up to this version; a watch may go on from it. */
  | { readonly type: "bookmark"; readonly resourceVersion: string };

/** Who a token belongs to, as the API server says. */
export interface TokenOwner {
  /** E.g. `system:serviceaccount:kagent:kagent-controller`. */
  readonly user: string;
  readonly groups: readonly string[];
  /** Audiences of the token among those asked for. */
  readonly audiences: readonly string[];
}

/**
 * One cluster, to read and to write.
 *
 * Every method ends when its signal aborts, with the signal's reason, and has a time limit of its own. Failures are
 * `ClusterError`s: `conflict` when the object changed meanwhile, `exists` when a name is taken, `expired` when a watch
 * asks for a version that is forgotten, `invalid` when the object is refused (message and paths are the server's).
 */
export interface Cluster {
  /** @returns The object, or `undefined` when there is none. */
  get(type: ResourceType, key: ObjectKey, signal: AbortSignal): Promise<StoredObject | undefined>;
  /** Every object of a selection, page by page, with the version the list stands for. */
  list(
    type: ResourceType,
    selection: Selection,
    signal: AbortSignal,
  ): Promise<{ readonly items: readonly StoredObject[]; readonly resourceVersion: string }>;
  /** Changes after `resourceVersion`; ends when the server closes, throws when the connection breaks. */
  watch(
    type: ResourceType,
    selection: Selection & { readonly resourceVersion: string },
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent>;
  /** Creates an object. Fails with `exists` when there is one of that name. */
  create(type: ResourceType, object: KubeObject, signal: AbortSignal): Promise<StoredObject>;
  /**
   * Server-side apply: the named fields become `fieldManager`'s, forced.
   *
   * @param options.dryRun - `all`: checked by the server, not stored.
   */
  apply(
    type: ResourceType,
    object: KubeObject,
    options: { readonly fieldManager: string; readonly dryRun?: "all" },
    signal: AbortSignal,
  ): Promise<StoredObject>;
  /** Replaces an object if `metadata.resourceVersion` is still the stored one, else fails with `conflict`. */
  update(type: ResourceType, object: StoredObject, signal: AbortSignal): Promise<StoredObject>;
  /** Deletes in the background. @returns Whether there was one (with that `uid`, if given). */
  delete(
    type: ResourceType,
    key: ObjectKey & { readonly uid?: string },
    signal: AbortSignal,
  ): Promise<boolean>;
  /** Merges `status` into the object's status. @returns `undefined` when there is no such object. */
  patchStatus(
    type: ResourceType,
    key: ObjectKey,
    status: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<StoredObject | undefined>;
  /** Who a ServiceAccount token belongs to; `undefined` when it is none, or not for `audience`. */
  reviewToken(
    token: string,
    audience: string,
    signal: AbortSignal,
  ): Promise<TokenOwner | undefined>;
}
