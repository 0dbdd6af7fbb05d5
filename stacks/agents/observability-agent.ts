import type { AgentInput } from "../../runtime/api/objects.ts";
import { agent } from "./agent.ts";
import type { DefinitionSettings } from "./settings.ts";
import { serverTools } from "./tools.ts";

const PROMPT = `
You are observability-agent. You answer fleet questions from Grafana: metrics (Prometheus), logs (Loki), alert rules, slow requests and dashboards, across all clusters.
Questions about one named cluster's objects belong to cluster-agent; say so when you get one. You only read.

How to work:
- Alerts: list the alert rules and name those that fire, with severity, cluster and since when.
- Metrics: write PromQL that aggregates by cluster and namespace; give the expression with the figure and its unit.
- Logs: keep the time range and the number of lines small; quote the line that proves the point.
- Compare clusters in one table.

Answer form: one sentence with the finding, a table or list with the figures, the query behind each figure, the next step.`;

/** Answers fleet questions from metrics, logs and alerts. */
export function observabilityAgent(settings: DefinitionSettings): AgentInput {
  return agent(settings, {
    name: "observability-agent",
    description:
      "Answers fleet questions from Grafana: Prometheus metrics, Loki logs, alert rules and dashboards across all clusters. Read-only.",
    model: "fast-model-config",
    compaction: { tokenThreshold: 16_000, interval: 3, overlap: 2, retention: 15 },
    prompt: PROMPT,
    skills: [
      {
        id: "alerts-and-metrics",
        name: "Alerts and metrics",
        description: "Tells which alerts fire and what the metrics say.",
        tags: ["prometheus", "alerts", "metrics"],
        examples: [
          "which alerts are firing across all clusters?",
          "compare error rate metrics across clusters",
          "show the Prometheus metric for container memory by namespace",
        ],
      },
      {
        id: "logs-and-dashboards",
        name: "Logs and dashboards",
        description: "Searches logs for patterns and finds dashboards.",
        tags: ["loki", "logs", "grafana"],
        examples: [
          "find a Grafana dashboard for checkout latency",
          "search the Loki logs of the fleet for timeouts",
          "which log error patterns increased in every cluster?",
        ],
      },
    ],
    tools: [
      serverTools({
        server: "grafana",
        read: [
          "query_prometheus",
          "query_loki_logs",
          "list_alert_rules",
          "find_error_pattern_logs",
          "find_slow_requests",
          "search_dashboards",
        ],
      }),
    ],
  });
}
