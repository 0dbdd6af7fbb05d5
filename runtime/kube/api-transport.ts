import http from "node:http";
import https from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { ClusterError } from "../api/cluster-reader.ts";
import { orAbort } from "../process/or-abort.ts";
import { networkError, statusError } from "./cluster-error.ts";
import type { ChosenCluster } from "./kubeconfig.ts";

/** One request to the API server. */
export interface ApiRequest {
  /** Absolute path, encoded. */
  readonly path: string;
  /** Query; `undefined` values are left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Media types wanted; JSON unless set. */
  readonly accept?: string;
}

/** 64 MiB per answer: 500 objects of the largest size that etcd takes do not fit, 500 ordinary ones do many times. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** 8 connections at once: one agent's parallel tool calls, without a burst on the API server. */
const MAX_SOCKETS = 8;

/**
 * GET requests to one API server with the credentials of a kubeconfig: token, client certificate, exec plug-in.
 *
 * Credentials are worked out by the client library; the request itself is ours, because the library opens a new
 * connection pool for each call and reads answers of any size.
 */
export class ApiTransport {
  readonly #cluster: ChosenCluster;
  #loading: Promise<KubeConfig> | undefined;
  #agent: { readonly key: string; readonly agent: http.Agent } | undefined;

  constructor(cluster: ChosenCluster) {
    this.#cluster = cluster;
  }

  /**
   * Body of the answer to `request`.
   *
   * @throws ClusterError when the server refuses, cannot be reached or sends too much; the signal's reason on abort.
   */
  async get(request: ApiRequest, signal: AbortSignal): Promise<string> {
    try {
      return await this.#send(request, signal);
    } catch (error) {
      if (!(error instanceof ClusterError) || error.code !== "unauthorized") throw error;
      // the credentials may have been renewed since they were read
      this.#loading = undefined;
      return this.#send(request, signal);
    }
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent?.agent.destroy();
    this.#agent = undefined;
  }

  async #send(request: ApiRequest, signal: AbortSignal): Promise<string> {
    const options = await orAbort(this.#options(), signal);
    const { status, body } = await this.#exchange(request, options, signal);
    if (status < 200 || status > 299) throw statusError(status, body);
    return body;
  }

  /** Headers and connection settings, credentials included. */
  async #options(): Promise<https.RequestOptions> {
    const config = await this.#config();
    const cluster = config.getCurrentCluster();
    if (cluster?.server.startsWith("http:") === true && !cluster.skipTLSVerify)
      throw new ClusterError(
        "invalid",
        "an API server without TLS is used only with insecure-skip-tls-verify: true in the kubeconfig",
      );
    const options: https.RequestOptions = {};
    // without a cause: what an exec plug-in or the client says on failure may hold anything
    if (!(await succeeds(config.applyToHTTPSOptions(options))))
      throw new ClusterError(
        "unauthorized",
        "the kubeconfig's credentials could not be worked out",
      );
    if (cluster?.proxyUrl !== undefined) return options;
    return { ...options, agent: this.#pool(options) };
  }

  async #config(): Promise<KubeConfig> {
    const loading = (this.#loading ??= this.#cluster.load());
    try {
      return await loading;
    } catch (error) {
      this.#loading = undefined;
      throw error;
    }
  }

  /** One pool of connections as long as the TLS settings stay the same. */
  #pool(options: https.RequestOptions): http.Agent {
    const { ca, cert, key, rejectUnauthorized, servername } = options;
    const wanted = { ca, cert, key, rejectUnauthorized, servername };
    const secure = this.#cluster.server.startsWith("https:");
    const id = JSON.stringify([secure, Object.values(wanted).map(String)]);
    if (this.#agent?.key === id) return this.#agent.agent;
    this.close();
    const tls = Object.fromEntries(
      Object.entries(wanted).filter(([, value]) => value !== undefined),
    );
    const pool = { keepAlive: true, maxSockets: MAX_SOCKETS };
    const agent = secure ? new https.Agent({ ...pool, ...tls }) : new http.Agent(pool);
    this.#agent = { key: id, agent };
    return agent;
  }

  #exchange(
    { path, query = {}, accept = "application/json" }: ApiRequest,
    options: https.RequestOptions,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: string }> {
    const { server } = this.#cluster;
    const url = new URL(server + path);
    for (const [key, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(key, value);
    const send = url.protocol === "https:" ? https.request : http.request;
    return new Promise((resolve, reject) => {
      const failed = (error: unknown) => {
        reject(signal.aborted ? (signal.reason as Error) : asClusterError(server, error));
      };
      const request = send(url, { ...options, signal }, (response) => {
        readBody(response).then((body) => {
          resolve({ status: response.statusCode ?? 0, body });
        }, failed);
      });
      request.setHeader("accept", accept);
      request.setHeader("user-agent", "kagent");
      request.on("error", failed);
      request.end();
    });
  }
}

async function readBody(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) {
      response.destroy();
      throw new ClusterError(
        "invalid",
        `the API server's answer is larger than ${MAX_ANSWER_BYTES} bytes`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function asClusterError(server: string, error: unknown): Error {
  return error instanceof ClusterError ? error : networkError(server, error);
}

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch {
    return false;
  }
}
