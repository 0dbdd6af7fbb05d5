import type { z } from "zod";
import type { ApiCatalogue, ApiResource, ListQuery, LogQuery } from "../api/cluster-reader.ts";
import { type Clock, systemClock } from "../process/clock.ts";
import { discover } from "./api-discovery.ts";
import { ApiTransport } from "./api-transport.ts";
import {
  collectionPath,
  identified,
  KubeObject,
  type ObjectName,
  ObjectPage,
  objectPath,
  parsedJson,
  readAnswer,
  VersionInfo,
} from "./cluster-objects.ts";
import type { ChosenCluster } from "./credentials.ts";
import { type KubeconfigSource, readKubeconfig } from "./kubeconfig.ts";
import { withinTime } from "./within-time.ts";

/** How {@link openCluster} reads. */
export interface OpenClusterOptions extends KubeconfigSource {
  /** Name of the cluster for people; the context's unless set. */
  readonly name?: string;
  /** Longest time of one method in milliseconds, all its requests together; 10 s unless set. */
  readonly timeoutMs?: number;
  /** Tells when what the cluster serves is asked for again. */
  readonly clock?: Pick<Clock, "monotonic">;
}

/** 10 s for one method; an answer that takes longer comes too late for the one who asked. */
const DEFAULT_TIMEOUT_MS = 10_000;
/** 250 objects per request, as client-go pages. */
const PAGE_SIZE = 250;
/** One minute: a new CRD is known after it. */
const CATALOGUE_MS = 60_000;

/**
 * A cluster over the API server that a kubeconfig names. Reads only.
 *
 * Opening checks the kubeconfig and makes no request: the first one loads the client library.
 *
 * @throws ClusterError `invalid` when the kubeconfig cannot be used; the signal's reason on abort.
 */
export async function openCluster(
  options: OpenClusterOptions,
  signal: AbortSignal,
): Promise<KubeClusterReader> {
  signal.throwIfAborted();
  const cluster = await readKubeconfig(options);
  signal.throwIfAborted();
  return new KubeClusterReader(cluster, options);
}

/**
 * Reads of one real cluster.
 *
 * Every method rejects with {@link ClusterError}, or with the signal's reason when the caller gives up.
 */
export class KubeClusterReader {
  /** Name of the cluster for people. */
  readonly name: string;
  readonly #cluster: ChosenCluster;
  readonly #transport: ApiTransport;
  readonly #timeoutMs: number;
  readonly #clock: Pick<Clock, "monotonic">;
  #catalogue: { readonly at: number; readonly value: ApiCatalogue } | undefined;

  constructor(cluster: ChosenCluster, options: Omit<OpenClusterOptions, keyof KubeconfigSource>) {
    this.name = options.name ?? cluster.context;
    this.#cluster = cluster;
    this.#transport = new ApiTransport(cluster);
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#clock = options.clock ?? systemClock;
  }

  /** Kinds the cluster serves; asked for at most once a minute. */
  async resources(signal: AbortSignal): Promise<ApiCatalogue> {
    const known = this.#catalogue;
    if (known !== undefined && this.#clock.monotonic() - known.at < CATALOGUE_MS)
      return known.value;
    return this.#limited(signal, async (limit) => {
      const get = async (path: string, accept: string, until: AbortSignal) =>
        parsedJson(await this.#transport.send({ path, accept }, until));
      const value = await discover(get, limit);
      this.#catalogue = { at: this.#clock.monotonic(), value };
      return value;
    });
  }

  /** Objects of one kind, in pages, up to `query.limit`. */
  async list(
    resource: ApiResource,
    query: ListQuery,
    signal: AbortSignal,
  ): Promise<{ readonly items: readonly KubeObject[]; readonly more: boolean }> {
    const { labelSelector, fieldSelector, limit } = query;
    const path = collectionPath(resource, query.namespace);
    return this.#limited(signal, async (until) => {
      const items: KubeObject[] = [];
      let next: string | undefined;
      do {
        const pageSize = String(Math.min(PAGE_SIZE, limit - items.length));
        const page = await this.#json(
          { path, query: { labelSelector, fieldSelector, limit: pageSize, continue: next } },
          ObjectPage,
          until,
        );
        for (const item of page.items ?? []) items.push(identified(item, resource));
        next = page.metadata?.continue ?? "";
      } while (next !== "" && items.length < limit);
      return { items: items.slice(0, limit), more: next !== "" || items.length > limit };
    });
  }

  /** One object. */
  get(resource: ApiResource, ref: ObjectName, signal: AbortSignal): Promise<KubeObject> {
    const path = objectPath(resource, ref);
    return this.#limited(signal, (limit) => this.#json({ path }, KubeObject, limit));
  }

  /** Log of one container. */
  logs(query: LogQuery, signal: AbortSignal): Promise<string> {
    const { namespace, pod, container, tailLines, limitBytes, run } = query;
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;
    const parameters = {
      container,
      tailLines: String(tailLines),
      limitBytes: String(limitBytes),
      previous: run === "previous" ? "true" : undefined,
    };
    const request = { path, query: parameters, accept: "text/plain, application/json" };
    return this.#limited(signal, (limit) => this.#transport.send(request, limit));
  }

  /** Context, address and version. */
  async identity(signal: AbortSignal): Promise<{
    readonly context: string;
    readonly server: string;
    readonly version: string;
    readonly platform: string;
  }> {
    const { gitVersion, platform } = await this.#limited(signal, (limit) =>
      this.#json({ path: "/version" }, VersionInfo, limit),
    );
    const { context, server } = this.#cluster;
    return { context, server, version: gitVersion, platform };
  }

  /** Closes idle connections; requests under way end by their signals. */
  close(): void {
    this.#transport.close();
  }

  async #json<T>(
    request: Parameters<ApiTransport["send"]>[0],
    schema: z.ZodType<T>,
    signal: AbortSignal,
  ): Promise<T> {
    return readAnswer(await this.#transport.send(request, signal), schema, request.path);
  }

  #limited<T>(signal: AbortSignal, work: (limit: AbortSignal) => Promise<T>): Promise<T> {
    return withinTime(this.#timeoutMs, this.#cluster.server, signal, work);
  }
}
