import type { StoredObject } from "../../api/cluster.ts";
import { LABELS, type ObjectRef, refKey } from "../../api/names.ts";
import { controllerOf } from "../dependent-index.ts";
import { POOL_NAME } from "../objects/pool-objects.ts";

/** Key of an object in the queue and in the index of references: `Kind/namespace/name`. */
export function keyOf(kind: string, ref: ObjectRef): string {
  return `${kind}/${refKey(ref)}`;
}

/** Inverse of {@link keyOf}. */
export function parseKey(key: string): { readonly kind: string; readonly ref: ObjectRef } {
  const [kind = "", namespace = "", name = ""] = key.split("/");
  return { kind, ref: { namespace, name } };
}

/** Key of the worker's bundle: there is one. */
export const BUNDLE_KEY = keyOf("Bundle", { namespace: "", name: "" });

/** Key of a namespace's pool. */
export function poolKey(namespace: string): string {
  return keyOf("Pool", { namespace, name: "" });
}

/** A namespace's pool as its objects and pods name it. */
export function poolRef(namespace: string): ObjectRef {
  return { namespace, name: POOL_NAME };
}

/** Whether an object is one of a pool's. */
export function isOfPool(object: StoredObject | undefined): object is StoredObject {
  return (
    object?.metadata.labels?.[LABELS.kagent] === POOL_NAME && controllerOf(object) === undefined
  );
}
