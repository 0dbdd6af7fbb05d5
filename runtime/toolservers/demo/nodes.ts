/** A node of the demo cluster. */
export interface DemoNode {
  readonly name: string;
  readonly zone: string;
  readonly instanceType: string;
  /** Cores. */
  readonly cpu: number;
  /** GiB. */
  readonly memoryGiB: number;
  /** US dollars. */
  readonly costPerHour: number;
}

/** Nodes of the demo cluster. */
export const NODES: readonly DemoNode[] = ["a", "b", "c"].map((zone, index) => ({
  name: `amer-worker-${index + 1}`,
  zone: `amer-1${zone}`,
  instanceType: "general-8x32",
  cpu: 8,
  memoryGiB: 32,
  costPerHour: 0.384,
}));
