import { createHash } from "node:crypto";
import { canonical } from "../api/approval-decision.ts";
import {
  type Cluster,
  type ObjectKey,
  RESOURCES,
  type ResourceType,
  type Selection,
  type StoredObject,
} from "../api/cluster.ts";
import { LABELS, type ObjectRef } from "../api/names.ts";
import { Informer } from "../kube/informer.ts";
import type { Clock } from "../process/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { controllerOf, type Dependent, DependentIndex } from "./dependent-index.ts";
import type { ReferenceIndex } from "./reference-index.ts";
import { ValueCache, type ValueKind } from "./value-cache.ts";

/** Kinds that the controller keeps a copy of. */
const CACHED_KINDS = [
  "Namespace",
  "Secret",
  "ConfigMap",
  "ModelConfig",
  "RemoteMCPServer",
  "ModelProviderConfig",
  "Service",
  "ServiceAccount",
  "Deployment",
  "Pod",
  "Agent",
] as const satisfies readonly (keyof typeof RESOURCES)[];
/** A kind that the controller keeps a copy of. */
export type CachedKind = (typeof CACHED_KINDS)[number];

/** A change of a copy; without `old` the object is new, without `now` it is gone. */
export interface CacheChange {
  readonly kind: CachedKind;
  readonly key: ObjectKey;
  readonly old: StoredObject | undefined;
  readonly now: StoredObject | undefined;
}

/** Where the objects are. */
export type Namespaces = "all" | readonly [string, ...string[]];

/** What {@link ObjectCache} needs. */
export interface ObjectCacheDeps {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 <= random < 1. */
  readonly random: () => number;
  /** Namespaces to follow (WATCH_NAMESPACES). */
  readonly namespaces: Namespaces;
  /** Namespace of the platform: its ConfigMaps are followed in any case, for the worker's bundle is one of them. */
  readonly platformNamespace: string;
  /** Decides whose data is kept. */
  readonly references: ReferenceIndex;
  /** Aborts when the process ends; everything stops then. */
  readonly lifetime: AbortSignal;
}

/** Objects of the platform are labelled so; those of other people are not copied. */
const OURS = { labelSelector: `${LABELS.app}=kagent` };
/** Selections of the kinds of which the cluster holds many that concern us not; one is enough to be followed. */
const SELECTIONS: Readonly<Partial<Record<CachedKind, readonly Selection[]>>> = {
  Service: [OURS, { labelSelector: `${LABELS.mcpService}=true` }],
  ServiceAccount: [OURS],
  Deployment: [OURS],
  Pod: [OURS],
  // Releases are megabytes each, and nobody takes a header from one.
  Secret: [{ fieldSelector: "type!=helm.sh/release.v1" }],
};

/**
 * Copies of everything that the controller reads, kept up to date by informers; the same on every replica.
 *
 * Secrets and ConfigMaps come without data: {@link values} holds that of those somebody refers to. Those of the
 * platform itself carry a digest of their data instead ({@link dataHashOf}).
 */
export class ObjectCache {
  /** Data of Secrets and ConfigMaps. */
  readonly values: ValueCache;
  readonly #deps: ObjectCacheDeps;
  readonly #informers = new Map<CachedKind, readonly Watch[]>();
  readonly #dependents = new DependentIndex<CachedKind>();

  constructor(deps: ObjectCacheDeps) {
    this.#deps = deps;
    this.values = new ValueCache({
      cluster: deps.cluster,
      isUsed: (id) => deps.references.isUsed(id),
      lifetime: deps.lifetime,
    });
    for (const kind of CACHED_KINDS) this.#informers.set(kind, this.#watches(kind));
  }

  /** Begins to follow the cluster. @returns Resolves when every copy is complete. @throws The reason of an abort. */
  async start(): Promise<void> {
    const watches = [...this.#informers.values()].flat();
    for (const { informer } of watches) void informer.start(this.#deps.lifetime);
    await Promise.all(watches.map(({ informer }) => informer.synced()));
  }

  /**
   * Tells what is there and every change from now on, kind by kind: what others refer to comes first.
   * Dependents are known by the time a listener hears of them.
   */
  onChange(listener: (change: CacheChange) => void): void {
    for (const [kind, watches] of this.#informers)
      for (const { informer } of watches)
        informer.onChange((key, old, now) => {
          const change = { kind, key, old, now };
          this.#note(change);
          listener(change);
        });
  }

  /** One object as it was last heard of. */
  get(kind: CachedKind, key: ObjectKey): StoredObject | undefined {
    for (const { namespace, informer } of this.#informers.get(kind) ?? []) {
      if (namespace !== undefined && namespace !== key.namespace) continue;
      const object = informer.get(key);
      if (object !== undefined) return object;
    }
    return undefined;
  }

  /** Every object of a kind, in no order. */
  list(kind: CachedKind): readonly StoredObject[] {
    return (this.#informers.get(kind) ?? []).flatMap(({ informer }) => informer.list());
  }

  /** Objects that the owner of this uid manages. */
  dependentsOf(uid: string): readonly Dependent<CachedKind>[] {
    return this.#dependents.managedBy(uid);
  }

  /** Pods of an Agent, or of a pool: those that carry its name in their label. */
  podsOf(ref: ObjectRef): readonly StoredObject[] {
    const { namespace } = ref;
    return this.#dependents
      .podsOf(ref)
      .flatMap((name) => this.get("Pod", { namespace, name }) ?? []);
  }

  #watches(kind: CachedKind): readonly Watch[] {
    const { namespaces, platformNamespace } = this.#deps;
    const selections = SELECTIONS[kind] ?? [{}];
    if (namespaces === "all") return selections.map((selection) => this.#watch(kind, selection));
    // One by one: a role that may read some namespaces may not list all of them.
    if (kind === "Namespace")
      return namespaces.map((name) =>
        this.#watch(kind, { fieldSelector: `metadata.name=${name}` }),
      );
    const followed =
      kind === "ConfigMap" ? [...new Set([...namespaces, platformNamespace])] : namespaces;
    return followed.flatMap((namespace) =>
      selections.map((selection) => this.#watch(kind, { ...selection, namespace })),
    );
  }

  #watch(kind: CachedKind, selection: Selection): Watch {
    const type: ResourceType = RESOURCES[kind];
    const transform = (object: StoredObject) => this.#slim(kind, object);
    const informer = new Informer(this.#deps, { type, selection, transform });
    return { informer, namespace: selection.namespace };
  }

  #slim(kind: CachedKind, object: StoredObject): StoredObject {
    if (kind === "Secret" || kind === "ConfigMap") return this.#withoutData(kind, object);
    if (kind === "Pod") return slimPod(object);
    return kind === "Namespace" ? { ...object, spec: undefined, status: undefined } : object;
  }

  #note({ kind, key, old, now }: CacheChange): void {
    if (now === undefined && old !== undefined && (kind === "Secret" || kind === "ConfigMap"))
      this.values.forget(kind, old);
    this.#dependents.note({ kind, key, old, now });
  }

  #withoutData(kind: ValueKind, object: StoredObject): StoredObject {
    this.values.observe(kind, object);
    const { apiVersion, metadata, type, immutable } = object;
    const id = `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
    const isRead = controllerOf(object) !== undefined || this.#deps.references.isUsed(id);
    return {
      apiVersion,
      kind,
      metadata,
      type,
      immutable,
      ...(isRead || metadata.labels?.[LABELS.app] === "kagent"
        ? { dataHash: hashData(object) }
        : {}),
    };
  }
}

interface Watch {
  readonly informer: Informer;
  /** The only one it follows. */
  readonly namespace: string | undefined;
}

/** Digest of the data of a Secret or ConfigMap in the cache; `undefined` for those of other people. */
export function dataHashOf(object: StoredObject): string | undefined {
  const { dataHash } = object;
  return typeof dataHash === "string" ? dataHash : undefined;
}

/** Digest of `data` and `binaryData`, as {@link dataHashOf} has it. */
export function hashData(object: { readonly [field: string]: unknown }): string {
  const { data = {}, binaryData = {} } = object;
  return createHash("sha256")
    .update(canonical([data, binaryData]))
    .digest("hex");
}

/** What decides whether a pod has to be told of a new configuration. */
function slimPod({ apiVersion, kind, metadata, ...rest }: StoredObject): StoredObject {
  const { phase } = (rest["status"] ?? {}) as { readonly phase?: unknown };
  const { name, namespace, uid, resourceVersion, labels, annotations, deletionTimestamp } =
    metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      uid,
      resourceVersion,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    status: { phase },
  };
}
