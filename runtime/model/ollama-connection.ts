import type { Socket } from "node:net";
import type { Ollama } from "ollama";
import type { Agent, buildConnector, Response as UndiciResponse } from "undici";
import type { Clock } from "../process/clock.ts";
import { ModelError } from "./chat-model.ts";
import type { OllamaEndpoint } from "./ollama-endpoint.ts";
import { connectionFailure, refusal } from "./ollama-errors.ts";
import { checkedLines } from "./ollama-lines.ts";

/** 64 KiB of an error's body are read: its first sentence is all that is used. */
const MAX_ERROR_BYTES = 64 * 1024;

/**
 * undici's connector, which returns the socket although its type does not say so: one that is still
 * connecting belongs to nobody otherwise, and would outlive the request.
 */
type Connect = (to: buildConnector.Options, done: buildConnector.Callback) => Socket;

/** What a connection is opened for. */
export interface ConnectionOptions {
  readonly endpoint: OllamaEndpoint;
  /** Model the requests name, for the error when it is missing. */
  readonly model?: string;
  /** Longest wait for the connection, name look-up and TLS included. */
  readonly connectMs: number;
  /** Longest wait from the connection to the first piece of an answer. */
  readonly answerMs: number;
  readonly clock: Clock;
}

/**
 * Client for one request to Ollama, with what npm `ollama` lacks: an abort that works before the
 * headers too, time limits, and errors that say what failed.
 *
 * One per request, as the client's own `abort()` ends all of its streams. Both `fetch` and the agent
 * are undici's: Node's own `fetch` gives up after 300 s without headers and refuses a foreign agent.
 */
export class OllamaConnection {
  /** The client; its requests end with this connection. */
  readonly client: Ollama;
  readonly #options: ConnectionOptions;
  readonly #signal: AbortSignal;
  readonly #agent: Agent;
  readonly #ending = new AbortController();
  readonly #sockets: Set<Socket>;
  #cancelWait: () => void = () => undefined;

  /**
   * Loads the client libraries, which are needed from the first request on, not to start.
   *
   * @throws The signal's reason when it has aborted; nothing is open then.
   */
  static async open(options: ConnectionOptions, signal: AbortSignal): Promise<OllamaConnection> {
    signal.throwIfAborted();
    const [undici, ollama] = await Promise.all([import("undici"), import("ollama")]);
    signal.throwIfAborted();
    return new OllamaConnection(options, { undici, ollama }, signal);
  }

  private constructor(
    options: ConnectionOptions,
    libraries: {
      readonly undici: typeof import("undici");
      readonly ollama: typeof import("ollama");
    },
    signal: AbortSignal,
  ) {
    const { undici, ollama } = libraries;
    this.#options = options;
    this.#signal = signal;
    this.#sockets = new Set();
    const connect = undici.buildConnector({ timeout: 0 }) as unknown as Connect;
    this.#agent = new undici.Agent({
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (to, done) => {
        this.#connect(connect, to, done);
      },
    });
    signal.addEventListener("abort", this.#abort, { once: true });
    this.client = new ollama.Ollama({
      host: options.endpoint.url,
      fetch: (input, init) => this.#fetch(undici, input as string, init),
    });
  }

  /** Starts to count a wait for `what`; any other wait is over. */
  expect(what: string, limitMs: number): void {
    this.#cancelWait();
    this.#cancelWait = this.#options.clock.schedule(limitMs, () => {
      const { url } = this.#options.endpoint;
      this.#ending.abort(
        new ModelError(`Ollama at ${url} timed out: no ${what} within ${limitMs} ms`, {
          code: "timeout",
          retryable: what === "connection",
        }),
      );
    });
  }

  /** Ends the wait that is counted. */
  rest(): void {
    this.#cancelWait();
    this.#cancelWait = () => undefined;
  }

  /** What the caller is told when a request failed with `error`. */
  failure(error: unknown): unknown {
    if (this.#signal.aborted) return this.#signal.reason;
    if (this.#ending.signal.aborted) return this.#ending.signal.reason;
    return connectionFailure(this.#options.endpoint.url, error);
  }

  /** Ends what is under way; safe to call again. */
  close(): void {
    this.rest();
    this.#signal.removeEventListener("abort", this.#abort);
    this.#ending.abort(new Error("closed"));
    for (const socket of this.#sockets) socket.destroy();
    void this.#agent.destroy();
  }

  readonly #abort = (): void => {
    this.rest();
    this.#ending.abort(this.#signal.reason);
  };

  #connect(connect: Connect, to: buildConnector.Options, done: buildConnector.Callback): void {
    this.expect("connection", this.#options.connectMs);
    const socket = connect(to, (...result) => {
      if (result[0] === null) this.expect("answer", this.#options.answerMs);
      done(...result);
    });
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  async #fetch(
    undici: typeof import("undici"),
    url: string,
    init: RequestInit | undefined,
  ): Promise<Response> {
    const { endpoint, model } = this.#options;
    const response = await undici.fetch(url, {
      method: init?.method ?? "GET",
      headers: { ...(init?.headers as Record<string, string>), ...endpoint.headers },
      ...(typeof init?.body === "string" && { body: init.body }),
      redirect: "manual", // a redirected POST would come back as a GET
      signal: this.#ending.signal,
      dispatcher: this.#agent,
    });
    if (!response.ok)
      throw refusal({
        url: endpoint.url,
        model,
        status: response.status,
        body: await beginning(response),
      });
    const streamed = url.endsWith("/api/chat") && response.body !== null;
    const checked = streamed
      ? new undici.Response(ReadableStream.from(checkedLines(response.body, endpoint.url)))
      : response;
    return checked as unknown as Response;
  }
}

async function beginning(response: UndiciResponse): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes as Uint8Array, { stream: true });
    if (text.length >= MAX_ERROR_BYTES) break;
  }
  return text;
}
