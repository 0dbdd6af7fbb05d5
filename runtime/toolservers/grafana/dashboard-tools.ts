import * as z from "zod";
import type { ToolDefinition } from "../../api/tool.ts";
import { optionalText } from "../arguments.ts";
import { boundBytes, trimRows } from "../bounded-text.ts";
import { defineTool } from "../define-tool.ts";
import { textTable } from "../text-table.ts";
import type { GrafanaToolsDeps } from "./grafana-tools-deps.ts";

/** `search_dashboards`. */
export function searchDashboards({ source }: GrafanaToolsDeps): ToolDefinition {
  return defineTool({
    name: "search_dashboards",
    description: "Finds dashboards by words of their title; all without words.",
    inputSchema: z.strictObject({
      query: optionalText(200, "Words of the title; absent: all dashboards"),
    }),
    run: async ({ query = "" }, { signal }) => {
      const found = await source.dashboards(query, signal);
      if (found.length === 0) return `no dashboards${query === "" ? "" : ` for "${query}"`}`;
      const rows = found.map(({ title, folder, uid, tags }) => [
        title,
        folder,
        uid,
        tags.join(", "),
      ]);
      return tableText(["TITLE", "FOLDER", "UID", "TAGS"], rows);
    },
  });
}

/** `list_datasources`. */
export function listDatasources({ source }: GrafanaToolsDeps): ToolDefinition {
  return defineTool({
    name: "list_datasources",
    description: "Data sources with identifier, name and type; queries may name one of them.",
    inputSchema: z.strictObject({
      type: optionalText(50, "Only data sources of this type, e.g. prometheus or loki"),
    }),
    run: async ({ type }, { signal }) => {
      const all = await source.datasources(signal);
      const found = all.filter((each) => type === undefined || each.type.includes(type));
      if (found.length === 0)
        return `no data sources${type === undefined ? "" : ` of type ${type}`}`;
      const rows = found.map(({ uid, name, type: kind, isDefault }) => [
        uid,
        name,
        kind,
        isDefault ? "yes" : "",
      ]);
      return tableText(["UID", "NAME", "TYPE", "DEFAULT"], rows);
    },
  });
}

function tableText(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const { head, tail, leftOut } = trimRows(rows);
  const gap = leftOut.length === 0 ? [] : [`... ${leftOut.length} of ${rows.length} left out ...`];
  return boundBytes([...textTable(columns, [...head, ...tail]), ...gap].join("\n"));
}
