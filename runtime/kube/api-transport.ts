import http from "node:http";
import https from "node:https";
import { ClusterError } from "../api/cluster-reader.ts";
import { orAbort } from "../process/or-abort.ts";
import { networkError, statusError } from "./cluster-error.ts";
import { type ConnectionLimits, ConnectionPools, type ConnectionUse } from "./connection-pools.ts";
import type { ChosenCluster, CredentialSource, RequestCredentials } from "./credentials.ts";
import { linesOf } from "./lines.ts";

/** One request to the API server. */
export interface ApiRequest {
  /** GET unless set. */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Absolute path, encoded. */
  readonly path: string;
  /** Query; `undefined` values are left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Media types wanted; JSON unless set. */
  readonly accept?: string;
  /** Sent as JSON, under the media type that says what it means. */
  readonly body?: { readonly type: string; readonly json: unknown };
}

/** 64 MiB per answer: 500 objects of the largest size that etcd takes do not fit, 500 ordinary ones do many times. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** 16 MiB per line of a stream: one object, which etcd takes up to 1.5 MiB of, several times over. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** 8 requests at once: one agent's parallel tool calls, without a burst on the API server. */
const LIMITS: ConnectionLimits = { request: 8, watch: 64 };

type Response = http.IncomingMessage;

/** A kept connection was closed by the server while we began to use it: nothing was done. */
class StaleConnectionError extends Error {
  override readonly name = "StaleConnectionError";
}

/**
 * Requests to one API server with the credentials of a {@link ChosenCluster}.
 *
 * The requests are ours, not the client library's: that one opens a connection pool for each call and reads answers
 * of any size.
 */
export class ApiTransport {
  readonly #cluster: ChosenCluster;
  readonly #pools: ConnectionPools;
  #loading: Promise<CredentialSource> | undefined;

  /** @param limits - Most connections at once. */
  constructor(cluster: ChosenCluster, limits: ConnectionLimits = LIMITS) {
    this.#cluster = cluster;
    this.#pools = new ConnectionPools(cluster.server, limits);
  }

  /**
   * Body of the answer to `request`.
   *
   * @throws ClusterError when the server refuses, cannot be reached or sends too much; the signal's reason on abort.
   */
  async send(request: ApiRequest, signal: AbortSignal): Promise<string> {
    const response = await this.#answer(request, "request", signal);
    try {
      return await readBody(response);
    } catch (error) {
      throw this.#failure(error, signal);
    }
  }

  /**
   * Lines of an answer that goes on for long, as they come. Leaving the loop ends the request.
   *
   * @throws As {@link send}.
   */
  async *lines(request: ApiRequest, signal: AbortSignal): AsyncGenerator<string, void> {
    const response = await this.#answer(request, "watch", signal);
    try {
      // leaving its loop destroys the response, and the request with it
      yield* linesOf(response as AsyncIterable<Buffer>, MAX_LINE_BYTES);
    } catch (error) {
      throw this.#failure(error, signal);
    }
  }

  /** Closes all connections. */
  close(): void {
    this.#pools.close();
  }

  /** The answer, once it is known to be a good one; its body is still to come. */
  async #answer(request: ApiRequest, use: ConnectionUse, signal: AbortSignal): Promise<Response> {
    for (let isFirst = true; ; isFirst = false)
      try {
        return await this.#accepted(request, use, signal);
      } catch (error) {
        const isRefused = error instanceof ClusterError && error.code === "unauthorized";
        // the credentials may have been renewed since they were read
        if (isRefused) this.#loading = undefined;
        if (isFirst && (isRefused || error instanceof StaleConnectionError)) continue;
        throw this.#failure(error, signal);
      }
  }

  async #accepted(request: ApiRequest, use: ConnectionUse, signal: AbortSignal): Promise<Response> {
    const credentials = await orAbort(this.#credentials(), signal);
    if (credentials instanceof ClusterError) throw credentials;
    const response = await this.#exchange(request, credentials, use, signal);
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode <= 299) return response;
    throw statusError(statusCode, await readBody(response));
  }

  async #credentials(): Promise<RequestCredentials | ClusterError> {
    const loading = (this.#loading ??= this.#cluster.load());
    try {
      const source = await loading;
      return await workedOut(source);
    } catch (error) {
      this.#loading = undefined;
      throw error;
    }
  }

  #failure(error: unknown, signal: AbortSignal): Error {
    if (signal.aborted) return signal.reason as Error;
    if (error instanceof ClusterError) return error;
    const cause = error instanceof StaleConnectionError ? error.cause : error;
    return networkError(this.#cluster.server, cause);
  }

  #exchange(
    { method = "GET", path, query = {}, accept = "application/json", body }: ApiRequest,
    credentials: RequestCredentials,
    use: ConnectionUse,
    signal: AbortSignal,
  ): Promise<Response> {
    const url = new URL(this.#cluster.server + path);
    for (const [key, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(key, value);
    const send = url.protocol === "https:" ? https.request : http.request;
    const agent = credentials.agent ?? this.#pools.agent(credentials, use);
    return new Promise((resolve, reject) => {
      const request = send(url, { ...credentials, method, agent, signal }, resolve);
      request.setHeader("accept", accept);
      request.setHeader("user-agent", "kagent");
      request.on("error", (error) => {
        const isReset = "code" in error && error.code === "ECONNRESET";
        // a create must not be sent twice: the first may have arrived
        const isStale = isReset && request.reusedSocket && method !== "POST";
        reject(isStale ? new StaleConnectionError("stale", { cause: error }) : error);
      });
      if (body === undefined) request.end();
      else {
        const bytes = Buffer.from(JSON.stringify(body.json));
        request.setHeader("content-type", body.type);
        // for a DELETE Node sends neither length nor chunks by itself
        request.setHeader("content-length", bytes.length);
        request.end(bytes);
      }
    });
  }
}

/** What `source` gives; on failure without its words: what a command or the client says may hold anything. */
async function workedOut(source: CredentialSource): Promise<RequestCredentials | ClusterError> {
  try {
    return await source();
  } catch (error) {
    if (error instanceof ClusterError) return error;
    return new ClusterError(
      "unauthorized",
      "the kubeconfig's credentials could not be worked out; try its command by hand",
    );
  }
}

async function readBody(response: Response): Promise<string> {
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
