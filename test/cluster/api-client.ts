import { readFile } from "node:fs/promises";
import { Agent, request } from "undici";
import { parse } from "yaml";
import { z } from "zod";

/** An object of the Kubernetes API as it is written: whatever its kind asks for beside these. */
export interface ClusterObject {
  /** Group and version, e.g. `apps/v1`. */
  readonly apiVersion: string;
  /** Kind, e.g. `Deployment`; must be known to {@link objectPath}. */
  readonly kind: string;
  /** Name, and namespace unless the kind is cluster-wide. */
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** The API server refused a request; trying again helps for 429 and 5xx only. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status. */
  readonly status: number;

  constructor(request: string, status: number, message: string) {
    super(`failed to ${request} (${status}): ${message}`);
    this.status = status;
  }
}

/** 20 s for one request to a server on the same machine, a busy one included. */
const REQUEST_MS = 20_000;
/** Who server-side apply writes down as the owner of fields. */
const FIELD_MANAGER = "kagent-test";

const PLURALS: Readonly<Record<string, string>> = {
  ConfigMap: "configmaps",
  CustomResourceDefinition: "customresourcedefinitions",
  Deployment: "deployments",
  Event: "events",
  HelmRelease: "helmreleases",
  Kustomization: "kustomizations",
  Namespace: "namespaces",
  Node: "nodes",
  Pod: "pods",
  ReplicaSet: "replicasets",
  Secret: "secrets",
  Service: "services",
  ServiceAccount: "serviceaccounts",
};

const kubeconfigSchema = z.object({
  clusters: z.tuple([
    z.object({
      cluster: z.object({ server: z.url(), "certificate-authority-data": z.base64() }),
    }),
  ]),
  users: z.tuple([z.object({ user: z.object({ token: z.string() }) })]),
});

const statusSchema = z.object({ message: z.string() });

/**
 * Path of an object below the address of the API server.
 *
 * @throws Error for a kind that is not in the table.
 */
export function objectPath(object: ClusterObject): string {
  const { apiVersion, kind, metadata } = object;
  const plural = PLURALS[kind];
  if (plural === undefined) throw new Error(`failed to find the plural of kind ${kind}`);
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
  return `${root}${scope}/${plural}/${metadata.name}`;
}

/** How an API server is reached. */
export interface ApiAccess {
  /** Address. */
  readonly url: string;
  /** Certificates that vouch for the server, PEM. */
  readonly authority: string;
  /** Bearer token. */
  readonly token: string;
}

/**
 * Access from a kubeconfig with one cluster and one user, as `startApiServer` writes it.
 *
 * @throws Error when the file cannot be read; ZodError when it has another form.
 */
export async function readKubeconfig(path: string): Promise<ApiAccess> {
  const { clusters, users } = kubeconfigSchema.parse(parse(await readFile(path, "utf8")));
  const { server, "certificate-authority-data": authority } = clusters[0].cluster;
  return {
    url: server,
    authority: Buffer.from(authority, "base64").toString("utf8"),
    token: users[0].user.token,
  };
}

/** Client of one API server: just enough to fill it and to look, and none of the code under test. */
export class ApiClient {
  readonly #access: ApiAccess;
  readonly #agent: Agent;

  constructor(access: ApiAccess) {
    this.#access = access;
    this.#agent = new Agent({ connect: { ca: access.authority } });
  }

  /** Body of a 2xx answer, parsed when it is JSON. @throws ApiError for other answers. */
  get(path: string, signal: AbortSignal): Promise<unknown> {
    return this.#send("GET", path, undefined, signal);
  }

  /** Creates what has no name of its own, or is asked of an object (a token). @throws ApiError. */
  create(path: string, json: unknown, signal: AbortSignal): Promise<unknown> {
    return this.#send("POST", path, { type: "application/json", json }, signal);
  }

  /** Creates or updates an object by server-side apply, so doing it again changes nothing. @throws ApiError. */
  apply(object: ClusterObject, signal: AbortSignal): Promise<unknown> {
    return this.#apply(objectPath(object), object, signal);
  }

  /** Applies the `status` of an object that exists. @throws ApiError. */
  applyStatus(
    object: ClusterObject,
    status: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<unknown> {
    const { apiVersion, kind, metadata } = object;
    const { name, namespace } = metadata;
    const body = { apiVersion, kind, metadata: { name, namespace }, status };
    return this.#apply(`${objectPath(object)}/status`, body, signal);
  }

  /** Changes an object by a JSON merge patch. @throws ApiError. */
  merge(object: ClusterObject, patch: unknown, signal: AbortSignal): Promise<unknown> {
    const body = { type: "application/merge-patch+json", json: patch };
    return this.#send("PATCH", objectPath(object), body, signal);
  }

  /** Closes idle connections; without it they keep the process alive for some seconds. */
  close(): Promise<void> {
    return this.#agent.close();
  }

  #apply(path: string, json: unknown, signal: AbortSignal): Promise<unknown> {
    // JSON is YAML; the server knows apply by this type only.
    const body = { type: "application/apply-patch+yaml", json };
    return this.#send("PATCH", `${path}?fieldManager=${FIELD_MANAGER}&force=true`, body, signal);
  }

  async #send(
    method: "GET" | "PATCH" | "POST",
    path: string,
    body: { readonly type: string; readonly json: unknown } | undefined,
    signal: AbortSignal,
  ): Promise<unknown> {
    const {
      statusCode,
      headers,
      body: answer,
    } = await request(`${this.#access.url}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: {
        authorization: `Bearer ${this.#access.token}`,
        ...(body === undefined ? {} : { "content-type": body.type }),
      },
      body: body === undefined ? null : JSON.stringify(body.json),
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]),
    });
    const text = await answer.text();
    const isJson = String(headers["content-type"]).startsWith("application/json");
    const value: unknown = isJson ? JSON.parse(text) : text;
    if (statusCode >= 200 && statusCode < 300) return value;
    const status = statusSchema.safeParse(value);
    const message = status.success ? status.data.message : text;
    throw new ApiError(`${method} ${path}`, statusCode, message);
  }
}
