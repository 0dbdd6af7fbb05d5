import * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import type { Clock } from "./clock.ts";

/** Headers that concern one hop only (RFC 9110 section 7.6.1), and `Expect`, which our server answers. */
const HOP_BY_HOP = new Set([
  "connection",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** 30 s of silence until the kernel asks whether the other machine is still there. */
const TCP_PROBE_MS = 30_000;
/** 1 s until an idle connection is closed: long before any server does, which would cut a request that is just sent. */
const IDLE_MS = 1_000;
/** 3 s after which an idle connection is not used, where this process was too busy to close it; Node's servers keep 5 s. */
const STALE_MS = 3_000;
/** What keeps an idle event stream open; an event of its own, so only ever sent between two. */
const COMMENT = ": keep-alive\n\n";
const LINE_FEED = 0x0a;

/** Why a request got no answer to pass on; nothing was sent to the client. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
  /**
   * `too-large`: the body; `unreachable`, `connect-timeout`: never connected, the target has seen nothing of it;
   * `no-answer`: the connection broke before the answer began.
   */
  readonly kind: "too-large" | "unreachable" | "connect-timeout" | "no-answer";

  constructor(kind: ProxyError["kind"], options?: ErrorOptions) {
    super(`failed to forward a request (${kind})`, options);
    this.kind = kind;
  }

  /** Whether the target has seen nothing of the request: it may be sent again. */
  get unseen(): boolean {
    return this.kind === "unreachable" || this.kind === "connect-timeout";
  }
}

/** One request to pass on. */
export interface Forwarding {
  /** From the client. */
  readonly incoming: http.IncomingMessage;
  /** To the client. */
  readonly outgoing: http.ServerResponse;
  readonly target: URL;
  /** All that is sent, see {@link endToEnd}. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** The body, read already; absent: it is streamed from `incoming`. */
  readonly body?: Uint8Array;
}

/** Limits of a proxy. There is none on the whole: an agent's turn takes as long as it takes. */
export interface HttpProxyOptions {
  readonly clock: Clock;
  /** Largest body that is streamed, in bytes. */
  readonly maxBodyBytes: number;
  /** Longest wait for a connection in milliseconds. */
  readonly connectMs: number;
  /** Silence of an event stream after which a comment goes out, in milliseconds; unset: none does. */
  readonly commentMs?: number;
}

/** Headers of a request that go beyond this hop; names in lower case. */
export function endToEnd(headers: http.IncomingHttpHeaders): Record<string, string | string[]> {
  const named = headers.connection?.toLowerCase().split(",") ?? [];
  const dropped = new Set(named.map((name) => name.trim()));
  const kept: Record<string, string | string[]> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || HOP_BY_HOP.has(name) || dropped.has(name)) continue;
    kept[name] = value;
  }
  return kept;
}

/** Passes HTTP requests on; bodies stream in both directions at the pace of the slower side. */
export class HttpProxy {
  readonly #options: HttpProxyOptions;
  // Idle sockets do not keep a process alive, and both agents close them with the server they lead to.
  readonly #http = new http.Agent({ keepAlive: true, keepAliveInitialDelay: TCP_PROBE_MS });
  readonly #https = new https.Agent({ keepAlive: true, keepAliveInitialDelay: TCP_PROBE_MS });
  /** When a connection was last free, in monotonic milliseconds. */
  readonly #freedAt = new WeakMap<Socket, number>();

  constructor(options: HttpProxyOptions) {
    this.#options = options;
    for (const agent of [this.#http, this.#https])
      agent.on("free", (socket: Socket) => {
        this.#freedAt.set(socket, options.clock.monotonic());
        socket.setTimeout(IDLE_MS); // the agent closes free sockets that time out, and no others
      });
  }

  /**
   * Answers the client with what the target answers, whatever its status. Resolves when the answer has begun; its body
   * follows. When either side breaks off, so does the other.
   *
   * @throws ProxyError, as long as nothing was sent to the client. A client that has left is no error.
   */
  async forward(forwarding: Forwarding): Promise<void> {
    const { incoming, outgoing, body } = forwarding;
    const { maxBodyBytes } = this.#options;
    const declared = Number(incoming.headers["content-length"] ?? 0);
    if (body === undefined && declared > maxBodyBytes) throw new ProxyError("too-large");
    const request = this.#request(forwarding);
    const clientLeft = (): void => {
      request.destroy();
    };
    outgoing.once("close", clientLeft);
    if (outgoing.destroyed) clientLeft();
    const connection = this.#connection(request);
    try {
      const answered = answerOf(request);
      if (body === undefined) pump(incoming, request, maxBodyBytes);
      else request.end(body);
      const answer = await answered;
      // the request has done its part: a client that leaves from here on is the answer's business
      outgoing.off("close", clientLeft);
      this.#answer(answer, outgoing);
    } catch (error) {
      outgoing.off("close", clientLeft);
      if (outgoing.destroyed) return;
      if (error instanceof ProxyError) throw error;
      throw new ProxyError(connection.made ? "no-answer" : "unreachable", { cause: error });
    }
  }

  #request({ incoming, target, headers }: Forwarding): http.ClientRequest {
    const secure = target.protocol === "https:";
    const agent = secure ? this.#https : this.#http;
    this.#dropStale(agent);
    return (secure ? https : http).request({
      protocol: target.protocol,
      hostname: target.hostname.replaceAll(/[[\]]/g, ""),
      port: target.port,
      path: `${target.pathname}${target.search}`,
      method: incoming.method,
      headers: headers as http.OutgoingHttpHeaders,
      agent,
    });
  }

  /** Closes idle connections that were to be closed long ago: their server may be closing them at this moment. */
  #dropStale({ freeSockets }: http.Agent): void {
    const oldest = this.#options.clock.monotonic() - STALE_MS;
    for (const name in freeSockets)
      for (const socket of freeSockets[name] ?? [])
        if ((this.#freedAt.get(socket) ?? 0) <= oldest) socket.destroy();
  }

  /** Watches a connection being made, for `connectMs` at most. */
  #connection(request: http.ClientRequest) {
    const ready = request.protocol === "https:" ? "secureConnect" : "connect";
    const connection = { made: false };
    const { clock, connectMs } = this.#options;
    const disarm = clock.schedule(connectMs, () => {
      request.destroy(new ProxyError("connect-timeout"));
    });
    const made = (): void => {
      connection.made = true;
      disarm();
    };
    request.once("close", disarm);
    request.once("socket", (socket: Socket) => {
      if (request.reusedSocket) made();
      else socket.once(ready, made);
    });
    return connection;
  }

  #answer(answer: http.IncomingMessage, outgoing: http.ServerResponse): void {
    if (outgoing.destroyed) {
      answer.destroy();
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 502, endToEndPairs(answer.rawHeaders));
    // the head of a stream must not wait for its first byte
    if (answer.headers["content-length"] === undefined) outgoing.flushHeaders();
    const { commentMs } = this.#options;
    const isStream = commentMs !== undefined && isPlainEventStream(answer.headers);
    const stopComments = isStream ? this.#comments(answer, outgoing, commentMs) : undefined;
    relay(answer, outgoing);
    outgoing.once("close", () => {
      stopComments?.();
      if (!answer.complete) answer.destroy();
    });
  }

  /** Sends a comment whenever the stream was silent between two events for `ms`. @returns What ends that. */
  #comments(answer: http.IncomingMessage, outgoing: http.ServerResponse, ms: number): () => void {
    const { clock } = this.#options;
    let heard = false;
    let last = LINE_FEED;
    let beforeLast = LINE_FEED;
    answer.on("data", (chunk: Buffer) => {
      heard = true;
      beforeLast = chunk.length > 1 ? (chunk[chunk.length - 2] ?? 0) : last;
      last = chunk[chunk.length - 1] ?? last;
    });
    let stop = (): void => undefined;
    const beat = (): void => {
      const between = last === LINE_FEED && beforeLast === LINE_FEED;
      // a client that does not read has its own trouble: more for it would only fill our memory
      if (!heard && between && !outgoing.writableNeedDrain) outgoing.write(COMMENT);
      heard = false;
      stop = clock.schedule(ms, beat);
    };
    stop = clock.schedule(ms, beat);
    return () => {
      stop();
    };
  }
}

function answerOf(request: http.ClientRequest): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const closed = (): void => {
    reject(new Error("the connection was closed"));
  };
  request.once("response", (answer) => {
    request.off("close", closed);
    resolve(answer);
  });
  request.on("error", reject); // stays: errors after the answer are the answer's own
  request.once("close", closed);
  return promise;
}

/** The client's body as it comes; one that turns out to be too large ends the request. */
function pump(from: http.IncomingMessage, to: http.ClientRequest, maxBytes: number): void {
  let size = 0;
  from.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) {
      from.pause();
      to.destroy(new ProxyError("too-large"));
    } else if (!to.write(chunk)) from.pause();
  });
  to.on("drain", () => {
    from.resume();
  });
  from.once("end", () => {
    to.end();
  });
}

/** Passes a body on. A source that breaks off breaks the sink off: half an answer must not look like a whole one. */
function relay(from: http.IncomingMessage, to: http.ServerResponse): void {
  const resume = (): void => {
    from.resume();
  };
  from.on("data", (chunk: Buffer) => {
    if (to.write(chunk)) return;
    from.pause();
    to.once("drain", resume);
  });
  from.once("end", () => {
    to.end();
  });
  const broke = (): void => {
    if (!from.readableEnded) to.destroy();
  };
  from.on("error", broke);
  from.once("close", broke);
}

function isPlainEventStream(headers: http.IncomingHttpHeaders): boolean {
  const type = headers["content-type"];
  return (
    type?.startsWith("text/event-stream") === true && headers["content-encoding"] === undefined
  );
}

/** Raw headers without those of one hop, as `writeHead` takes them. */
function endToEndPairs(raw: readonly string[]): string[] {
  const pairs: string[] = [];
  let named: readonly string[] = [];
  for (let at = 0; at < raw.length; at += 2)
    if (raw[at]?.toLowerCase() === "connection")
      named = (raw[at + 1] ?? "")
        .toLowerCase()
        .split(",")
        .map((name) => name.trim());
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] ?? "").toLowerCase();
    if (!HOP_BY_HOP.has(name) && !named.includes(name))
      pairs.push(raw[at] ?? "", raw[at + 1] ?? "");
  }
  return pairs;
}
