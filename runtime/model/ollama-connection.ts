import type { Ollama } from "ollama";
import type { TlsSettings } from "../api/agent-config.ts";
import type { Clock } from "../process/clock.ts";
import type { OllamaEndpoint } from "./ollama-endpoint.ts";
import { refusal, subjectOf } from "./ollama-errors.ts";
import { boundedBytes, checkedLines } from "./ollama-lines.ts";
import { ProviderConnection } from "./provider-connection.ts";

/** What a connection is opened for. */
export interface ConnectionOptions {
  readonly endpoint: OllamaEndpoint;
  /** Model the requests name, for the error when it is missing. */
  readonly model?: string;
  /** Sent as bearer token: an Ollama behind a proxy, or the vendor's own. */
  readonly apiKey?: string | undefined;
  /** Sent with every request; those of the endpoint win. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly tls?: TlsSettings | undefined;
  /** Longest wait for the connection, name look-up and TLS included. */
  readonly connectMs: number;
  /** Longest wait from the connection to the first piece of an answer. */
  readonly answerMs: number;
  readonly clock: Clock;
}

/** Client for one request to Ollama; one per request, as the client's own `abort()` ends all of its streams. */
export class OllamaConnection {
  /** The client; its requests end with this connection. */
  readonly client: Ollama;
  readonly #connection: ProviderConnection;

  /**
   * Loads the client libraries, which are needed from the first request on, not to start.
   *
   * @throws The signal's reason when it has aborted; nothing is open then.
   */
  static async open(options: ConnectionOptions, signal: AbortSignal): Promise<OllamaConnection> {
    const { endpoint, model, apiKey, headers, tls, connectMs, answerMs, clock } = options;
    const bearer = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
    const { url } = endpoint;
    signal.throwIfAborted();
    const { Ollama: Client } = await import("ollama");
    const connection = await ProviderConnection.open(
      {
        subject: subjectOf(url),
        headers: { ...bearer, ...headers, ...endpoint.headers },
        tls,
        connectMs,
        answerMs,
        refusal: (status, body) => refusal({ url, model, status, body }),
        clock,
      },
      signal,
    );
    return new OllamaConnection(connection, Client, url);
  }

  private constructor(connection: ProviderConnection, Client: typeof Ollama, url: string) {
    this.#connection = connection;
    this.client = new Client({
      host: url,
      fetch: async (input, init) => {
        const response = await connection.fetch(input as string, init);
        const { body } = response;
        if (body === null) return response as unknown as Response;
        const streamed = (input as string).endsWith("/api/chat");
        const unsaid = (text: string): string => connection.unsaid(text);
        const checked = streamed ? checkedLines(body, url, unsaid) : boundedBytes(body, url);
        return connection.response(checked) as unknown as Response;
      },
    });
  }

  /** Starts to count a wait for `what`; any other wait is over. */
  expect(what: string, limitMs: number): void {
    this.#connection.expect(what, limitMs);
  }

  /** Ends the wait that is counted. */
  rest(): void {
    this.#connection.rest();
  }

  /** What the caller is told when a request failed with `error`. */
  failure(error: unknown): unknown {
    return this.#connection.failure(error);
  }

  /** Ends what is under way; safe to call again. */
  close(): void {
    this.#connection.close();
  }
}
