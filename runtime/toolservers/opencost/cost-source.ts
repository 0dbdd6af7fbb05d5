/** A time range as OpenCost spells it: `7d`, `24h`, `today`, `lastweek`, or two RFC 3339 times with a comma. */
type CostWindow = string;

/** What a workload, namespace or other group cost, and what it used of what it asked for. */
export interface Allocation {
  /** Name of the group; `__idle__` and `__unmounted__` stand for what nobody asked for. */
  readonly name: string;
  /** Where the group lies in one; empty else. */
  readonly namespace: string;
  readonly cpuCost: number;
  readonly memoryCost: number;
  /** Volumes. */
  readonly volumeCost: number;
  /** Everything, network, load balancers and GPUs too. */
  readonly totalCost: number;
  /** Cores, averages over the window. */
  readonly cpuRequest: number;
  readonly cpuUse: number;
  /** Bytes, averages over the window. */
  readonly memoryRequest: number;
  readonly memoryUse: number;
}

/** Something that costs: a node, a disk, a load balancer. */
export interface Asset {
  readonly name: string;
  /** `Node`, `Disk`, `LoadBalancer`, ... */
  readonly type: string;
  /** Empty where the provider says none. */
  readonly detail: string;
  readonly totalCost: number;
  /** Hours it existed in the window. */
  readonly hours: number;
}

/** A line of the cloud provider's bill. */
export interface CloudCost {
  readonly provider: string;
  readonly service: string;
  readonly category: string;
  /** At list prices. */
  readonly listCost: number;
  /** After discounts. */
  readonly netCost: number;
}

/**
 * Costs of one cluster: OpenCost, or demo data.
 *
 * Every method throws ToolFailure with words for the model when it cannot answer, and the signal's reason after
 * an abort. Money is in the currency the source is configured for, US dollars unless somebody changed it.
 */
export interface CostSource {
  /** First line of every answer, where the data is a stand-in. */
  readonly label?: string;
  /** Groups with their costs. @param aggregate - `namespace`, `controller`, `pod`, `label:team`, ... */
  allocations(
    query: { readonly window: CostWindow; readonly aggregate: string },
    signal: AbortSignal,
  ): Promise<readonly Allocation[]>;
  /** Nodes, disks and the like. */
  assets(window: CostWindow, signal: AbortSignal): Promise<readonly Asset[]>;
  /** The bill; empty where no bill is read. */
  cloudCosts(window: CostWindow, signal: AbortSignal): Promise<readonly CloudCost[]>;
}
