import { createHash } from "node:crypto";
import { canonical } from "../../api/approval-decision.ts";
import {
  type Cluster,
  type ObjectKey,
  type OwnerReference,
  RESOURCES,
  type StoredObject,
} from "../../api/cluster.ts";
import type { KubeObject } from "../../api/cluster-reader.ts";
import { ANNOTATIONS, LABELS } from "../../api/names.ts";
import { controllerOf } from "../dependent-index.ts";
import { type CachedKind, dataHashOf, hashData, type ObjectCache } from "../object-cache.ts";
import { POOL_NAME } from "../objects/pool-objects.ts";
import { covers } from "./same-object.ts";

/** Field manager of everything that the controller applies. */
export const FIELD_MANAGER = "kagent-controller";

/** Who writes for whom. */
export interface WriterDeps {
  readonly cluster: Pick<Cluster, "apply" | "delete" | "get">;
  readonly cache: Pick<ObjectCache, "get">;
}

/**
 * An object of that name is there and is not ours. Somebody has to rename or remove one of the two; the controller
 * looks again when the other one changes.
 */
export class NameTakenError extends Error {
  override readonly name = "NameTakenError";
  /** Whether it goes by itself: it belongs to something that was deleted. */
  readonly isPassing: boolean;

  constructor(message: string, isPassing: boolean) {
    super(message);
    this.isPassing = isPassing;
  }
}

interface Written {
  /** Version in the cache when it was written; `undefined`: none. */
  readonly basedOn: string | undefined;
  readonly object: StoredObject;
}

/**
 * Brings objects to the state they should have by server-side apply, and leaves alone those that have it.
 *
 * What was applied is written on the object as a hash, so that a field that is no longer wanted is seen too; what
 * differs without a change of the hash was changed by somebody else and is put right.
 */
export class ObjectWriter {
  readonly #deps: WriterDeps;
  /** Results that the cache has not caught up with. */
  readonly #written = new Map<string, Written>();
  /** Digests of objects that a server keeps in other words than ours, e.g. quantities. */
  readonly #reworded = new Map<string, string>();

  constructor(deps: WriterDeps) {
    this.#deps = deps;
  }

  /**
   * Makes an object be as `desired`.
   *
   * @param owner - Who manages it; `undefined`: the platform itself.
   * @returns The object as it is now; the cache's own when nothing was written.
   * @throws NameTakenError when somebody else's object has the name; ClusterError when the write fails.
   */
  async ensure(
    kind: CachedKind,
    desired: KubeObject,
    owner: OwnerReference | undefined,
    signal: AbortSignal,
  ): Promise<StoredObject> {
    const id = idOf(kind, desired.metadata);
    const stamped = stampedWithHash(desired);
    const known = this.current(kind, desired.metadata);
    if (known !== undefined && this.#isRight(id, known, stamped, owner)) return known;
    const there =
      known ?? (await this.#deps.cluster.get(RESOURCES[kind], desired.metadata, signal));
    if (there !== undefined) checkOwner(kind, there, owner);
    const applied = await this.#deps.cluster.apply(
      RESOURCES[kind],
      stamped,
      { fieldManager: FIELD_MANAGER },
      signal,
    );
    const kept = withoutData(kind, applied);
    if (!this.#isRight(id, kept, stamped, owner)) this.#reworded.set(id, digest(kept));
    const basedOn = this.#deps.cache.get(kind, desired.metadata)?.metadata.resourceVersion;
    if (basedOn !== kept.metadata.resourceVersion) this.#written.set(id, { basedOn, object: kept });
    return kept;
  }

  /** Deletes an object if it is still the same one. */
  async remove(kind: CachedKind, object: StoredObject, signal: AbortSignal): Promise<void> {
    const { name, namespace = "", uid } = object.metadata;
    await this.#deps.cluster.delete(RESOURCES[kind], { name, namespace, uid }, signal);
    this.forget(kind, object.metadata);
  }

  /** An object as it is known to be: the cache's, or what was written meanwhile. */
  current(kind: CachedKind, key: ObjectKey): StoredObject | undefined {
    const id = idOf(kind, key);
    const cached = this.#deps.cache.get(kind, key);
    const written = this.#written.get(id);
    if (written === undefined) return cached;
    if (written.basedOn === cached?.metadata.resourceVersion) return written.object;
    this.#written.delete(id);
    return cached;
  }

  /** Takes note of an object of the cache. @returns Whether it is just as the last {@link ensure} left it. */
  isEcho(kind: CachedKind, { metadata }: StoredObject): boolean {
    const id = idOf(kind, metadata);
    const written = this.#written.get(id);
    if (written?.object.metadata.resourceVersion !== metadata.resourceVersion) return false;
    this.#written.delete(id);
    return true;
  }

  /** Forgets an object that is gone. */
  forget(kind: CachedKind, key: ObjectKey): void {
    this.#written.delete(idOf(kind, key));
    this.#reworded.delete(idOf(kind, key));
  }

  #isRight(
    id: string,
    actual: StoredObject,
    stamped: KubeObject,
    owner: OwnerReference | undefined,
  ): boolean {
    if (actual.metadata.deletionTimestamp !== undefined) return false;
    if (owner !== undefined && controllerOf(actual) !== owner.uid) return false;
    if (appliedHash(actual) !== appliedHash(stamped)) return false;
    if (isCovered(actual, stamped)) return true;
    return this.#reworded.get(id) === digest(actual);
  }
}

function isCovered(actual: StoredObject, { data, binaryData, ...rest }: KubeObject): boolean {
  if (data === undefined && binaryData === undefined) return covers(actual, rest);
  return dataHashOf(actual) === hashData({ data, binaryData }) && covers(actual, rest);
}

/** @throws NameTakenError for an object that is not the owner's; without an owner: not the platform's. */
function checkOwner(
  kind: CachedKind,
  there: StoredObject,
  owner: OwnerReference | undefined,
): void {
  const { ownerReferences, name, namespace = "", deletionTimestamp } = there.metadata;
  const manager = ownerReferences?.find(({ controller }) => controller === true);
  const what = `${kind} ${namespace}/${name}`;
  if (deletionTimestamp !== undefined) throw new NameTakenError(`${what} is being deleted`, true);
  if (manager === undefined) {
    if (isAdoptable(there, owner)) return;
    throw taken(what, "is not the platform's");
  }
  if (manager.uid === owner?.uid) return;
  if (manager.kind === owner?.kind && manager.name === owner.name)
    throw new NameTakenError(`${what} still belongs to a deleted ${manager.kind}`, true);
  throw taken(what, `belongs to ${manager.kind} ${manager.name}`);
}

function taken(what: string, whose: string): NameTakenError {
  return new NameTakenError(`${what} exists and ${whose}: rename or remove one of the two`, false);
}

/** What nobody manages: the platform's own, or what an Agent of that name left behind; a pool's is no Agent's. */
function isAdoptable({ metadata }: StoredObject, owner: OwnerReference | undefined): boolean {
  const { labels = {} } = metadata;
  if (labels[LABELS.managedBy] !== "kagent") return false;
  const workload = labels[LABELS.kagent];
  return owner === undefined || (workload === owner.name && workload !== POOL_NAME);
}

function stampedWithHash(desired: KubeObject): KubeObject {
  const hash = createHash("sha256").update(canonical(desired)).digest("hex").slice(0, 16);
  const annotations = { ...desired.metadata.annotations, [ANNOTATIONS.appliedHash]: hash };
  return { ...desired, metadata: { ...desired.metadata, annotations } };
}

function appliedHash({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[ANNOTATIONS.appliedHash];
}

/** As the cache would have it. */
function withoutData(kind: CachedKind, object: StoredObject): StoredObject {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  if (kind !== "Secret" && kind !== "ConfigMap") return { ...object, metadata };
  const { data: _data, binaryData: _binaryData, ...rest } = object;
  return { ...rest, metadata, dataHash: hashData(object) };
}

/** Of what a write can change: neither status nor version. */
function digest({ status: _status, metadata, ...rest }: StoredObject): string {
  const { labels, annotations, ownerReferences } = metadata;
  return createHash("sha256")
    .update(canonical([rest, labels, annotations, ownerReferences]))
    .digest("hex");
}

function idOf(kind: CachedKind, { namespace, name }: ObjectKey): string {
  return `${kind}/${namespace ?? ""}/${name}`;
}
