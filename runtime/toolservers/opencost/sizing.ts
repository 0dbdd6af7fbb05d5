import type { Allocation } from "./cost-source.ts";

/** Below: more is asked for than is used (reference-platform.md section 1). */
const OVER_BELOW = 0.3;
/** Above: hardly any head-room is left. */
const UNDER_ABOVE = 0.8;
/** Requests that fit: use times this. */
export const HEAD_ROOM = 1.2;

/** What a share of use says about requests. */
export type Verdict = "over-provisioned" | "right-sized" | "under-provisioned" | "unknown";

/** The verdict on an efficiency (0.27 is 27 %); `unknown` without one. */
export function verdictOf(efficiency: number | undefined): Verdict {
  if (efficiency === undefined) return "unknown";
  if (efficiency < OVER_BELOW) return "over-provisioned";
  return efficiency > UNDER_ABOVE ? "under-provisioned" : "right-sized";
}

/** Share of what is asked for that is used; what is used without having been asked for counts as 1. */
export function shareUsed(use: number, request: number): number | undefined {
  if (request > 0) return use / request;
  return use > 0 ? 1 : undefined;
}

/**
 * Efficiency of CPU and memory together, weighted by their costs as OpenCost does.
 *
 * @returns `undefined` when nothing was asked for and nothing used.
 */
export function efficiencyOf(allocation: Allocation): number | undefined {
  const { cpuCost, memoryCost } = allocation;
  const cpu = shareUsed(allocation.cpuUse, allocation.cpuRequest);
  const memory = shareUsed(allocation.memoryUse, allocation.memoryRequest);
  if (cpu === undefined || memory === undefined) return cpu ?? memory;
  const cost = cpuCost + memoryCost;
  return cost > 0 ? (cpu * cpuCost + memory * memoryCost) / cost : (cpu + memory) / 2;
}

/** What could be saved over the window if requests were use times {@link HEAD_ROOM}; never below 0. */
export function savingOf(allocation: Allocation): number {
  const part = (cost: number, use: number, request: number) =>
    request > 0 ? cost * Math.max(0, 1 - (use * HEAD_ROOM) / request) : 0;
  return (
    part(allocation.cpuCost, allocation.cpuUse, allocation.cpuRequest) +
    part(allocation.memoryCost, allocation.memoryUse, allocation.memoryRequest)
  );
}
