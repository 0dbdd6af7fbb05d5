import type { ObjectKey, OwnerReference, ResourceType, StoredObject } from "../api/cluster.ts";
import { ClusterError, type KubeObject } from "../api/cluster-reader.ts";
import { ObjectName } from "../api/object-meta.ts";
import { frozenCopy, isJsonObject, type JsonObject, sameJson } from "./json-fields.ts";

/** Metadata that only the cluster sets. */
const SYSTEM_FIELDS = [
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "managedFields",
] as const;

/** Name of a kind in messages and as a key, e.g. `agents.kagent.dev`. */
export function collectionOf({ group, plural }: ResourceType): string {
  return group === "" ? plural : `${plural}.${group}`;
}

/** Key of an object in its collection. @throws ClusterError `invalid` when the namespace is missing. */
export function idOf(type: ResourceType, { namespace, name }: ObjectKey): string {
  if (!type.namespaced) return name;
  if (namespace === undefined || namespace === "")
    throw new ClusterError("invalid", `${collectionOf(type)} "${name}" needs a namespace`);
  return `${namespace}/${name}`;
}

/** @throws ClusterError `invalid` when `object` is not of this kind or its name cannot be one. */
export function checkIdentity(type: ResourceType, object: KubeObject): void {
  const { apiVersion, kind, metadata } = object;
  const wanted = type.group === "" ? type.version : `${type.group}/${type.version}`;
  if (apiVersion !== wanted || kind !== type.kind)
    throw new ClusterError("invalid", `${collectionOf(type)} takes ${wanted} ${type.kind} only`);
  const name = ObjectName.safeParse(metadata.name);
  if (name.success) return;
  const why = name.error.issues.map(({ message }) => message).join("; ");
  throw new ClusterError(
    "invalid",
    `${collectionOf(type)} "${metadata.name}" is invalid: metadata.name: ${why}`,
  );
}

/** What a writer may set: the whole object but status and the cluster's own metadata. */
export function writablePart(object: JsonObject): JsonObject {
  const { status: _status, metadata, ...rest } = object;
  if (!isJsonObject(metadata)) return rest;
  const kept = Object.entries(metadata).filter(
    ([key]) => !(SYSTEM_FIELDS as readonly string[]).includes(key),
  );
  return { ...rest, metadata: Object.fromEntries(kept) };
}

/** What the cluster adds to an object. */
export interface Stamp {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
}

/** What the cluster has added to a stored object. */
export function stampOf({ metadata }: StoredObject): Stamp {
  const { uid, resourceVersion, generation = 1, creationTimestamp = "" } = metadata;
  const { deletionTimestamp } = metadata;
  const deleted = deletionTimestamp === undefined ? {} : { deletionTimestamp };
  return { uid, resourceVersion, generation, creationTimestamp, ...deleted };
}

/** `part` with the metadata of the cluster and a status, as it is stored. */
export function stored(part: JsonObject, stamp: Stamp, status: unknown): StoredObject {
  const metadata = { ...(isJsonObject(part["metadata"]) ? part["metadata"] : {}), ...stamp };
  const object: JsonObject = { ...part, metadata, status };
  // checkIdentity has seen the rest
  return frozenCopy(object) as StoredObject;
}

/** Whether the two differ in more than metadata and status. */
export function contentDiffers(some: JsonObject, other: JsonObject): boolean {
  return !sameJson(contentOf(some), contentOf(other));
}

function contentOf({ metadata: _metadata, status: _status, ...content }: JsonObject): JsonObject {
  return content;
}

/** Owners of an object. */
export function ownersOf({ metadata }: StoredObject): readonly OwnerReference[] {
  return metadata.ownerReferences ?? [];
}

/** Whether something has to be done before the object may go. */
export function hasFinalizers({ metadata }: StoredObject): boolean {
  const finalizers = metadata["finalizers"];
  return Array.isArray(finalizers) && finalizers.length > 0;
}
