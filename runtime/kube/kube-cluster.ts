import * as z from "zod";
import type {
  Cluster,
  ObjectKey,
  ResourceType,
  Selection,
  StoredObject,
  TokenOwner,
  WatchEvent,
} from "../api/cluster.ts";
import { ClusterError, type KubeObject } from "../api/cluster-reader.ts";
import { type ApiRequest, ApiTransport } from "./api-transport.ts";
import { ApiStatusError } from "./cluster-error.ts";
import {
  collectionPath,
  identified,
  ObjectPage,
  objectPath,
  parsedJson,
  readAnswer,
  storedObject,
  triedObject,
} from "./cluster-objects.ts";
import type { ChosenCluster } from "./credentials.ts";
import { readWatchLine } from "./watch-line.ts";
import { withinTime } from "./within-time.ts";

/** How a {@link KubeCluster} talks to its server. */
export interface KubeClusterOptions {
  /** Longest time of one request in milliseconds, of one page of a list; 30 s unless set. */
  readonly timeoutMs?: number;
  /** How long one watch lasts in seconds, then the server closes it; 60 s unless set. */
  readonly watchSeconds?: number;
  /** How much longer the server may take to close it, in milliseconds; 10 s unless set. */
  readonly watchGraceMs?: number;
  /** Objects per page of a list; 500 unless set. */
  readonly pageSize?: number;
}

/** 30 s: longer than the API server gives its own storage and webhooks. */
const TIMEOUT_MS = 30_000;
/** 60 s: bounds for how long a dead connection goes unseen; the server sends a bookmark before it closes. */
const WATCH_SECONDS = 60;
/** 10 s more than a watch may last: the server has not closed it, so nobody is there any more. */
const WATCH_GRACE_MS = 10_000;
/** 500 objects per request, as kubectl pages. */
const PAGE_SIZE = 500;
/** 3 lists from the start: pages expire after five minutes, a server that forgets faster is not well. */
const LIST_ATTEMPTS = 3;
/**
 * 32 requests at once: the renewal of a lease never waits behind slow ones. 512 watches: a dozen for each of 40 namespaces,
 * which a controller that may not look everywhere follows one by one.
 */
const CONNECTIONS = { request: 32, watch: 512 };

const TokenReview = z.object({
  status: z
    .object({
      authenticated: z.boolean().nullish(),
      audiences: z.array(z.string()).nullish(),
      user: z
        .object({ username: z.string().nullish(), groups: z.array(z.string()).nullish() })
        .nullish(),
    })
    .nullish(),
});

/** A cluster behind a real API server. */
export class KubeCluster implements Cluster {
  readonly #server: string;
  readonly #transport: ApiTransport;
  readonly #options: Required<KubeClusterOptions>;

  constructor(cluster: ChosenCluster, options: KubeClusterOptions = {}) {
    this.#server = cluster.server;
    this.#transport = new ApiTransport(cluster, CONNECTIONS);
    this.#options = {
      timeoutMs: TIMEOUT_MS,
      watchSeconds: WATCH_SECONDS,
      watchGraceMs: WATCH_GRACE_MS,
      pageSize: PAGE_SIZE,
      ...options,
    };
  }

  async get(
    type: ResourceType,
    key: ObjectKey,
    signal: AbortSignal,
  ): Promise<StoredObject | undefined> {
    return orMissing(this.#object({ path: placeOf(type, key) }, signal));
  }

  async list(
    type: ResourceType,
    selection: Selection,
    signal: AbortSignal,
  ): Promise<{ readonly items: readonly StoredObject[]; readonly resourceVersion: string }> {
    for (let attempt = 1; ; attempt++)
      try {
        return await this.#pages(type, selection, signal);
      } catch (error) {
        const isExpired = error instanceof ClusterError && error.code === "expired";
        if (!isExpired || attempt === LIST_ATTEMPTS) throw error;
      }
  }

  async *watch(
    type: ResourceType,
    selection: Selection & { readonly resourceVersion: string },
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent, void> {
    const { namespace, ...query } = selection;
    const { watchSeconds, watchGraceMs } = this.#options;
    const limit = AbortSignal.timeout(watchSeconds * 1000 + watchGraceMs);
    const request: ApiRequest = {
      path: collectionPath(type, namespace),
      query: {
        ...query,
        watch: "true",
        allowWatchBookmarks: "true",
        timeoutSeconds: String(watchSeconds),
      },
    };
    try {
      const lines = this.#transport.lines(request, AbortSignal.any([signal, limit]));
      for await (const line of lines) yield readWatchLine(parsedJson(line), type);
    } catch (error) {
      signal.throwIfAborted();
      if (!limit.aborted) throw error;
      throw new ClusterError("timeout", `${this.#server} did not end a watch in time`, {
        cause: error,
      });
    }
  }

  async create(type: ResourceType, object: KubeObject, signal: AbortSignal): Promise<StoredObject> {
    const path = collectionPath(type, namespaceOf(type, object.metadata));
    const body = { type: "application/json", json: object };
    return this.#object({ method: "POST", path, body }, signal);
  }

  async apply(
    type: ResourceType,
    object: KubeObject,
    options: { readonly fieldManager: string; readonly dryRun?: "all" },
    signal: AbortSignal,
  ): Promise<StoredObject> {
    const { fieldManager, dryRun } = options;
    const query = { fieldManager, force: "true", dryRun: dryRun === "all" ? "All" : undefined };
    // JSON is YAML; the server knows apply by this type only
    const body = { type: "application/apply-patch+yaml", json: object };
    const path = placeOf(type, object.metadata);
    const text = await this.#send({ method: "PATCH", path, query, body }, signal);
    const applied = parsedJson(text);
    return dryRun === "all" ? triedObject(applied) : storedObject(applied);
  }

  async update(
    type: ResourceType,
    object: StoredObject,
    signal: AbortSignal,
  ): Promise<StoredObject> {
    const body = { type: "application/json", json: object };
    return this.#object({ method: "PUT", path: placeOf(type, object.metadata), body }, signal);
  }

  async delete(
    type: ResourceType,
    key: ObjectKey & { readonly uid?: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { uid } = key;
    const json = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      propagationPolicy: "Background",
      ...(uid === undefined ? {} : { preconditions: { uid } }),
    };
    const body = { type: "application/json", json };
    try {
      await this.#send({ method: "DELETE", path: placeOf(type, key), body }, signal);
      return true;
    } catch (error) {
      // a conflict: there is another one of that name
      const isOther = error instanceof ClusterError && error.code === "conflict";
      if (isMissingObject(error) || (isOther && uid !== undefined)) return false;
      throw error;
    }
  }

  async patchStatus(
    type: ResourceType,
    key: ObjectKey,
    status: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<StoredObject | undefined> {
    const path = `${placeOf(type, key)}/status`;
    const body = { type: "application/merge-patch+json", json: { status } };
    return orMissing(this.#object({ method: "PATCH", path, body }, signal));
  }

  async reviewToken(
    token: string,
    audience: string,
    signal: AbortSignal,
  ): Promise<TokenOwner | undefined> {
    const path = "/apis/authentication.k8s.io/v1/tokenreviews";
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview" };
    const json = { ...review, spec: { token, audiences: [audience] } };
    const body = { type: "application/json", json };
    const text = await this.#send({ method: "POST", path, body }, signal);
    const { status } = readAnswer(text, TokenReview, path);
    const audiences = status?.audiences ?? [];
    const user = status?.user?.username ?? "";
    // without its audiences the server has not looked at them
    if (status?.authenticated !== true || user === "" || !audiences.includes(audience))
      return undefined;
    return { user, groups: status.user?.groups ?? [], audiences };
  }

  /** Closes all connections. */
  close(): void {
    this.#transport.close();
  }

  async #pages(
    type: ResourceType,
    { namespace, ...selectors }: Selection,
    signal: AbortSignal,
  ): Promise<{ readonly items: readonly StoredObject[]; readonly resourceVersion: string }> {
    const path = collectionPath(type, namespace);
    const items: StoredObject[] = [];
    let next: string | undefined;
    for (;;) {
      const query = { ...selectors, limit: String(this.#options.pageSize), continue: next };
      const text = await this.#send({ path, query }, signal);
      const page = readAnswer(text, ObjectPage, path);
      for (const item of page.items ?? []) items.push(storedObject(identified(item, type)));
      next = page.metadata?.continue ?? "";
      const resourceVersion = page.metadata?.resourceVersion ?? "";
      if (next === "") return { items, resourceVersion };
    }
  }

  async #object(request: ApiRequest, signal: AbortSignal): Promise<StoredObject> {
    return storedObject(parsedJson(await this.#send(request, signal)));
  }

  #send(request: ApiRequest, signal: AbortSignal): Promise<string> {
    const { timeoutMs } = this.#options;
    return withinTime(timeoutMs, this.#server, signal, (limit) =>
      this.#transport.send(request, limit),
    );
  }
}

/** @throws ClusterError `invalid` when the namespace is missing. */
function namespaceOf(type: ResourceType, { namespace, name }: ObjectKey): string | undefined {
  if (!type.namespaced) return undefined;
  if (namespace !== undefined && namespace !== "") return namespace;
  throw new ClusterError("invalid", `${type.plural} "${name}" needs a namespace`);
}

function placeOf(type: ResourceType, key: ObjectKey): string {
  const namespace = namespaceOf(type, key);
  return objectPath(type, { name: key.name, ...(namespace === undefined ? {} : { namespace }) });
}

/** Whether the server knows the kind and has no such object. */
function isMissingObject(error: unknown): boolean {
  return (
    error instanceof ApiStatusError && error.code === "not-found" && error.object !== undefined
  );
}

async function orMissing(work: Promise<StoredObject>): Promise<StoredObject | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isMissingObject(error)) return undefined;
    throw error;
  }
}
