import { posix } from "node:path";
import { z } from "zod";
import { ApiClient, type ClusterObject, objectPath, readKubeconfig } from "./api-client.ts";
import { FLUX_DEFINITIONS, fluxObject, fluxStatus } from "./flux-objects.ts";
import { helmReleaseSecret } from "./helm-objects.ts";
import { podEvents } from "./pod-events.ts";
import { podStatus } from "./pod-status.ts";
import { poll } from "./poll.ts";
import {
  FAILING_WORKLOADS,
  FLUX_OBJECTS,
  HEALTHY_WORKLOADS,
  HELM_RELEASES,
  NAMESPACES,
  NODES,
  type Workload,
} from "./workload-facts.ts";
import {
  deployment,
  deploymentStatus,
  namespace,
  node,
  nodeStatus,
  PLAIN_OBJECTS,
  pod,
  replicaCounts,
  replicaSet,
} from "./workload-objects.ts";

/** 30 s until the API server serves a new kind; it takes about one. */
const SERVED_MS = 30_000;

const identified = z.object({ metadata: z.object({ uid: z.string() }) });

/**
 * Fills a cluster without controllers with the objects, statuses and events of `workload-facts.ts`: two healthy and four
 * failing workloads, two Helm releases, Flux objects, nodes, settings, a Secret.
 *
 * Doing it again brings every object back to that state.
 *
 * @param kubeconfigPath - Of a cluster from `startApiServer`; controllers of a whole cluster would overwrite the statuses.
 * @throws ApiError when the server refuses an object; PollTimeoutError when it does not come to serve the Flux kinds;
 * the signal's reason.
 */
export async function createFailingWorkloads(
  kubeconfigPath: string,
  signal: AbortSignal,
): Promise<void> {
  const client = new ApiClient(await readKubeconfig(kubeconfigPath));
  const now = Date.now();
  try {
    // First, so that the server has made ready for the kinds when their objects come.
    for (const definition of FLUX_DEFINITIONS) await client.apply(definition, signal);
    for (const name of NAMESPACES) await client.apply(namespace(name), signal);
    await createNodes(client, now, signal);
    for (const object of PLAIN_OBJECTS) await client.apply(object, signal);
    const workloads = [...Object.values(HEALTHY_WORKLOADS), ...Object.values(FAILING_WORKLOADS)];
    for (const workload of workloads) await createWorkload(client, workload, now, signal);
    for (const release of Object.values(HELM_RELEASES)) {
      await client.apply(helmReleaseSecret(release, now), signal);
    }
    await createFluxObjects(client, now, signal);
  } finally {
    await client.close();
  }
}

async function createNodes(client: ApiClient, now: number, signal: AbortSignal): Promise<void> {
  for (const { name, address } of NODES) {
    await client.apply(node(name), signal);
    // Admission marks every new node as not ready; a controller would take that away.
    await client.merge(node(name), { spec: { taints: null } }, signal);
    await client.applyStatus(node(name), nodeStatus(name, address, now), signal);
  }
}

async function createWorkload(
  client: ApiClient,
  workload: Workload,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  const create = async (
    object: ClusterObject,
    status: (uid: string) => Readonly<Record<string, unknown>>,
  ): Promise<string> => {
    const { uid } = identified.parse(await client.apply(object, signal)).metadata;
    await client.applyStatus(object, status(uid), signal);
    return uid;
  };
  const owner = await create(deployment(workload), () => deploymentStatus(workload, now));
  const set = await create(replicaSet(workload, owner), () => replicaCounts(workload));
  for (const name of workload.pods) {
    const uid = await create(pod(workload, name, set), (id) => podStatus(workload, name, id, now));
    for (const event of podEvents(workload, name, uid, now)) await client.apply(event, signal);
  }
}

async function createFluxObjects(
  client: ApiClient,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  for (const facts of Object.values(FLUX_OBJECTS)) {
    const object = fluxObject(facts);
    const list = posix.dirname(objectPath(object));
    await poll((until) => client.get(list, until), {
      what: `${facts.kind} served`,
      timeoutMs: SERVED_MS,
      signal,
    });
    await client.apply(object, signal);
    await client.applyStatus(object, fluxStatus(facts, now), signal);
  }
}
