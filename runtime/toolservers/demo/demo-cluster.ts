import {
  type ApiResource,
  ClusterError,
  type ClusterReader,
  type KubeObject,
  type ListQuery,
  type LogQuery,
} from "../../api/cluster-reader.ts";
import { fieldSelector, labelSelector } from "../../api/object-selector.ts";
import type { Clock } from "../../process/clock.ts";
import { API_RESOURCES } from "./api-resources.ts";
import { clusterObjects, DEMO_VERSION } from "./cluster-objects.ts";
import { controllerObjects } from "./controller-objects.ts";
import { type DemoPod, PODS, restartsAt } from "./demo-pods.ts";
import { eventObjects } from "./event-objects.ts";
import { fluxObjects } from "./flux-objects.ts";
import { helmObjects } from "./helm-objects.ts";
import { podLog } from "./pod-logs.ts";
import { podObjects } from "./pod-objects.ts";
import { DAY, HOUR } from "./workload.ts";

/** First line of every answer made from the demo cluster `name`. */
export function demoLabel(name: string): string {
  return `# demo cluster "${name}" (stand-in data, not a real cluster)`;
}

/** What {@link demoCluster} needs. */
export interface DemoClusterDeps {
  /** Tells how far the demo's faults have gone on. */
  readonly clock: Pick<Clock, "now">;
  /** Name of the cluster. */
  readonly name: string;
  /** Milliseconds since 1970 when the demo began; the clock's time of the call unless set. */
  readonly begin?: number;
}

/**
 * The labelled demo cluster: a shop with a crash loop, a container killed for its memory, an image that does not
 * exist, a pod no node has room for, and the Flux and Helm failures that follow from them.
 *
 * A function of the clock alone: the same time gives the same objects, and the faults go on while it runs.
 */
export function demoCluster(deps: DemoClusterDeps): ClusterReader {
  const { clock, name } = deps;
  const begin = deps.begin ?? clock.now();
  const steady = [
    ...clusterObjects(begin),
    ...controllerObjects(begin),
    ...fluxObjects(begin),
    ...helmObjects(begin),
  ];
  const objects = (): readonly KubeObject[] => {
    const now = clock.now();
    return [...steady, ...podObjects(now, begin), ...eventObjects(now, begin)];
  };
  return {
    name,
    label: demoLabel(name),
    resources: (signal) => answer(signal, () => ({ resources: API_RESOURCES, unavailable: [] })),
    list: (resource, query, signal) => answer(signal, () => listed(objects(), resource, query)),
    get: (resource, ref, signal) => answer(signal, () => found(objects(), resource, ref)),
    logs: (query, signal) => answer(signal, () => logText(query, clock.now(), begin)),
    identity: (signal) =>
      answer(signal, () => ({
        context: `demo-${name}`,
        server: "none: the objects are made by this process",
        version: DEMO_VERSION,
        platform: "linux/amd64",
      })),
  };
}

function answer<T>(signal: AbortSignal, make: () => T): Promise<T> {
  return new Promise((resolve) => {
    signal.throwIfAborted();
    resolve(structuredClone(make()));
  });
}

function ofKind({ metadata, ...object }: KubeObject, resource: ApiResource): boolean {
  const { group, version, kind, namespaced } = resource;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const placed = metadata.namespace !== undefined;
  return object.kind === kind && object.apiVersion === apiVersion && placed === namespaced;
}

function listed(all: readonly KubeObject[], resource: ApiResource, query: ListQuery) {
  const byLabels = labelSelector(query.labelSelector ?? "");
  const byFields = fieldSelector(query.fieldSelector ?? "");
  const items = all
    .filter((object) => ofKind(object, resource) && byLabels(object) && byFields(object))
    .filter(
      ({ metadata }) => query.namespace === undefined || metadata.namespace === query.namespace,
    )
    .sort(byKey);
  return { items: items.slice(0, query.limit), more: items.length > query.limit };
}

/** In the order of a real server: by namespace, then by name. */
function byKey(a: KubeObject, b: KubeObject): number {
  const key = ({ metadata }: KubeObject) => `${metadata.namespace ?? ""}/${metadata.name}`;
  return key(a) < key(b) ? -1 : 1;
}

function found(
  all: readonly KubeObject[],
  resource: ApiResource,
  ref: { readonly namespace?: string; readonly name: string },
): KubeObject {
  const object = all.find(
    (each) =>
      ofKind(each, resource) &&
      each.metadata.name === ref.name &&
      (!resource.namespaced || each.metadata.namespace === ref.namespace),
  );
  if (object === undefined)
    throw new ClusterError("not-found", `${resource.plural} "${ref.name}" not found`);
  return object;
}

function logText(query: LogQuery, now: number, begin: number): string {
  const { namespace, pod: name, container } = query;
  const pod = PODS.find((each) => each.workload.namespace === namespace && each.name === name);
  if (pod === undefined) throw new ClusterError("not-found", `pods "${name}" not found`);
  const own = pod.workload.name;
  if (container !== undefined && container !== own)
    throw new ClusterError("invalid", `container ${container} is not valid for pod ${name}`);
  if (pod.fault?.kind === "bad-image")
    throw new ClusterError(
      "invalid",
      `container "${own}" in pod "${name}" is waiting to start: trying and failing to pull image`,
    );
  // as on a real server: a pod without a node has an empty log
  if (pod.fault?.kind === "unschedulable") return "";
  const lines = podLog(pod, { ...runOf(pod, query.run, now, begin), begin });
  const last = lines.slice(-query.tailLines).map(({ text }) => `${text}\n`);
  return last.join("").slice(-query.limitBytes);
}

/** From when to when the current or the previous run of the pod's container lasted. */
function runOf(pod: DemoPod, run: LogQuery["run"], now: number, begin: number) {
  const created = begin - pod.ageMs;
  const { last } = restartsAt(pod, now, begin);
  if (last === undefined) {
    if (run === "current") return { from: Math.max(created, now - DAY), to: now };
    const container = pod.workload.name;
    throw new ClusterError(
      "invalid",
      `previous terminated container "${container}" in pod "${pod.name}" not found`,
    );
  }
  const end = run === "current" ? last : (restartsAt(pod, last - 1, begin).last ?? created);
  const start = restartsAt(pod, end - 1, begin).last ?? created;
  return { from: Math.max(start + 1, end - HOUR), to: end };
}
