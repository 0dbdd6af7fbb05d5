import type { Context } from "hono";
import { mayCall } from "../../api/access.ts";
import type { ResourceType, StoredObject } from "../../api/cluster.ts";
import { ClusterError, type KubeObject } from "../../api/cluster-reader.ts";
import { type ObjectRef, refKey } from "../../api/names.ts";
import { ApiError, missing } from "./answers.ts";
import type { ClusterAccess, HttpApiDeps } from "./http-api-deps.ts";

/** 30 s for the API server to take or give an object. */
const CLUSTER_MS = 30_000;
/** Times an object is read again that somebody changed meanwhile. */
const CONFLICT_TRIES = 3;

/** How long a request waits for the cluster: until its client has left, 30 s at most. */
export function clusterSignal(context: Context): AbortSignal {
  return AbortSignal.any([context.req.raw.signal, AbortSignal.timeout(CLUSTER_MS)]);
}

/**
 * The cluster, for requests that read objects which the directory does not hold.
 *
 * @throws ApiError 501 on a laptop.
 */
export function readable({ access }: HttpApiDeps): ClusterAccess {
  if (access !== undefined) return access;
  throw new ApiError(
    501,
    "this platform has no cluster: its objects come from stacks/agents; change them there and start it again",
  );
}

/**
 * The cluster, for a caller who may change objects.
 *
 * @throws ApiError 501 on a laptop, 403 for others.
 */
export function writable(deps: HttpApiDeps, context: Context): ClusterAccess {
  const access = readable(deps);
  if (mayCall(access.writers, deps.caller(context.req.raw))) return access;
  throw new ApiError(403, "you may not change objects of this platform");
}

/** @throws ApiError 400 for a namespace that this platform does not look after. */
export function checkNamespace({ watched }: ClusterAccess, namespace: string): void {
  if (watched === "all" || watched.includes(namespace)) return;
  throw new ApiError(
    400,
    `metadata.namespace: this platform does not look after ${namespace}; it does after ${watched.join(", ")}`,
  );
}

/**
 * Gives an object another spec, keeping what it is besides.
 *
 * @param change - The object as it shall be; called again when somebody changed it meanwhile.
 * @throws ApiError 404; ClusterError.
 */
export async function replace(
  { cluster }: ClusterAccess,
  target: { readonly type: ResourceType; readonly ref: ObjectRef },
  change: (current: StoredObject) => StoredObject,
  signal: AbortSignal,
): Promise<StoredObject> {
  const { type, ref } = target;
  for (let tries = 1; ; tries += 1) {
    const current = await cluster.get(type, ref, signal);
    if (current === undefined) throw missing(`${type.kind} ${refKey(ref)}`);
    try {
      return await cluster.update(type, change(current), signal);
    } catch (error) {
      const isConflict = error instanceof ClusterError && error.code === "conflict";
      if (!isConflict || tries === CONFLICT_TRIES) throw error;
    }
  }
}

/** Deletes an object. @throws ApiError 404; ClusterError. */
export async function remove(
  { cluster }: ClusterAccess,
  type: ResourceType,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<void> {
  if (!(await cluster.delete(type, ref, signal))) throw missing(`${type.kind} ${refKey(ref)}`);
}

/** What people may write of an object: no status, and no metadata that the server keeps. */
export function writtenPart(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { status: _status, metadata, ...rest } = input;
  const { name, namespace, labels, annotations } = Object(metadata) as Record<string, unknown>;
  const kept = Object.entries({ name, namespace, labels, annotations });
  return {
    ...rest,
    metadata: Object.fromEntries(kept.filter(([, value]) => value !== undefined && value !== null)),
  };
}

/** Names the namespace of an object that leaves it out. */
export function placed(object: KubeObject, namespace: string): KubeObject {
  return {
    ...object,
    metadata: { ...object.metadata, namespace: object.metadata.namespace ?? namespace },
  };
}
