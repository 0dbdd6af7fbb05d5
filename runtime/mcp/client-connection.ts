import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  type ClientRequest,
  type Implementation,
  McpError,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv";
import type * as z from "zod";
import type { TlsSettings } from "../api/agent-config.ts";
import type { Clock } from "../process/clock.ts";
import type { CallLimit } from "./call-limit.ts";
import { currentExchange, Exchange } from "./exchange.ts";
import { SocketFetch } from "./socket-fetch.ts";
import type { ToolProgress } from "./tool-provider.ts";
import { type ClientTransport, TrackedTransport } from "./tracked-transport.ts";
import { RemoteError, WireError } from "./wire-failure.ts";

/** Longer than any limit of ours: the SDK's own timer must not fire first (2^31 - 1 ms, the most a timer takes). */
const NEVER_MS = 2_147_483_647;
/** Codes of a connection that broke after the request may have been sent. */
const BROKEN = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED"]);
/** One for all clients: it is there for elicitation, which ours never offer. */
const validator = new AjvJsonSchemaValidator();

/** What a connection leads to and what it is told to do. */
export interface ConnectionOptions {
  readonly url: URL;
  readonly protocol: "STREAMABLE_HTTP" | "SSE";
  /** Sent with every request of the connection. */
  readonly headers: Readonly<Record<string, string>>;
  /** How the server's certificate is verified. */
  readonly tls?: TlsSettings | undefined;
  /** How the client introduces itself. */
  readonly client: Implementation;
  readonly clock: Clock;
  /** The server says that its tools are other ones now. */
  readonly onToolsChanged: () => void;
  /** No further answer can come over the connection; it has retired. */
  readonly onBroken: (connection: Connection) => void;
}

/** One request over a connection. */
export interface ConnectionRequest<S extends z.ZodType> {
  readonly request: ClientRequest;
  /** What the answer has to be. */
  readonly schema: S;
  /** Headers of this request alone. */
  readonly headers: Readonly<Record<string, string>>;
  readonly limit: CallLimit;
  readonly onProgress?: ((progress: ToolProgress) => void) | undefined;
}

/** A session with one MCP server. */
export class Connection {
  readonly #client: Client;
  readonly #inner: OpenedTransport;
  readonly #transport: TrackedTransport;
  readonly #sockets: SocketFetch;
  readonly #clock: Clock;
  #requests = 0;
  #retired = false;

  private constructor(options: ConnectionOptions, sockets: SocketFetch, inner: OpenedTransport) {
    const { clock, protocol } = options;
    this.#clock = clock;
    this.#sockets = sockets;
    this.#inner = inner;
    const answers = protocol === "SSE" ? "shared-stream" : "own-stream";
    this.#transport = new TrackedTransport(inner.transport, answers, clock);
    this.#client = new Client(options.client, { jsonSchemaValidator: validator });
    this.#client.setNotificationHandler(ToolListChangedNotificationSchema, options.onToolsChanged);
    this.#client.onerror = (error) => {
      if (!inner.isFatal(error)) return;
      this.#transport.breakOff();
      this.retire();
      options.onBroken(this);
    };
  }

  /**
   * Connects and shakes hands.
   *
   * @throws {WireError} No answer, or an HTTP status that says no; the SDK's errors when the answer is
   * not MCP; the limit's reason.
   */
  static async open(options: ConnectionOptions, limit: CallLimit): Promise<Connection> {
    const sockets = new SocketFetch(options.url, options.tls, () => currentExchange.getStore());
    const connection = new Connection(
      options,
      sockets,
      await openTransport(options, sockets.fetch),
    );
    try {
      await limit.race(
        connection.#client.connect(connection.#transport, {
          signal: limit.signal,
          timeout: NEVER_MS,
        }),
      );
      if (connection.isRetired) throw new WireError(0, false, { cause: undefined });
      return connection;
    } catch (error) {
      await connection.drop();
      throw limit.signal.aborted
        ? limit.signal.reason
        : wireError(connection.#transport.handshake, error);
    }
  }

  /** Whether the server keeps a session that can get lost. */
  get hasSession(): boolean {
    return this.#inner.hasSession();
  }

  /**
   * One request.
   *
   * @throws {WireError} No answer, or an HTTP status that says no; {@link RemoteError} when the server
   * answered with an error; a `ZodError` when the answer is not what `schema` asks for; the limit's reason.
   */
  async request<S extends z.ZodType>(ask: ConnectionRequest<S>): Promise<z.output<S>> {
    const { limit, onProgress } = ask;
    const exchange = new Exchange(ask.headers);
    const stop = new AbortController(); // the SDK listens to it for good: it must be this request's own
    const abandon = () => {
      stop.abort();
    };
    limit.signal.throwIfAborted();
    limit.signal.addEventListener("abort", abandon, { once: true });
    limit.start("idle");
    this.#requests += 1;
    try {
      return await this.#transport.carry(exchange, () =>
        this.#client.request(ask.request, ask.schema, {
          signal: stop.signal,
          timeout: NEVER_MS,
          onprogress: (progress) => {
            limit.start("idle");
            onProgress?.(progressOf(progress));
          },
        }),
      );
    } catch (error) {
      throw limit.signal.aborted ? limit.signal.reason : wireError(exchange, error);
    } finally {
      limit.stop("idle");
      limit.signal.removeEventListener("abort", abandon);
      this.#requests -= 1;
      if (this.#retired) this.retire();
    }
  }

  /** Whether {@link retire} was called. */
  get isRetired(): boolean {
    return this.#retired;
  }

  /** Drops the connection as soon as no request is under way; there must be no new ones. */
  retire(): void {
    this.#retired = true;
    if (this.#requests === 0) void this.drop();
  }

  /** Ends the session at the server, for at most `limitMs`, and drops the connection. */
  async close(limitMs: number): Promise<void> {
    const late = Promise.withResolvers<undefined>();
    const cancel = this.#clock.schedule(limitMs, () => {
      late.resolve(undefined);
    });
    const ended = this.#inner.endSession().catch(() => undefined); // it ends anyway when it is idle
    await Promise.race([ended, late.promise]);
    cancel();
    await this.drop();
  }

  /** Drops the connection without a word; requests under way fail. */
  async drop(): Promise<void> {
    await this.#client.close();
    await this.#inner.transport.close(); // the client forgets a transport that did not start
    this.#sockets.close();
  }
}

/** A transport of the SDK with what its type does not tell. */
interface OpenedTransport {
  readonly transport: ClientTransport;
  readonly hasSession: () => boolean;
  readonly endSession: () => Promise<void>;
  /** Whether an error of the transport means that no further answer can come. */
  readonly isFatal: (error: Error) => boolean;
}

/** `client/sse.js` as far as it is used: the class is marked deprecated, the servers that speak it are not gone. */
interface SseModule {
  readonly SSEClientTransport: new (
    url: URL,
    options: { readonly fetch: FetchLike; readonly requestInit: RequestInit },
  ) => ClientTransport;
  readonly SseError: new (...args: never) => Error;
}

async function openTransport(
  options: ConnectionOptions,
  fetch: FetchLike,
): Promise<OpenedTransport> {
  const init = { fetch, requestInit: { headers: options.headers } };
  if (options.protocol === "SSE") {
    const sse: SseModule = await import("@modelcontextprotocol/sdk/client/sse.js");
    return {
      transport: new sse.SSEClientTransport(options.url, init),
      hasSession: () => true,
      endSession: () => Promise.resolve(),
      // The SDK would open another stream, whose session the server does not know.
      isFatal: (error) => error instanceof sse.SseError,
    };
  }
  const { StreamableHTTPClientTransport } = await import(
    "@modelcontextprotocol/sdk/client/streamableHttp.js"
  );
  const transport = new StreamableHTTPClientTransport(options.url, init);
  return {
    transport,
    hasSession: () => transport.sessionId !== undefined,
    endSession: () => transport.terminateSession(),
    isFatal: () => false,
  };
}

/** `error` as one of ours if it came from the wire, else as it is. */
function wireError({ status, failure, lost }: Exchange, error: unknown): unknown {
  const cause = failure ?? error;
  const brokeOff = failure !== undefined && status > 0;
  if (lost || brokeOff) return new WireError(status, true, { cause });
  if (status >= 300) return new WireError(status, false, { cause });
  if (failure !== undefined) return new WireError(0, BROKEN.has(codeOf(failure)), { cause });
  // An event stream that ended before it said where to send requests.
  if (error instanceof Error && "event" in error) return new WireError(0, false, { cause });
  return error instanceof McpError ? new RemoteError(error.code, error.message, { cause }) : error;
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

/** Progress without the fields that are absent. */
function progressOf(update: {
  readonly progress: number;
  readonly total?: number | undefined;
  readonly message?: string | undefined;
}): ToolProgress {
  const { progress, total, message } = update;
  return {
    progress,
    ...(total === undefined ? {} : { total }),
    ...(message === undefined ? {} : { message }),
  };
}
