import { type Checked, sentence } from "../../api/checked.ts";
import type { OwnerReference, StoredObject } from "../../api/cluster.ts";
import type { KubeObject } from "../../api/cluster-reader.ts";
import { LABELS, type ObjectRef, refKey } from "../../api/names.ts";
import type { AgentEntry } from "../agent-directory.ts";
import { controllerOf } from "../dependent-index.ts";
import { type CachedKind, hashData } from "../object-cache.ts";
import { accepted, agentConditions, ready } from "./agent-conditions.ts";
import { poolKey, poolRef } from "./keys.ts";
import { countTools, forgetTools, toolsOf } from "./offered-tools.ts";
import { problemOf } from "./problems.ts";
import { type Outcome, type ReconcileDeps, report } from "./reconcile-deps.ts";
import { refreshPods } from "./refresh-pods.ts";
import { resolvedAgent } from "./resolved-agent.ts";
import type { SettledAgent } from "./settled-agents.ts";

/** 200 ms: Agents that come together are taken into their pool together. */
const POOL_MS = 200;

/**
 * Brings everything that runs an Agent to what its spec says, and its conditions to what is the case.
 *
 * A wrong spec and a missing reference end as a condition; the index of references wakes the Agent when what is missing
 * comes. Configuration alone changes the Secret only, and running pods are told to fetch it.
 *
 * @throws ClusterError when a write failed that may succeed later.
 */
export async function reconcileAgent(
  ref: ObjectRef,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Outcome> {
  const stored = deps.cache.get("Agent", ref);
  if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) {
    deps.status.forget("Agent", ref.namespace, ref.name);
    deps.settled.forget(ref);
    forgetTools(ref, deps.meter);
    leavePool(ref, deps);
    return undefined; // what belonged to it is the garbage collector's
  }
  const violations = deps.directory.rejected("Agent", ref);
  if (violations !== undefined) {
    const running = ready(runnerOf(stored, "dedicated", deps));
    const update = { conditions: [accepted(sentence(violations)), running] };
    await report(deps, "Agent", stored, update, signal);
    return undefined;
  }
  const entry = await resolvedAgent(deps.directory, deps.cache, ref, signal);
  if (entry === undefined) return undefined;
  countTools(entry, deps);
  const result = await converged(stored, entry, deps, signal);
  if (result === undefined || isGone(stored, deps)) return undefined;
  const workers = deps.workloads.isPooled(entry) ? "pooled" : "dedicated";
  const update = agentConditions({
    object: entry.object,
    workers,
    problem: result.problem,
    ...runnerOf(stored, workers, deps),
    toolsOf: (server) => toolsOf(server, deps.directory),
  });
  await report(deps, "Agent", stored, update, signal);
  if (result.error !== undefined) throw result.error;
  return result.outcome;
}

interface Converged {
  /** Why the Agent is not accepted. */
  readonly problem: string | undefined;
  /** Worth another attempt. */
  readonly error?: Error;
  readonly outcome?: Outcome;
}

/**
 * Objects as they should be; what keeps them from it is told, not thrown, when the Agent's owner has to know.
 *
 * @returns `undefined` while there is nothing to tell yet.
 */
async function converged(
  stored: StoredObject,
  entry: AgentEntry,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Converged | undefined> {
  const isPooled = deps.workloads.isPooled(entry);
  if (entry.violations.length > 0 || !isPooled) leavePool(entry.ref, deps);
  if (entry.violations.length > 0) return { problem: sentence(entry.violations) };
  try {
    return isPooled
      ? await joinPool(stored, entry, deps, signal)
      : { problem: await converge(stored, entry, deps, signal) };
  } catch (error) {
    const { problem, isOver, outcome } = problemOf(error);
    if (problem === undefined || !(error instanceof Error)) throw error;
    return { problem, outcome, ...(isOver ? {} : { error }) };
  }
}

/** @returns Why the Agent can have no objects of its own. */
async function converge(
  stored: StoredObject,
  entry: AgentEntry,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  const right = await rightObjects(stored, entry, deps, signal);
  if (right === undefined) return undefined;
  if (!right.ok) return sentence(right.violations);
  const { revision, versions } = right.value;
  await removeOthers(stored, versions, deps, signal);
  const pods = deps.cache.podsOf(entry.ref);
  if (pods.length > 0) await refreshPods(deps.cluster, pods, revision, signal);
  return undefined;
}

/** Makes the Agent's objects be as they should. @returns `undefined` when the Agent went meanwhile. */
async function rightObjects(
  stored: StoredObject,
  entry: AgentEntry,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Checked<SettledAgent> | undefined> {
  const { objects, settled, workloads } = deps;
  const inputs = { entry, ...workloads.inputs };
  const known = settled.find(stored, inputs, (kind, key) => objects.current(kind, key));
  if (known !== undefined) return { ok: true, value: known };
  const desired = await workloads.agent(entry, signal);
  if (!desired.ok) return desired;
  const owner = ownerOf(stored);
  const there: StoredObject[] = [];
  for (const object of desired.value) {
    if (isGone(stored, deps)) return undefined;
    there.push(await objects.ensure(object.kind as CachedKind, object, owner, signal));
  }
  const revision = revisionOf(desired.value);
  return { ok: true, value: settled.set(stored, inputs, { objects: there, revision }) };
}

/** Has the pool serve the Agent; the Agent's own objects go when it does. */
async function joinPool(
  stored: StoredObject,
  { ref, config }: AgentEntry,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Converged | undefined> {
  const { namespace } = ref;
  const { served, refused, problem } = deps.pools.of(namespace);
  const violations = refused.get(refKey(ref));
  const isServed = config !== undefined && served.get(refKey(ref)) === config.hash;
  if (!isServed && violations === undefined) deps.enqueue(poolKey(namespace), POOL_MS);
  if (problem !== undefined) return { problem };
  if (violations !== undefined) return { problem: sentence(violations) };
  if (!isServed) return undefined;
  await removeOthers(stored, new Set(), deps, signal);
  return { problem: undefined };
}

/** An Agent that is gone, refused or has workers of its own is no longer the pool's. */
function leavePool(ref: ObjectRef, { enqueue, pools }: ReconcileDeps): void {
  if (pools.knows(ref.namespace, refKey(ref))) enqueue(poolKey(ref.namespace), POOL_MS);
}

/** Objects of the Agent that it no longer wants; last, so that it never lacks what takes their place. */
async function removeOthers(
  { metadata }: StoredObject,
  wanted: Pick<ReadonlyMap<string, unknown>, "has">,
  { cache, objects }: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  for (const { kind, key } of cache.dependentsOf(metadata.uid)) {
    if (wanted.has(`${kind}/${key.name}`)) continue;
    const object = cache.get(kind, key);
    if (object?.metadata.labels?.[LABELS.app] === "kagent")
      await objects.remove(kind, object, signal);
  }
}

/** Of all that pods mount: Secrets and ConfigMaps. */
function revisionOf(desired: readonly KubeObject[]): string {
  const mounted = desired.filter(({ kind }) => kind === "Secret" || kind === "ConfigMap");
  return mounted.map((object) => hashData(object).slice(0, 16)).join("-");
}

/** Whether an Agent went, or another one came in its place, while a pass was at it. */
function isGone({ metadata }: StoredObject, { cache }: ReconcileDeps): boolean {
  const { namespace = "", name, uid } = metadata;
  const now = cache.get("Agent", { namespace, name });
  return now?.metadata.uid !== uid || now.metadata.deletionTimestamp !== undefined;
}

/** The Deployment that runs an Agent; one of somebody else does not count. */
function runnerOf(
  { metadata }: StoredObject,
  workers: "dedicated" | "pooled",
  { objects }: ReconcileDeps,
): { readonly deployment: StoredObject | undefined; readonly deploymentName: string } {
  const { namespace = "", name, uid } = metadata;
  const ref = workers === "pooled" ? poolRef(namespace) : { namespace, name };
  const found = objects.current("Deployment", ref);
  const isRight = controllerOf(found) === (workers === "pooled" ? undefined : uid);
  return { deployment: isRight ? found : undefined, deploymentName: ref.name };
}

function ownerOf({ apiVersion, kind, metadata: { name, uid } }: StoredObject): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}
