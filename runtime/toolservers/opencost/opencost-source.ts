import * as z from "zod";
import { ToolFailure } from "../define-tool.ts";
import { getJson, type JsonServer } from "../json-server.ts";
import { numberAt, recordAt, textAt, valueAt } from "../json-value.ts";
import type { Allocation, Asset, CloudCost, CostSource } from "./cost-source.ts";

/** Where OpenCost is. */
export interface OpenCostOptions {
  /** Base address of its HTTP API, port 9003 by default. */
  readonly url: string;
  /** Longest time for one request in milliseconds. */
  readonly timeoutMs?: number;
}

/** 30 s: OpenCost computes a window from Prometheus while it is asked. */
const TIMEOUT_MS = 30_000;

/**
 * OpenCost over its HTTP API.
 *
 * @see https://opencost.io/docs/integrations/api/
 */
export function openCostSource(options: OpenCostOptions): CostSource {
  const server: JsonServer = { name: "OpenCost", timeoutMs: TIMEOUT_MS, ...options };
  return {
    allocations: async ({ window, aggregate }, signal) => {
      const query = { window, aggregate, accumulate: "true" };
      const request = { path: "/allocation/compute", query };
      return readAllocations(await getJson(server, request, signal));
    },
    assets: async (window, signal) =>
      readAssets(await getJson(server, { path: "/assets", query: { window } }, signal)),
    cloudCosts: async (window, signal) => {
      const query = { window, aggregate: "provider,service,category", accumulate: "all" };
      return readCloudCosts(await getJson(server, { path: "/cloudCost", query }, signal));
    },
  };
}

const Items = z.record(z.string(), z.unknown());
// a set is null where there was nothing in its part of the window
const Sets = z.union([z.array(Items.nullable()), Items.transform((items) => [items])]);

function setsOf(body: unknown): readonly (readonly [string, unknown])[] {
  const parsed = Sets.safeParse(valueAt(body, "data") ?? []);
  if (!parsed.success)
    throw new ToolFailure("OpenCost answered in an unknown form", { cause: parsed.error });
  return parsed.data.flatMap((items) => Object.entries(items ?? {}));
}

/** Allocations of an answer; parts of the window are added up. @throws ToolFailure when it is none. */
function readAllocations(body: unknown): readonly Allocation[] {
  const byName = Map.groupBy(setsOf(body), ([name]) => name);
  return [...byName].map(([name, parts]) => {
    const items = parts.map(([, item]) => item);
    const sum = (...fields: readonly string[]) =>
      items.reduce<number>(
        (total, item) =>
          total + fields.reduce((cost, field) => cost + (numberAt(item, field) ?? 0), 0),
        0,
      );
    const minutes = sum("minutes");
    const average = (field: string) =>
      items.reduce<number>(
        (total, item) =>
          total +
          (numberAt(item, field) ?? 0) *
            (minutes > 0 ? (numberAt(item, "minutes") ?? 0) / minutes : 1 / items.length),
        0,
      );
    return {
      name,
      namespace: textAt(items[0], "properties", "namespace"),
      cpuCost: sum("cpuCost"),
      memoryCost: sum("ramCost"),
      volumeCost: sum("pvCost"),
      totalCost: sum("totalCost"),
      cpuRequest: average("cpuCoreRequestAverage"),
      cpuUse: average("cpuCoreUsageAverage"),
      memoryRequest: average("ramByteRequestAverage"),
      memoryUse: average("ramByteUsageAverage"),
    };
  });
}

/** Assets of an answer. @throws ToolFailure when it is none. */
function readAssets(body: unknown): readonly Asset[] {
  return setsOf(body).map(([key, item]) => ({
    name: textAt(item, "properties", "name") || key,
    type: textAt(item, "type") || "unknown",
    detail: textAt(item, "nodeType") || textAt(item, "storageClass"),
    totalCost: numberAt(item, "totalCost") ?? 0,
    hours: (numberAt(item, "minutes") ?? 0) / 60,
  }));
}

const CloudAnswer = z.object({
  data: z.object({ sets: z.array(z.object({ cloudCosts: Items.nullish() })).nullish() }).nullish(),
});

/** Lines of the bill in an answer. @throws ToolFailure when it is none. */
function readCloudCosts(body: unknown): readonly CloudCost[] {
  const parsed = CloudAnswer.safeParse(body);
  if (!parsed.success)
    throw new ToolFailure("OpenCost answered in an unknown form", { cause: parsed.error });
  const items = (parsed.data.data?.sets ?? []).flatMap(({ cloudCosts }) =>
    Object.values(cloudCosts ?? {}),
  );
  return items.map((item) => {
    const properties = recordAt(item, "properties");
    return {
      provider: textAt(properties, "provider"),
      service: textAt(properties, "service"),
      category: textAt(properties, "category"),
      listCost: numberAt(item, "listCost", "cost") ?? 0,
      netCost: numberAt(item, "netCost", "cost") ?? 0,
    };
  });
}
