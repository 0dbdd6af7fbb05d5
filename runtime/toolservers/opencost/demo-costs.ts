import type { Clock } from "../../process/clock.ts";
import { ToolFailure } from "../define-tool.ts";
import { demoLabel } from "../demo/demo-cluster.ts";
import { type DemoPod, PODS } from "../demo/demo-pods.ts";
import { NODES } from "../demo/nodes.ts";
import { HOUR, type Workload } from "../demo/workload.ts";
import { parseQuantity } from "../kubernetes/quantity.ts";
import type { Allocation, Asset, CostSource } from "./cost-source.ts";
import { windowMs } from "./cost-window.ts";

/** What {@link demoCosts} needs. */
export interface DemoCostsDeps {
  /** Tells how long `today` is. */
  readonly clock: Pick<Clock, "now">;
  /** Name of the demo cluster. */
  readonly cluster: string;
}

/** US dollars: together they make up the price of the demo's nodes. */
const CORE_HOUR = 0.032;
const GIB_HOUR = 0.004;
const VOLUME_GIB_HOUR = 0.00011;
const LOAD_BALANCER_HOUR = 0.025;
const GIB = 2 ** 30;
const MIB = 2 ** 20;

/** Costs of the demo cluster, from the requests and the use of its workloads and the prices of its nodes. */
export function demoCosts({ clock, cluster }: DemoCostsDeps): CostSource {
  const hoursOf = (window: string): number => {
    const ms = windowMs(window, clock.now());
    if (ms === undefined) throw new ToolFailure(`"${window}" is no window`);
    return ms / HOUR;
  };
  return {
    label: demoLabel(cluster),
    allocations: ({ window, aggregate }, signal) =>
      answer(signal, () => allocations(cluster, aggregate, hoursOf(window))),
    assets: (window, signal) => answer(signal, () => assets(hoursOf(window))),
    cloudCosts: (window, signal) =>
      answer(signal, () => {
        const hours = hoursOf(window);
        const billed = (category: string, listCost: number) => ({
          provider: "demo-cloud",
          service: `demo ${category.toLowerCase()}`,
          category,
          listCost,
          netCost: listCost * 0.92,
        });
        const costs = assets(hours);
        const sum = (type: string) =>
          costs.reduce((total, each) => total + (each.type === type ? each.totalCost : 0), 0);
        return [
          billed("Compute", sum("Node")),
          billed("Storage", sum("Disk")),
          billed("Network", sum("LoadBalancer")),
        ];
      }),
  };
}

function answer<T>(signal: AbortSignal, make: () => T): Promise<T> {
  return new Promise((resolve) => {
    signal.throwIfAborted();
    resolve(make());
  });
}

/** Pods that no node runs cost nothing. */
const RUNNING = PODS.filter(({ node }) => node !== undefined);

function allocations(cluster: string, aggregate: string, hours: number): readonly Allocation[] {
  const groups = Map.groupBy(RUNNING, (pod) => groupOf(pod, cluster, aggregate));
  return [...groups].map(([name, pods]) => {
    const namespaces = new Set(pods.map(({ workload }) => workload.namespace));
    const sum = (of: (pod: DemoPod) => number) => pods.reduce((total, pod) => total + of(pod), 0);
    const cpuRequest = sum(({ workload }) => workload.cpuRequest);
    const cpuUse = sum((pod) => (pod.fault?.kind === "bad-image" ? 0 : pod.workload.cpuUse));
    const memoryRequest = sum(({ workload }) => parseQuantity(workload.memoryRequest) ?? 0);
    const memoryUse = sum((pod) =>
      pod.fault?.kind === "bad-image" ? 0 : pod.workload.memoryUseMiB * MIB,
    );
    // the larger of request and use is paid for, as OpenCost counts
    const cpuCost = Math.max(cpuRequest, cpuUse) * CORE_HOUR * hours;
    const memoryCost = (Math.max(memoryRequest, memoryUse) / GIB) * GIB_HOUR * hours;
    const volumeCost = sum(({ workload }) => workload.volumeGiB ?? 0) * VOLUME_GIB_HOUR * hours;
    return {
      name,
      namespace:
        namespaces.size === 1 && aggregate !== "namespace" ? ([...namespaces][0] ?? "") : "",
      cpuCost,
      memoryCost,
      volumeCost,
      totalCost: cpuCost + memoryCost + volumeCost,
      cpuRequest,
      cpuUse,
      memoryRequest,
      memoryUse,
    };
  });
}

const GROUPS: Readonly<Record<string, (pod: DemoPod) => string>> = {
  node: ({ node }) => node ?? "",
  namespace: ({ workload }) => workload.namespace,
  controllerKind: ({ workload }) => workload.kind.toLowerCase(),
  deployment: ({ workload }) => ofKind(workload, "Deployment"),
  statefulset: ({ workload }) => ofKind(workload, "StatefulSet"),
  controller: ({ workload }) => workload.name,
  service: ({ workload }) => workload.name,
  container: ({ workload }) => workload.name,
  pod: ({ name }) => name,
};

/** What OpenCost calls the rest of a grouping. */
function ofKind({ kind, name }: Workload, wanted: Workload["kind"]): string {
  return kind === wanted ? name : "__unallocated__";
}

function groupOf(pod: DemoPod, cluster: string, aggregate: string): string {
  if (aggregate === "cluster") return cluster;
  const group = Object.hasOwn(GROUPS, aggregate) ? GROUPS[aggregate] : undefined;
  if (group !== undefined) return group(pod);
  const known = ["cluster", ...Object.keys(GROUPS)].join(", ");
  throw new ToolFailure(`the demo data cannot be grouped by ${aggregate}; use one of ${known}`);
}

function assets(hours: number): readonly Asset[] {
  const nodes = NODES.map(
    ({ name, instanceType, costPerHour }): Asset => ({
      name,
      type: "Node",
      detail: instanceType,
      totalCost: costPerHour * hours,
      hours,
    }),
  );
  const disks = PODS.filter(({ workload }) => workload.volumeGiB !== undefined).map(
    ({ name, workload }): Asset => ({
      name: `${workload.namespace}/data-${name}`,
      type: "Disk",
      detail: `${workload.volumeGiB ?? 0}Gi`,
      totalCost: (workload.volumeGiB ?? 0) * VOLUME_GIB_HOUR * hours,
      hours,
    }),
  );
  const balancer: Asset = {
    name: "platform/ingress-controller",
    type: "LoadBalancer",
    detail: "",
    totalCost: LOAD_BALANCER_HOUR * hours,
    hours,
  };
  return [...nodes, ...disks, balancer];
}
