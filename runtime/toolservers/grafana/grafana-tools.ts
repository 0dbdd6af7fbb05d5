import type { ToolDefinition } from "../../api/tool.ts";
import { labelled } from "../define-tool.ts";
import { listAlertRules } from "./alert-tools.ts";
import { listDatasources, searchDashboards } from "./dashboard-tools.ts";
import type { GrafanaToolsDeps } from "./grafana-tools-deps.ts";
import { findErrorPatternLogs, queryLokiLogs } from "./log-tools.ts";
import { queryPrometheus } from "./prometheus-tool.ts";
import { findSlowRequests } from "./slow-requests-tool.ts";

/** The read tools for metrics, logs, alerts and dashboards, under the names that Grafana's MCP server has. */
export function grafanaTools(deps: GrafanaToolsDeps): readonly ToolDefinition[] {
  return labelled(deps.source.label, [
    queryPrometheus(deps),
    queryLokiLogs(deps),
    listAlertRules(deps),
    findErrorPatternLogs(deps),
    findSlowRequests(deps),
    searchDashboards(deps),
    listDatasources(deps),
  ]);
}
