import { ToolFailure } from "../define-tool.ts";
import { getJson, type JsonServer } from "../json-server.ts";
import type { DataSource, ObservabilitySource } from "./observability-source.ts";
import { lokiRange, promInstant, promRange, type QueryServer } from "./remote-queries.ts";
import { readAlertRules, readDashboards, readDataSources } from "./wire.ts";

/** Where Grafana is. */
export interface GrafanaOptions {
  /** Base address. */
  readonly url: string;
  /** Of a service account that may read; absent: anonymous. */
  readonly token?: string | undefined;
  /** Longest time for one request in milliseconds. */
  readonly timeoutMs?: number;
}

/** 100 dashboards are looked through. */
const MAX_DASHBOARDS = 100;
const SHOWN_NAMES = 10;

/**
 * Grafana over its HTTP API: Prometheus and Loki behind its data source proxy, its own alert rules, its search.
 *
 * @see https://grafana.com/docs/grafana/latest/developers/http_api/
 */
export function grafanaSource(options: GrafanaOptions): ObservabilitySource {
  const server: JsonServer = { name: "Grafana", ...options };
  const read = (path: string, signal: AbortSignal, query: Readonly<Record<string, string>> = {}) =>
    getJson(server, { path, query }, signal);
  const datasources = async (signal: AbortSignal) =>
    readDataSources(await read("/api/datasources", signal));
  const behind = async (
    type: "prometheus" | "loki",
    wanted: string | undefined,
    signal: AbortSignal,
  ): Promise<QueryServer> => {
    const { uid } = pick(await datasources(signal), type, wanted);
    return { server, prefix: `/api/datasources/proxy/uid/${encodeURIComponent(uid)}` };
  };
  return {
    instant: async (query, signal) =>
      promInstant(await behind("prometheus", query.datasource, signal), query, signal),
    range: async (query, signal) =>
      promRange(await behind("prometheus", query.datasource, signal), query, signal),
    logs: async (query, signal) =>
      lokiRange(await behind("loki", query.datasource, signal), query, signal),
    alertRules: async (signal) =>
      readAlertRules("Grafana", await read("/api/prometheus/grafana/api/v1/rules", signal)),
    dashboards: async (words, signal) =>
      readDashboards(
        await read("/api/search", signal, {
          type: "dash-db",
          query: words,
          limit: String(MAX_DASHBOARDS),
        }),
      ),
    datasources,
  };
}

/** The one that `wanted` names, by identifier or name; without it, or named as its type, the default of the type. */
function pick(
  all: readonly DataSource[],
  type: "prometheus" | "loki",
  wanted: string | undefined,
): DataSource {
  const fitting = all.filter((each) => each.type === type);
  const named = fitting.find(({ uid, name }) => uid === wanted || name === wanted);
  if (named !== undefined) return named;
  const first = fitting.find(({ isDefault }) => isDefault) ?? fitting[0];
  if (first === undefined) throw new ToolFailure(`Grafana has no data source of type ${type}`);
  if (wanted === undefined || wanted.toLowerCase() === type) return first;
  const known = fitting.slice(0, SHOWN_NAMES).map(({ uid, name }) => `${uid} (${name})`);
  throw new ToolFailure(
    `Grafana has no ${type} data source "${wanted}"; it has ${known.join(", ")}`,
  );
}
