import * as z from "zod";
import type { ToolDefinition } from "../../api/tool.ts";
import { optionalText } from "../arguments.ts";
import { boundBytes, trimRows } from "../bounded-text.ts";
import { defineTool, labelled, ToolFailure } from "../define-tool.ts";
import { bytesText, coresText } from "../kubernetes/quantity.ts";
import { textTable } from "../text-table.ts";
import type { Allocation, CostSource } from "./cost-source.ts";
import { WindowArgument } from "./cost-window.ts";
import { efficiencyOf, HEAD_ROOM, savingOf, shareUsed, verdictOf } from "./sizing.ts";

/** What {@link openCostTools} needs. */
export interface OpenCostToolsDeps {
  /** Where costs come from. */
  readonly source: CostSource;
}

/** The read tools for costs, under the names that OpenCost's MCP server has. */
export function openCostTools({ source }: OpenCostToolsDeps): readonly ToolDefinition[] {
  return labelled(source.label, [
    getAllocationCosts(source),
    getAssetCosts(source),
    getCloudCosts(source),
    getEfficiency(source),
  ]);
}

/** One grouping, or several with commas. */
const AGGREGATE = /^[A-Za-z]+(:[\w./-]{1,100})?(,[A-Za-z]+(:[\w./-]{1,100})?){0,3}$/;

const Grouped = z.strictObject({
  window: WindowArgument,
  aggregate: optionalText(
    200,
    "What to group by: namespace, controller, deployment, service, pod, node, cluster, label:<name>",
  ).refine(
    (text) => text === undefined || AGGREGATE.test(text),
    "must be namespace, controller, pod, node, cluster or label:<name>",
  ),
  filter: optionalText(100, "Only groups whose name or namespace contains this text"),
});

async function allocations(
  source: CostSource,
  args: z.output<typeof Grouped>,
  fallback: string,
  signal: AbortSignal,
): Promise<{ readonly rows: readonly Allocation[]; readonly title: string }> {
  const { window, aggregate = fallback, filter } = args;
  const all = await source.allocations({ window, aggregate }, signal);
  const wanted = filter?.toLowerCase();
  const rows = all.filter(
    ({ name, namespace }) =>
      wanted === undefined || `${namespace}/${name}`.toLowerCase().includes(wanted),
  );
  if (rows.length === 0) {
    const names = all.slice(0, 20).map(({ name }) => name);
    const known = names.length === 0 ? "" : `; there are ${names.join(", ")}`;
    throw new ToolFailure(
      `no costs by ${aggregate} in the window ${window}${filter === undefined ? "" : ` for "${filter}"`}${known}`,
    );
  }
  return { rows, title: `by ${aggregate}, window ${window}` };
}

function getAllocationCosts(source: CostSource): ToolDefinition {
  return defineTool({
    name: "get_allocation_costs",
    description:
      "Costs of a time range by namespace, workload, pod, node or label, the dearest first, split into CPU, memory and volumes, with efficiency. Use it for what something costs.",
    inputSchema: Grouped,
    run: async (args, { signal }) => {
      const { rows, title } = await allocations(source, args, "namespace", signal);
      const ordered = rows.toSorted((a, b) => b.totalCost - a.totalCost);
      return shown({
        title: `costs ${title}; total ${money(total(rows, ({ totalCost }) => totalCost))}`,
        columns: [
          ...["NAME", "NAMESPACE", "TOTAL_COST", "CPU_COST", "MEMORY_COST", "VOLUME_COST"],
          ...["TOTAL_EFFICIENCY", "VERDICT"],
        ],
        rows: ordered.map((row) => [
          row.name,
          row.namespace,
          money(row.totalCost),
          money(row.cpuCost),
          money(row.memoryCost),
          money(row.volumeCost),
          percent(efficiencyOf(row)),
          verdictOf(efficiencyOf(row)),
        ]),
      });
    },
  });
}

function getEfficiency(source: CostSource): ToolDefinition {
  return defineTool({
    name: "get_efficiency",
    description:
      "How much of the CPU and memory that was asked for is used, the least used first, with a verdict (under 30 % over-provisioned, 30 to 80 % right-sized, above 80 % under-provisioned) and what fitting requests would save. Use it for right-sizing.",
    inputSchema: Grouped,
    run: async (args, { signal }) => {
      const { rows, title } = await allocations(source, args, "controller", signal);
      const ordered = rows.toSorted(
        (a, b) => (efficiencyOf(a) ?? Infinity) - (efficiencyOf(b) ?? Infinity),
      );
      const saving = total(rows, savingOf);
      return shown({
        title: `efficiency ${title}; requests of use times ${HEAD_ROOM} would save ${money(saving)} of CPU and memory in this window`,
        columns: [
          ...["NAME", "NAMESPACE", "TOTAL_EFFICIENCY", "VERDICT", "CPU_EFFICIENCY"],
          ...["MEMORY_EFFICIENCY", "CPU_USE", "CPU_REQUEST", "MEMORY_USE", "MEMORY_REQUEST"],
          ...["TOTAL_COST", "SAVING"],
        ],
        rows: ordered.map(efficiencyRow),
      });
    },
  });
}

function efficiencyRow(row: Allocation): readonly string[] {
  const efficiency = efficiencyOf(row);
  return [
    row.name,
    row.namespace,
    percent(efficiency),
    verdictOf(efficiency),
    percent(shareUsed(row.cpuUse, row.cpuRequest)),
    percent(shareUsed(row.memoryUse, row.memoryRequest)),
    coresText(row.cpuUse),
    coresText(row.cpuRequest),
    bytesText(row.memoryUse),
    bytesText(row.memoryRequest),
    money(row.totalCost),
    money(savingOf(row)),
  ];
}

function getAssetCosts(source: CostSource): ToolDefinition {
  return defineTool({
    name: "get_asset_costs",
    description: "Costs of nodes, disks and load balancers in a time range, the dearest first.",
    inputSchema: z.strictObject({
      window: WindowArgument,
      type: optionalText(50, "Only assets of this type, e.g. Node, Disk or LoadBalancer"),
    }),
    run: async ({ window, type }, { signal }) => {
      const all = await source.assets(window, signal);
      const wanted = type?.toLowerCase();
      const found = all
        .filter((asset) => wanted === undefined || asset.type.toLowerCase() === wanted)
        .sort((a, b) => b.totalCost - a.totalCost);
      if (found.length === 0) return `no assets in the window ${window}`;
      const sum = total(found, ({ totalCost }) => totalCost);
      return shown({
        title: `assets, window ${window}; total ${money(sum)}`,
        columns: ["NAME", "TYPE", "TOTAL_COST", "HOURS", "DETAIL"],
        rows: found.map(({ name, type: kind, totalCost, hours, detail }) => [
          name,
          kind,
          money(totalCost),
          hours.toFixed(1),
          detail,
        ]),
      });
    },
  });
}

function getCloudCosts(source: CostSource): ToolDefinition {
  return defineTool({
    name: "get_cloud_costs",
    description:
      "Costs as the cloud provider bills them, by service and category, at list prices and after discounts.",
    inputSchema: z.strictObject({ window: WindowArgument }),
    run: async ({ window }, { signal }) => {
      const found = await source.cloudCosts(window, signal);
      if (found.length === 0) return `no cloud costs are read for the window ${window}`;
      const sum = total(found, ({ netCost }) => netCost);
      return shown({
        title: `cloud costs, window ${window}; total after discounts ${money(sum)}`,
        columns: ["SERVICE", "CATEGORY", "PROVIDER", "NET_COST", "LIST_COST"],
        rows: found
          .toSorted((a, b) => b.netCost - a.netCost)
          .map(({ service, category, provider, netCost, listCost }) => [
            service,
            category,
            provider,
            money(netCost),
            money(listCost),
          ]),
      });
    },
  });
}

function shown(table: {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}): string {
  const { head, tail, leftOut } = trimRows(table.rows);
  const lines = textTable(table.columns, [...head, ...tail]);
  const gap =
    leftOut.length === 0
      ? []
      : [
          `... ${leftOut.length} of ${table.rows.length} rows before the last ${tail.length} left out ...`,
        ];
  return boundBytes([table.title, ...lines, ...gap].join("\n"));
}

function total<T>(rows: readonly T[], of: (row: T) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0);
}

/** In the currency of the source. */
function money(amount: number): string {
  return amount.toFixed(2);
}

function percent(share: number | undefined): string {
  return share === undefined ? "" : `${(share * 100).toFixed(1)} %`;
}
