import type {
  Transport,
  TransportSendOptions,
} from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js";
import type { Clock } from "../process/clock.ts";
import { currentExchange, Exchange } from "./exchange.ts";

/** JSON-RPC code the SDK gives to requests of a closed connection. */
const CONNECTION_CLOSED = -32000;
/** 1 s for a server to take note of a cancellation; then the sockets are closed all the same. */
const NOTICE_MS = 1_000;

/** What both client transports of the SDK have; their own types do not fit `exactOptionalPropertyTypes`. */
export interface ClientTransport {
  start(): Promise<void>;
  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void>;
  close(): Promise<void>;
  setProtocolVersion(version: string): void;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: JSONRPCMessage) => void) | undefined;
}

/** Where the answer to a request comes: with its own HTTP answer, or on the one stream of the connection. */
export type AnswerPlace = "own-stream" | "shared-stream";

/**
 * A client transport that ends requests whose answer can no longer come.
 *
 * The SDK waits for its time limit when a server dies in the middle of an answer, and leaves the HTTP
 * request of a cancelled call open. Here the first becomes an error at once, and the second is dropped
 * as soon as the server has been told.
 */
export class TrackedTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  /** The request that opens the session: nobody can {@link carry} it. With SSE it follows the one that opens the stream. */
  handshake = new Exchange({});
  readonly #inner: ClientTransport;
  readonly #answers: AnswerPlace;
  readonly #clock: Clock;
  readonly #waiting = new Map<RequestId, Exchange>();
  /** Each ends the time limit of one cancellation that is being sent. */
  readonly #notices = new Set<() => void>();
  #next: Exchange | undefined;

  constructor(inner: ClientTransport, answers: AnswerPlace, clock: Clock) {
    this.#inner = inner;
    this.#answers = answers;
    this.#clock = clock;
    inner.onclose = () => {
      this.onclose?.();
    };
    inner.onerror = (error) => {
      this.onerror?.(error);
    };
    inner.onmessage = (message) => {
      this.#receive(message);
    };
  }

  /** Runs `send`, which sends one request before it returns; that request is `exchange`. */
  carry<T>(exchange: Exchange, send: () => T): T {
    this.#next = exchange;
    try {
      return send();
    } finally {
      this.#next = undefined;
    }
  }

  start(): Promise<void> {
    return currentExchange.run(this.handshake, () => this.#inner.start());
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if ("method" in message && "id" in message) {
      await this.#sendRequest(message.id, message, options);
      return;
    }
    const cancelled = this.#cancelled(message);
    if (cancelled === undefined) {
      await currentExchange.exit(() => this.#inner.send(message, options));
      return;
    }
    await this.#sendNotice(message, cancelled);
  }

  /** Ends every request under way with an error. */
  breakOff(): void {
    for (const id of [...this.#waiting.keys()]) this.#lose(id);
  }

  close(): Promise<void> {
    for (const giveUp of this.#notices) giveUp();
    return this.#inner.close();
  }

  setProtocolVersion(version: string): void {
    this.#inner.setProtocolVersion(version);
  }

  async #sendRequest(
    id: RequestId,
    message: JSONRPCMessage,
    options: TransportSendOptions | undefined,
  ): Promise<void> {
    const opens = "method" in message && message.method === "initialize";
    const exchange = opens ? (this.handshake = new Exchange({})) : this.#next;
    if (exchange === undefined) {
      await currentExchange.exit(() => this.#inner.send(message, options));
      return;
    }
    this.#waiting.set(id, exchange);
    exchange.onEnded = () => {
      if (this.#answers === "shared-stream") return;
      // The SDK hands on what it has read in microtasks: after a macrotask nothing more can come.
      setImmediate(() => {
        if (!exchange.resumable) this.#lose(id);
      });
    };
    const onresumptiontoken = () => {
      exchange.resumable = true;
    };
    try {
      await currentExchange.run(exchange, () =>
        this.#inner.send(message, { ...options, onresumptiontoken }),
      );
    } catch (error) {
      this.#waiting.delete(id);
      throw error;
    }
  }

  /** Tells the server that `cancelled` is of no interest any more, then drops its HTTP request. */
  async #sendNotice(message: JSONRPCMessage, cancelled: Exchange): Promise<void> {
    const notice = new Exchange({});
    const drop = () => {
      notice.hangUp();
      cancelled.hangUp();
    };
    const giveUp = this.#clock.schedule(NOTICE_MS, drop);
    this.#notices.add(giveUp);
    try {
      await currentExchange.run(notice, () => this.#inner.send(message));
    } finally {
      giveUp();
      this.#notices.delete(giveUp);
      drop();
    }
  }

  #receive(message: JSONRPCMessage): void {
    if (!("method" in message) && message.id !== undefined) this.#waiting.delete(message.id);
    this.onmessage?.(message);
  }

  #cancelled(message: JSONRPCMessage): Exchange | undefined {
    if (!("method" in message) || message.method !== "notifications/cancelled") return undefined;
    const id = message.params?.["requestId"];
    if (typeof id !== "string" && typeof id !== "number") return undefined;
    const exchange = this.#waiting.get(id);
    this.#waiting.delete(id);
    return exchange;
  }

  #lose(id: RequestId): void {
    const exchange = this.#waiting.get(id);
    if (exchange === undefined) return;
    exchange.lost = true;
    this.#waiting.delete(id);
    const error = { code: CONNECTION_CLOSED, message: "the answer ended without a result" };
    this.onmessage?.({ jsonrpc: "2.0", id, error });
  }
}
