import { sentence, type Violation } from "../api/checked.ts";
import type {
  Cluster,
  ObjectKey,
  ResourceType,
  Selection,
  StoredObject,
  TokenOwner,
  WatchEvent,
} from "../api/cluster.ts";
import { ClusterError, type KubeObject } from "../api/cluster-reader.ts";
import { fieldSelector, labelSelector, type Selects } from "../api/object-selector.ts";
import type { Clock } from "../process/clock.ts";
import type { Change } from "./change-log.ts";
import { applyFields, writtenFields } from "./field-owners.ts";
import { frozenCopy, type JsonObject, mergePatch } from "./json-fields.ts";
import { checkIdentity, collectionOf, writablePart } from "./memory-objects.ts";
import { MemoryTable } from "./memory-table.ts";

/** What a {@link MemoryCluster} needs. */
export interface MemoryClusterDeps {
  /** For `creationTimestamp` and `deletionTimestamp`. */
  readonly clock: Pick<Clock, "now">;
  /** Uid of a new object; never the same twice. */
  readonly newId: () => string;
  /** What is wrong with an object that is to be written; everything is taken unless set. */
  readonly admit?: (object: KubeObject) => readonly Violation[];
  /** Who a token belongs to, with all its audiences; no token is known unless set. */
  readonly tokenOwner?: (token: string) => TokenOwner | undefined;
  /** Most changes that watches may go back; 10,000 unless set. */
  readonly remembered?: number;
}

/** 10,000 changes: an hour of a laptop. */
const REMEMBERED = 10_000;

/**
 * The in-memory cluster for laptop and tests: keeps what the API server keeps, in one process.
 *
 * As on a server with controllers: versions, generations, server-side apply with field owners (lists are replaced as a
 * whole), finalizers, garbage collection of dependents. Unlike there: namespaces need not be created, any field may
 * be selected, defaults are not filled in, and garbage collection is done when `delete` resolves. What is handed out
 * is frozen.
 */
export class MemoryCluster implements Cluster {
  readonly #deps: MemoryClusterDeps;
  readonly #table: MemoryTable;

  constructor(deps: MemoryClusterDeps) {
    this.#deps = deps;
    this.#table = new MemoryTable({ remembered: REMEMBERED, ...deps });
  }

  /** Forgets all changes so far: a watch from an older version fails with `expired`. */
  compact(): void {
    this.#table.log.compact();
  }

  get(type: ResourceType, key: ObjectKey, signal: AbortSignal): Promise<StoredObject | undefined> {
    return settled(signal, () => this.#table.find(type, key)?.object);
  }

  list(
    type: ResourceType,
    selection: Selection,
    signal: AbortSignal,
  ): Promise<{ readonly items: readonly StoredObject[]; readonly resourceVersion: string }> {
    return settled(signal, () => {
      const selects = selectsFor(selection);
      const items = this.#table.all(type).filter(selects);
      return { items, resourceVersion: String(this.#table.log.version) };
    });
  }

  async *watch(
    type: ResourceType,
    selection: Selection & { readonly resourceVersion: string },
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent, void> {
    const { resourceVersion } = selection;
    if (!/^\d{1,15}$/.test(resourceVersion))
      throw new ClusterError("invalid", `"${resourceVersion}" is no version to watch from`);
    const selects = selectsFor(selection);
    const collection = collectionOf(type);
    for await (const change of this.#table.log.after(Number(resourceVersion), signal)) {
      const event = change.collection === collection ? watchEvent(change, selects) : undefined;
      if (event !== undefined) yield event;
    }
  }

  create(type: ResourceType, object: KubeObject, signal: AbortSignal): Promise<StoredObject> {
    return settled(signal, () => {
      checkIdentity(type, object);
      if (this.#table.find(type, object.metadata) !== undefined)
        throw new ClusterError("exists", `${named(type, object.metadata)} already exists`);
      const part = this.#admitted(writablePart(frozenCopy(object)));
      return this.#table.write(type, undefined, part, writtenFields({}, part, new Map()));
    });
  }

  apply(
    type: ResourceType,
    object: KubeObject,
    options: { readonly fieldManager: string; readonly dryRun?: "all" },
    signal: AbortSignal,
  ): Promise<StoredObject> {
    return settled(signal, () => {
      checkIdentity(type, object);
      const before = this.#table.find(type, object.metadata);
      const { uid } = object.metadata;
      if (uid !== undefined && uid !== before?.object.metadata.uid)
        throw new ClusterError("conflict", `${named(type, object.metadata)} has another uid`);
      const current = before === undefined ? {} : writablePart(before.object);
      const wanted = writablePart(frozenCopy(object));
      const owned = before?.owners ?? new Map<string, ReadonlySet<string>>();
      const applied = applyFields(current, wanted, options.fieldManager, owned);
      this.#admitted(applied.object);
      return options.dryRun === "all"
        ? this.#table.build(before, applied.object)
        : this.#table.write(type, before, applied.object, applied.owners);
    });
  }

  update(type: ResourceType, object: StoredObject, signal: AbortSignal): Promise<StoredObject> {
    return settled(signal, () => {
      checkIdentity(type, object);
      const before = this.#table.find(type, object.metadata);
      if (before === undefined)
        throw new ClusterError("not-found", `${named(type, object.metadata)} not found`);
      const { uid, resourceVersion } = before.object.metadata;
      if (object.metadata.uid !== uid || object.metadata.resourceVersion !== resourceVersion)
        throw new ClusterError(
          "conflict",
          `${named(type, object.metadata)} was modified meanwhile; read it again and repeat`,
        );
      const part = this.#admitted(writablePart(frozenCopy(object)));
      const owners = writtenFields(writablePart(before.object), part, before.owners);
      return this.#table.write(type, before, part, owners);
    });
  }

  delete(
    type: ResourceType,
    key: ObjectKey & { readonly uid?: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    return settled(signal, () => {
      const entry = this.#table.find(type, key);
      if (
        entry === undefined ||
        (key.uid ?? entry.object.metadata.uid) !== entry.object.metadata.uid
      )
        return false;
      this.#table.delete(entry);
      return true;
    });
  }

  patchStatus(
    type: ResourceType,
    key: ObjectKey,
    status: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<StoredObject | undefined> {
    return settled(signal, () => {
      const before = this.#table.find(type, key);
      if (before === undefined) return undefined;
      const merged = mergePatch(before.object["status"], frozenCopy(status));
      return this.#table.write(type, before, writablePart(before.object), before.owners, merged);
    });
  }

  reviewToken(
    token: string,
    audience: string,
    signal: AbortSignal,
  ): Promise<TokenOwner | undefined> {
    return settled(signal, () => {
      const owner = this.#deps.tokenOwner?.(token);
      if (owner?.audiences.includes(audience) !== true) return undefined;
      return { ...owner, audiences: [audience] };
    });
  }

  #admitted(part: JsonObject): JsonObject {
    const violations = this.#deps.admit?.(part as KubeObject) ?? [];
    if (violations.length > 0) throw new ClusterError("invalid", sentence(violations));
    return part;
  }
}

function selectsFor({
  namespace,
  labelSelector: labels,
  fieldSelector: fields,
}: Selection): Selects {
  const selectors = [
    ...(labels === undefined ? [] : [labelSelector(labels)]),
    ...(fields === undefined ? [] : [fieldSelector(fields)]),
  ];
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    selectors.every((selects) => selects(object));
}

/** What a watch says of a change; leaving the selection is a deletion, as on a server. */
function watchEvent(
  { before, object, isDeleted }: Change,
  selects: Selects,
): WatchEvent | undefined {
  const was = before !== undefined && selects(before);
  const is = !isDeleted && selects(object);
  if (is) return { type: was ? "modified" : "added", object };
  return was ? { type: "deleted", object } : undefined;
}

function named(type: ResourceType, { name }: ObjectKey): string {
  return `${collectionOf(type)} "${name}"`;
}

/** What `work` returns, as a promise; nothing is done once the signal has aborted. */
function settled<T>(signal: AbortSignal, work: () => T): Promise<T> {
  return new Promise((resolve) => {
    signal.throwIfAborted();
    resolve(work());
  });
}
