import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type ApiResource,
  ClusterError,
  type ClusterReader,
  type KubeObject,
} from "../../../runtime/api/cluster-reader.ts";

const open = new AbortController().signal;

/** How the peer behaves where API servers differ. */
export interface ApiPeerOptions {
  /** Objects it serves. */
  readonly cluster: ClusterReader;
  /** Bearer token it accepts; may change while it runs. */
  token: string;
  /** `lists`: as servers before 1.27. */
  discovery: "aggregated" | "lists";
  /** Most objects of a page, whatever the client asks for. */
  pageSize: number;
  /** API group that answers 503. */
  downGroup?: string;
  /** Paths that are answered by this function instead. */
  instead?: (path: string, response: ServerResponse) => boolean;
}

/** A request the peer got. */
export interface PeerRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string;
}

/** The part of the Kubernetes API that reads need, over HTTP on loopback. */
export class ApiPeer {
  readonly requests: PeerRequest[] = [];
  readonly options: ApiPeerOptions;
  readonly #server: Server;

  constructor(options: ApiPeerOptions) {
    this.options = options;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined);
      });
    });
  }

  /** Starts to listen. @returns Base address. */
  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** Connections that are open. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://peer");
    const authorization = request.headers.authorization ?? "";
    this.requests.push({ path: url.pathname, query: url.searchParams, authorization });
    if (this.options.instead?.(url.pathname, response) === true) return;
    if (authorization !== `Bearer ${this.options.token}`) {
      status(response, 401, `Unauthorized: ${authorization}`);
      return;
    }
    try {
      await this.#answer(url, request.headers.accept ?? "", response);
    } catch (error) {
      const failure = error instanceof ClusterError ? error : undefined;
      if (failure === undefined) throw error;
      const codes = { "not-found": 404, invalid: 400, forbidden: 403 } as const;
      status(response, codes[failure.code as keyof typeof codes], failure.message);
    }
  }

  async #answer(url: URL, accept: string, response: ServerResponse): Promise<void> {
    const { pathname } = url;
    if (pathname === "/version") {
      const { version, platform } = await this.options.cluster.identity(open);
      json(response, { gitVersion: version, platform, major: "1" });
      return;
    }
    const { resources } = await this.options.cluster.resources(open);
    if (/^\/(api(\/v1)?|apis(\/[^/]+\/[^/]+)?)$/.test(pathname)) {
      this.#discovery(pathname, accept, resources, response);
      return;
    }
    const log = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/log$/.exec(pathname);
    if (log !== null) return this.#log(log, url.searchParams, response);
    const match =
      /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?$/.exec(
        pathname,
      );
    const [, group = "", version, namespace, plural, name] = match ?? [];
    const resource = resources.find(
      (each) => each.group === group && each.version === version && each.plural === plural,
    );
    if (resource === undefined) {
      status(response, 404, "the server could not find the requested resource");
      return;
    }
    const place = namespace === undefined ? {} : { namespace: decodeURIComponent(namespace) };
    if (name === undefined) return this.#list(resource, place, url.searchParams, response);
    json(
      response,
      await this.options.cluster.get(resource, { ...place, name: decodeURIComponent(name) }, open),
    );
  }

  async #list(
    resource: ApiResource,
    place: { readonly namespace?: string },
    query: URLSearchParams,
    response: ServerResponse,
  ): Promise<void> {
    const labelSelector = query.get("labelSelector");
    const fieldSelector = query.get("fieldSelector");
    const { items } = await this.options.cluster.list(
      resource,
      {
        ...place,
        ...(labelSelector === null ? {} : { labelSelector }),
        ...(fieldSelector === null ? {} : { fieldSelector }),
        limit: 100_000,
      },
      open,
    );
    const from = Number(query.get("continue") ?? 0);
    const to = from + Math.min(Number(query.get("limit") ?? 500), this.options.pageSize);
    json(response, {
      kind: `${resource.kind}List`,
      apiVersion: apiVersion(resource),
      metadata: { resourceVersion: "1", ...(to < items.length ? { continue: String(to) } : {}) },
      items: items.slice(from, to).map(withoutType),
    });
  }

  async #log(
    match: RegExpExecArray,
    query: URLSearchParams,
    response: ServerResponse,
  ): Promise<void> {
    const [, namespace = "", pod = ""] = match;
    const container = query.get("container");
    const text = await this.options.cluster.logs(
      {
        namespace,
        pod,
        ...(container === null ? {} : { container }),
        tailLines: Number(query.get("tailLines") ?? 1e9),
        limitBytes: Number(query.get("limitBytes") ?? 1e9),
        run: query.get("previous") === "true" ? "previous" : "current",
      },
      open,
    );
    response.writeHead(200, { "content-type": "text/plain" }).end(text);
  }

  #discovery(
    path: string,
    accept: string,
    resources: readonly ApiResource[],
    response: ServerResponse,
  ): void {
    const groups = [...Map.groupBy(resources, (each) => each.group)];
    const named = groups.filter(([group]) => group !== "");
    const wantsAll = path === "/api" || path === "/apis";
    if (
      wantsAll &&
      this.options.discovery === "aggregated" &&
      accept.includes("as=APIGroupDiscoveryList")
    ) {
      const wanted = path === "/api" ? groups.filter(([group]) => group === "") : named;
      const down = this.options.downGroup;
      json(response, {
        kind: "APIGroupDiscoveryList",
        apiVersion: "apidiscovery.k8s.io/v2",
        metadata: {},
        items: wanted.map(([group, kinds]) => aggregated(group, group === down ? [] : kinds)),
      });
      return;
    }
    if (path === "/api") {
      json(response, { kind: "APIVersions", versions: ["v1"] });
      return;
    }
    if (path === "/apis") {
      json(response, {
        kind: "APIGroupList",
        apiVersion: "v1",
        groups: named.map(([name, kinds]) => {
          const preferredVersion = {
            groupVersion: apiVersion(kinds[0]),
            version: kinds[0]?.version,
          };
          return { name, versions: [preferredVersion], preferredVersion };
        }),
      });
      return;
    }
    const groupVersion = path.replace(/^\/apis?\//, "");
    if (
      this.options.downGroup !== undefined &&
      groupVersion.startsWith(`${this.options.downGroup}/`)
    ) {
      status(response, 503, "service unavailable");
      return;
    }
    json(response, {
      kind: "APIResourceList",
      apiVersion: "v1",
      groupVersion,
      resources: resources.filter((each) => apiVersion(each) === groupVersion).flatMap(legacy),
    });
  }
}

function apiVersion(resource: Pick<ApiResource, "group" | "version"> | undefined): string {
  if (resource === undefined) return "";
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

function aggregated(group: string, kinds: readonly ApiResource[]) {
  const version = kinds[0]?.version ?? "v1";
  return {
    metadata: group === "" ? {} : { name: group },
    versions: [
      {
        version,
        freshness: kinds.length === 0 ? "Stale" : "Current",
        ...(kinds.length === 0 ? {} : { resources: kinds.map(aggregatedKind) }),
      },
      // an older version of the same kinds, which the preferred one hides
      { version: "v0", freshness: "Current", resources: kinds.map(aggregatedKind) },
    ],
  };
}

function aggregatedKind({
  plural,
  singular,
  kind,
  namespaced,
  verbs,
  shortNames,
  categories,
  group,
  version,
}: ApiResource) {
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    subresources: [
      { subresource: "status", responseKind: { group, version, kind }, verbs: ["get"] },
    ],
  };
}

function legacy({
  plural,
  singular,
  kind,
  namespaced,
  verbs,
  shortNames,
  categories,
}: ApiResource) {
  const shared = {
    kind,
    namespaced,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    categories,
  };
  return [
    { name: plural, singularName: singular, ...shared },
    { name: `${plural}/status`, singularName: "", kind, namespaced, verbs: ["get"] },
  ];
}

/** Items of built-in lists carry no type; those of custom ones do. */
function withoutType(object: KubeObject): Record<string, unknown> {
  if (object.apiVersion.includes("fluxcd")) return object;
  return Object.fromEntries(
    Object.entries(object).filter(([key]) => key !== "apiVersion" && key !== "kind"),
  );
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** Answers with a Status, as the API server does on failure. */
export function status(response: ServerResponse, code: number, message: string): void {
  const body = { kind: "Status", apiVersion: "v1", status: "Failure", message, code };
  response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
}
