import type { StoredObject } from "../../api/cluster.ts";
import type { ObjectRef } from "../../api/names.ts";
import { keyOf, poolKey, poolRef } from "./keys.ts";
import type { Outcome, ReconcileDeps } from "./reconcile-deps.ts";
import type { WorkerBundle } from "./worker-bundle.ts";

/** 1 min until another look at copies that pods may still mount. */
const IN_USE_MS = 60_000;

/**
 * Has everything that runs the worker's program reconciled when the program is another, and removes copies that nobody
 * mounts any more.
 */
export async function reconcileBundle(
  _ref: ObjectRef,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Outcome> {
  const { bundle } = deps;
  if (bundle === undefined) return undefined;
  if (bundle.hasChanged()) wakeWorkers(deps);
  const waiting = await removeUnused(bundle, deps, signal);
  return waiting === 0 ? undefined : { requeueAfterMs: IN_USE_MS };
}

function wakeWorkers({ cache, enqueue }: ReconcileDeps): void {
  for (const { metadata } of cache.list("Agent")) {
    const { namespace = "", name } = metadata;
    enqueue(keyOf("Agent", { namespace, name }));
    if (cache.get("Deployment", poolRef(namespace)) !== undefined) enqueue(poolKey(namespace));
  }
}

/** @returns How many copies nobody should need and somebody still does. */
async function removeUnused(
  bundle: WorkerBundle,
  { cache, objects }: ReconcileDeps,
  signal: AbortSignal,
): Promise<number> {
  const copies = bundle.copies();
  if (copies.length === 0) return 0;
  const used = usedBundles(cache.list("Deployment"));
  const inhabited = new Set(cache.list("Agent").map(({ metadata }) => metadata.namespace));
  let waiting = 0;
  for (const copy of copies) {
    const { namespace = "", name } = copy.metadata;
    if (name === bundle.current && inhabited.has(namespace)) continue;
    if (used.names.has(`${namespace}/${name}`) || used.unsettled.has(namespace)) waiting += 1;
    else await objects.remove("ConfigMap", copy, signal);
  }
  return waiting;
}

/** What Deployments mount, as `namespace/name`, and namespaces in which pods of a former template may still run. */
function usedBundles(deployments: readonly StoredObject[]) {
  const names = new Set<string>();
  const unsettled = new Set<string>();
  for (const deployment of deployments) {
    const { namespace = "" } = deployment.metadata;
    for (const name of mountedMaps(deployment)) names.add(`${namespace}/${name}`);
    if (!isRolledOut(deployment)) unsettled.add(namespace);
  }
  return { names, unsettled };
}

interface PodVolumes {
  readonly template?: {
    readonly spec?: {
      readonly volumes?: readonly { readonly configMap?: { readonly name?: string } }[];
    };
  };
}

function mountedMaps({ spec }: StoredObject): readonly string[] {
  const { template } = (spec ?? {}) as PodVolumes;
  return (template?.spec?.volumes ?? []).flatMap(({ configMap }) => configMap?.name ?? []);
}

function isRolledOut({ metadata, status }: StoredObject): boolean {
  const { observedGeneration, replicas, updatedReplicas } = (status ?? {}) as Readonly<
    Record<string, number | undefined>
  >;
  return observedGeneration === metadata.generation && (updatedReplicas ?? 0) === (replicas ?? 0);
}
