import type { Socket } from "node:net";
import type { Agent, buildConnector, Response as UndiciResponse } from "undici";
import type { TlsSettings } from "../api/agent-config.ts";
import type { Clock } from "../process/clock.ts";
import { upstreamTls } from "../process/upstream-tls.ts";
import { ModelError } from "./chat-model.ts";
import { connectionFailure, refusalOf } from "./provider-errors.ts";

/** 64 KiB of an error's body are read: its first sentence is all that is used. */
const MAX_ERROR_BYTES = 64 * 1024;

/** 8 characters: shorter words of headers are schemes and numbers, which keep nobody out. */
const MIN_SECRET = 8;

/**
 * undici's connector, which returns the socket although its type does not say so: one that is still
 * connecting belongs to nobody otherwise, and would outlive the request.
 */
type Connect = (to: buildConnector.Options, done: buildConnector.Callback) => Socket;

/** What a connection is opened for. */
export interface ProviderConnectionOptions {
  /** The provider and its address for people, e.g. `Ollama at http://127.0.0.1:11434`. */
  readonly subject: string;
  /** Added to every request, or instead of what the client library sends. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls?: TlsSettings | undefined;
  /** Longest wait for the connection, name look-up and TLS included. */
  readonly connectMs: number;
  /** Longest wait from the connection to the first piece of an answer. */
  readonly answerMs: number;
  /** Error for an answer with a status other than 2xx; a sentence about the status unless set. */
  readonly refusal?: (status: number, body: string) => ModelError;
  readonly clock: Clock;
}

/**
 * The connection of one request to a provider of models, with what their client libraries lack: an abort
 * that works before the headers too, time limits, TLS settings, and errors that say what failed.
 *
 * Both `fetch` and the agent are undici's: Node's own `fetch` gives up after 300 s without headers and
 * refuses a foreign agent.
 */
export class ProviderConnection {
  readonly #options: ProviderConnectionOptions;
  readonly #undici: typeof import("./http-library.ts");
  readonly #signal: AbortSignal;
  readonly #agent: Agent;
  readonly #ending = new AbortController();
  readonly #sockets = new Set<Socket>();
  #cancelWait: () => void = () => undefined;
  #authorization: string | undefined;

  /**
   * Loads the HTTP library, which is needed from the first request on, not to start.
   *
   * @throws The signal's reason when it has aborted; nothing is open then.
   */
  static async open(
    options: ProviderConnectionOptions,
    signal: AbortSignal,
  ): Promise<ProviderConnection> {
    signal.throwIfAborted();
    const { Agent, buildConnector, fetch, Response } = await import("./http-library.ts");
    signal.throwIfAborted();
    return new ProviderConnection(options, { Agent, buildConnector, fetch, Response }, signal);
  }

  private constructor(
    options: ProviderConnectionOptions,
    undici: typeof import("./http-library.ts"),
    signal: AbortSignal,
  ) {
    this.#options = options;
    this.#undici = undici;
    this.#signal = signal;
    const connector = { timeout: 0, ...upstreamTls(options.tls) };
    const connect = undici.buildConnector(connector) as unknown as Connect;
    this.#agent = new undici.Agent({
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (to, done) => {
        this.#connect(connect, to, done);
      },
    });
    signal.addEventListener("abort", this.#abort, { once: true });
  }

  /** Starts to count a wait for `what`; any other wait is over. */
  expect(what: string, limitMs: number): void {
    this.#cancelWait();
    this.#cancelWait = this.#options.clock.schedule(limitMs, () => {
      this.#ending.abort(
        new ModelError(`${this.#options.subject} timed out: no ${what} within ${limitMs} ms`, {
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
    return connectionFailure(this.#options.subject, error);
  }

  /** Ends what is under way; safe to call again. */
  close(): void {
    this.rest();
    this.#signal.removeEventListener("abort", this.#abort);
    this.#ending.abort(new Error("closed"));
    for (const socket of this.#sockets) socket.destroy();
    void this.#agent.destroy();
  }

  /**
   * Sends one request on this connection.
   *
   * @throws ModelError for an answer with a status other than 2xx; whatever breaks the connection.
   */
  async fetch(url: string, init: RequestInit | undefined): Promise<UndiciResponse> {
    const { subject, refusal } = this.#options;
    const headers = { ...(init?.headers as Record<string, string>), ...this.#options.headers };
    this.#authorization = headers["authorization"];
    const response = await this.#undici.fetch(url, {
      method: init?.method ?? "GET",
      headers,
      ...(typeof init?.body === "string" && { body: init.body }),
      redirect: "manual", // a redirected POST would come back as a GET
      signal: this.#ending.signal,
      dispatcher: this.#agent,
    });
    if (response.ok) return response;
    const body = this.unsaid(await beginning(response));
    throw refusal?.(response.status, body) ?? refusalOf(subject, response.status, body);
  }

  /** The words of a server without what it was sent to prove who asks: servers quote the keys that they refuse. */
  unsaid(text: string): string {
    const values = [this.#authorization ?? "", ...Object.values(this.#options.headers)];
    return values
      .flatMap((value) => value.split(/\s+/))
      .filter((word) => word.length >= MIN_SECRET)
      .sort((a, b) => b.length - a.length)
      .reduce((rest, word) => rest.replaceAll(word, "***"), text);
  }

  /** A body that comes from `pieces` instead of the wire. */
  response(pieces: AsyncIterable<Uint8Array>): UndiciResponse {
    return new this.#undici.Response(ReadableStream.from(pieces));
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
