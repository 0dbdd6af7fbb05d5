import { ToolFailure } from "../define-tool.ts";
import { getJson } from "../json-server.ts";
import type { ObservabilitySource } from "./observability-source.ts";
import { lokiRange, promInstant, promRange, type QueryServer } from "./remote-queries.ts";
import { readAlertRules } from "./wire.ts";

/** Where Prometheus and Loki are; each may be missing. */
export interface DirectOptions {
  /** Base address of Prometheus. */
  readonly prometheusUrl?: string | undefined;
  /** Base address of Loki. */
  readonly lokiUrl?: string | undefined;
  /** Longest time for one request in milliseconds. */
  readonly timeoutMs?: number;
}

/** Prometheus and Loki without Grafana: what only Grafana has is answered with what is missing. */
export function directSource(options: DirectOptions): ObservabilitySource {
  const { prometheusUrl, lokiUrl, timeoutMs } = options;
  const limit = timeoutMs === undefined ? {} : { timeoutMs };
  const server = (name: "Prometheus" | "Loki", url: string | undefined): QueryServer => {
    if (url === undefined) throw new ToolFailure(`no ${name} is configured on this platform`);
    return { server: { name, url, ...limit }, prefix: "" };
  };
  return {
    instant: async (query, signal) =>
      promInstant(server("Prometheus", prometheusUrl), query, signal),
    range: async (query, signal) => promRange(server("Prometheus", prometheusUrl), query, signal),
    logs: async (query, signal) => lokiRange(server("Loki", lokiUrl), query, signal),
    alertRules: async (signal) => {
      const { server: prometheus } = server("Prometheus", prometheusUrl);
      const query = { type: "alert" };
      return readAlertRules(
        "Prometheus",
        await getJson(prometheus, { path: "/api/v1/rules", query }, signal),
      );
    },
    dashboards: () =>
      Promise.reject(
        new ToolFailure("dashboards need Grafana, which is not configured on this platform"),
      ),
    datasources: () =>
      Promise.resolve(
        (["prometheus", "loki"] as const)
          .filter((type) => (type === "loki" ? lokiUrl : prometheusUrl) !== undefined)
          .map((type) => ({ uid: type, name: type, type, isDefault: type === "prometheus" })),
      ),
  };
}
