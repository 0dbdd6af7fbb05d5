import { getJson, type JsonServer } from "../json-server.ts";
import type { LogAnswer, ObservabilitySource, Sample } from "./observability-source.ts";
import { readLogAnswer, readSamples } from "./wire.ts";

/** A server of the query API, and what stands before its paths. */
export interface QueryServer {
  readonly server: JsonServer;
  /** Before every path, e.g. Grafana's data source proxy; empty for the server itself. */
  readonly prefix: string;
}

/** Prometheus' instant query. */
export async function promInstant(
  { server, prefix }: QueryServer,
  { query, at }: Parameters<ObservabilitySource["instant"]>[0],
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const path = `${prefix}/api/v1/query`;
  return readSamples(
    server.name,
    await getJson(server, { path, query: { query, time: at / 1000 } }, signal),
  );
}

/** Prometheus' range query. */
export async function promRange(
  { server, prefix }: QueryServer,
  { query, from, to, stepMs }: Parameters<ObservabilitySource["range"]>[0],
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const range = { query, start: from / 1000, end: to / 1000, step: stepMs / 1000 };
  const path = `${prefix}/api/v1/query_range`;
  return readSamples(server.name, await getJson(server, { path, query: range }, signal));
}

/** Points of a counting LogQL query. */
const POINTS = 30;

/** Loki's range query. */
export async function lokiRange(
  { server, prefix }: QueryServer,
  query: Parameters<ObservabilitySource["logs"]>[0],
  signal: AbortSignal,
): Promise<LogAnswer> {
  const { from, to, limit, direction } = query;
  const range = {
    query: query.query,
    start: nanoseconds(from),
    end: nanoseconds(to),
    limit,
    direction,
    step: Math.max(1, Math.ceil((to - from) / 1000 / POINTS)),
  };
  const path = `${prefix}/loki/api/v1/query_range`;
  return readLogAnswer(server.name, await getJson(server, { path, query: range }, signal));
}

/** As text: nanoseconds since 1970 do not fit into a number. */
function nanoseconds(ms: number): string {
  return `${Math.trunc(ms)}000000`;
}
