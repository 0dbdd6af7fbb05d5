import type { KubeObject } from "../../api/cluster-reader.ts";
import { type ObjectRef, refKey } from "../../api/names.ts";
import type { AgentEntry } from "../agent-directory.ts";
import { type CachedKind, hashData } from "../object-cache.ts";
import { POOL_NAME, type PoolObjects } from "../objects/pool-objects.ts";
import { ready } from "./agent-conditions.ts";
import { isOfPool, poolRef } from "./keys.ts";
import type { PoolState } from "./pools.ts";
import { problemOf } from "./problems.ts";
import type { Outcome, ReconcileDeps } from "./reconcile-deps.ts";
import { refreshPods } from "./refresh-pods.ts";
import { resolvedAgent } from "./resolved-agent.ts";

/**
 * Brings the pool of a namespace to what its Agents need: their configuration into its Secrets, the pool itself when there
 * is the first of them, away with the last. Agents that joined, left or did not fit are reconciled then; each of them
 * reports for itself.
 *
 * @throws ClusterError when a write failed that may succeed later.
 */
export async function reconcilePool(
  { namespace }: ObjectRef,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Outcome> {
  const entries = await pooledAgents(namespace, deps, signal);
  const before = deps.pools.of(namespace);
  const become = (next: PoolState): void => {
    deps.pools.set(namespace, next);
    const concerned = [...before.served.keys(), ...before.refused.keys()];
    for (const agent of new Set([...concerned, ...entries.map(({ ref }) => refKey(ref))]))
      if (!isSame(before, next, agent)) deps.enqueue(`Agent/${agent}`);
  };
  try {
    const plan = await deps.workloads.pool(namespace, entries, signal);
    if (entries.length === 0) await removeAll(plan, deps, signal);
    else await ensureAll(plan, deps, signal);
    const { refused } = plan;
    const served = entries.flatMap(({ ref, config }) =>
      config === undefined || refused.has(refKey(ref)) ? [] : [[refKey(ref), config.hash] as const],
    );
    const deployment = deps.objects.current("Deployment", poolRef(namespace));
    const running = ready({ deployment, deploymentName: POOL_NAME }).message;
    become({ served: new Map(served), refused, running, problem: undefined });
    return undefined;
  } catch (error) {
    const { problem, isOver, outcome } = problemOf(error);
    if (problem !== undefined) become({ ...before, problem });
    if (!isOver) throw error;
    return outcome;
  }
}

/** Whether two states of a pool mean the same to an Agent. */
function isSame(some: PoolState, other: PoolState, agent: string): boolean {
  return (
    some.problem === other.problem &&
    some.running === other.running &&
    some.served.get(agent) === other.served.get(agent) &&
    JSON.stringify(some.refused.get(agent)) === JSON.stringify(other.refused.get(agent))
  );
}

/** Accepted Agents of a namespace that share its workers. */
async function pooledAgents(
  namespace: string,
  { cache, directory, workloads }: ReconcileDeps,
  signal: AbortSignal,
): Promise<readonly AgentEntry[]> {
  const entries: AgentEntry[] = [];
  for (const { ref } of directory.agents()) {
    if (ref.namespace !== namespace) continue;
    const entry = await resolvedAgent(directory, cache, ref, signal);
    if (entry?.config !== undefined && workloads.isPooled(entry)) entries.push(entry);
  }
  return entries;
}

async function ensureAll(
  { objects }: PoolObjects,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  for (const object of objects)
    await deps.objects.ensure(object.kind as CachedKind, object, undefined, signal);
  const [first] = objects;
  const pods = deps.cache.podsOf(poolRef(first?.metadata.namespace ?? ""));
  if (pods.length > 0) await refreshPods(deps.cluster, pods, revisionOf(objects), signal);
}

async function removeAll(
  { objects }: PoolObjects,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  for (const { kind, metadata } of objects) {
    const there = deps.objects.current(kind as CachedKind, metadata);
    if (isOfPool(there)) await deps.objects.remove(there.kind as CachedKind, there, signal);
  }
}

/** Of everything that the pods mount. */
function revisionOf(objects: readonly KubeObject[]): string {
  const secrets = objects.filter(({ kind }) => kind === "Secret");
  return hashData({ data: secrets.map(({ data }) => data) }).slice(0, 16);
}
