import {
  type ApiResource,
  ClusterError,
  type ClusterReader,
  type KubeObject,
  type ObjectList,
} from "../../api/cluster-reader.ts";
import type { Clock } from "../../process/clock.ts";
import { orAbort } from "../../process/or-abort.ts";
import { ToolFailure } from "../define-tool.ts";
import { similarNames } from "../similar-names.ts";
import { findResourceTypes } from "./resource-types.ts";

/** What tools over a cluster need. */
export interface ClusterToolsDeps {
  /** The cluster. */
  readonly cluster: ClusterReader;
  /** Tells ages. */
  readonly clock: Clock;
  /** Longest time for one call of a tool in milliseconds; {@link DEFAULT_TIMEOUT_MS} unless set. */
  readonly timeoutMs?: number;
}

/** 10 s: an API server that answers at all answers a list in less; a model should not wait longer for a dead one. */
const DEFAULT_TIMEOUT_MS = 10_000;

/** One call of a tool over a cluster. */
export interface Reading {
  /** The cluster. */
  readonly cluster: ClusterReader;
  /** Milliseconds since 1970; one reading for all ages of an answer. */
  readonly now: number;
  /** Aborts with the caller or when the time is up. */
  readonly signal: AbortSignal;
}

/**
 * Runs `work` within the time limit.
 *
 * @throws ToolFailure when the cluster refuses, does not know or does not answer; the caller's reason on abort.
 */
export async function reading<T>(
  deps: ClusterToolsDeps,
  signal: AbortSignal,
  work: (reading: Reading) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const timeoutMs = deps.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const limit = AbortSignal.timeout(timeoutMs);
  const both = AbortSignal.any([signal, limit]);
  const { cluster, clock } = deps;
  try {
    return await orAbort(work({ cluster, now: clock.now(), signal: both }), both);
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted)
      throw failure(`cluster ${cluster.name} did not answer within ${timeoutMs / 1000} s`, error);
    const failed = error instanceof ClusterError ? error : undefined;
    if (failed === undefined) throw error;
    throw failure(WORDS[failed.code](cluster.name, failed.message), error);
  }
}

const WORDS = {
  "not-found": (_name: string, message: string) => message,
  forbidden: (name: string, message: string) =>
    `not allowed by cluster ${name}: ${message}. Other namespaces or resource types may be readable.`,
  unauthorized: (name: string) =>
    `cluster ${name} does not accept the platform's credentials; a person has to renew them`,
  unreachable: (name: string, message: string) => `cluster ${name} cannot be reached: ${message}`,
  timeout: (name: string, message: string) => `cluster ${name} did not answer in time: ${message}`,
  invalid: (_name: string, message: string) => message,
  // of writes and watches, which these tools do not have
  conflict: (_name: string, message: string) => message,
  exists: (_name: string, message: string) => message,
  expired: (_name: string, message: string) => message,
} as const;

function failure(message: string, cause: unknown): ToolFailure {
  return cause instanceof ToolFailure ? cause : new ToolFailure(message, { cause });
}

/** Kinds that `text` names. @throws ToolFailure with suggestions when it names none. */
export async function resourceTypes(
  { cluster, signal }: Reading,
  text: string,
): Promise<readonly [ApiResource, ...ApiResource[]]> {
  const { resources, unavailable } = await cluster.resources(signal);
  const match = findResourceTypes(text, resources);
  const [first, ...rest] = match.ok ? match.resources : [];
  if (first !== undefined) return [first, ...rest];
  const { word, suggestions } = match.ok ? { word: text, suggestions: [] } : match;
  const hint = suggestions.length === 0 ? "" : `; did you mean ${suggestions.join(", ")}?`;
  const down =
    unavailable.length === 0 ? "" : ` (API groups that do not answer: ${unavailable.join(", ")})`;
  throw new ToolFailure(
    `unknown resource type "${word}"${hint}${down} k8s_get_available_api_resources lists all types.`,
  );
}

/** The kind of this plural, e.g. `pods`. @throws ToolFailure when the cluster does not serve it. */
export async function resourceType(reading: Reading, text: string): Promise<ApiResource> {
  const [first] = await resourceTypes(reading, text);
  return first;
}

/** 500 names are looked through for similar ones. */
const MAX_NAMES = 500;
const MAX_SIMILAR = 5;

/** An object by name. */
export interface ObjectQuery {
  /** Its kind. */
  readonly resource: ApiResource;
  /** Its name. */
  readonly name: string;
  /** Absent: looked for in every namespace. */
  readonly namespace: string | undefined;
}

/**
 * The one object that `query` names.
 *
 * @throws ToolFailure when there is none (with similar names) or, without a namespace, several.
 */
export async function findObject(reading: Reading, query: ObjectQuery): Promise<KubeObject> {
  const { resource, name, namespace } = query;
  const { cluster, signal } = reading;
  if (resource.namespaced && namespace === undefined) {
    const fieldSelector = `metadata.name=${name}`;
    const { items } = await cluster.list(resource, { fieldSelector, limit: MAX_SIMILAR }, signal);
    const [found, another] = items;
    if (found === undefined) throw await notFound(reading, query);
    if (another === undefined) return found;
    const where = items.map(({ metadata }) => metadata.namespace).join(", ");
    throw new ToolFailure(
      `several ${resource.plural} are named ${name}: give one of the namespaces ${where}`,
    );
  }
  try {
    const place = resource.namespaced && namespace !== undefined ? { namespace } : {};
    return await cluster.get(resource, { name, ...place }, signal);
  } catch (error) {
    if (!(error instanceof ClusterError) || error.code !== "not-found") throw error;
    throw await notFound(reading, query);
  }
}

async function notFound(reading: Reading, query: ObjectQuery): Promise<ToolFailure> {
  const { resource, name, namespace } = query;
  const place = resource.namespaced && namespace !== undefined ? { namespace } : {};
  const { items } = await reading.cluster.list(
    resource,
    { ...place, limit: MAX_NAMES },
    reading.signal,
  );
  const names = items.map(({ metadata }) => metadata.name);
  const similar = similarNames(name, names, MAX_SIMILAR);
  const hint = similar.length === 0 ? "" : `; similar names: ${similar.join(", ")}`;
  const missing = items.length === 0 ? await missingNamespace(reading, namespace) : undefined;
  const anywhere = namespace === undefined ? "in any namespace" : whereText(namespace);
  const where = resource.namespaced ? ` ${anywhere}` : "";
  return new ToolFailure(missing ?? `no ${resource.kind} named ${name}${where}${hint}`);
}

/** `namespace "x" does not exist; ...` when that is so and the cluster lets us know. */
export async function missingNamespace(
  { cluster, signal }: Reading,
  namespace: string | undefined,
): Promise<string | undefined> {
  if (namespace === undefined) return undefined;
  let namespaces: ObjectList;
  try {
    namespaces = await cluster.list(NAMESPACES, { limit: MAX_NAMES }, signal);
  } catch (error) {
    if (!(error instanceof ClusterError) || error.code !== "forbidden") throw error;
    return undefined;
  }
  const names = namespaces.items.map(({ metadata }) => metadata.name);
  if (names.includes(namespace)) return undefined;
  const similar = similarNames(namespace, names, MAX_SIMILAR);
  const hint =
    similar.length === 0
      ? `; there are ${names.slice(0, 20).join(", ")}`
      : `; did you mean ${similar.join(", ")}?`;
  return `namespace "${namespace}" does not exist${hint}`;
}

/** The kind Namespace, which every cluster serves. */
const NAMESPACES: ApiResource = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  singular: "namespace",
  shortNames: ["ns"],
  categories: [],
  namespaced: false,
  verbs: ["get", "list"],
};

/** `in namespace shop`, or `in all namespaces`. */
export function whereText(namespace: string | undefined): string {
  return namespace === undefined ? "in all namespaces" : `in namespace ${namespace}`;
}
