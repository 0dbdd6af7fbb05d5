import * as http from "node:http";
import * as https from "node:https";
import { pipeline } from "node:stream/promises";
import type { Clock } from "../process/clock.ts";

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
/** Answers that have no body; a `Response` refuses to be made with one. */
const EMPTY_STATUSES = new Set([204, 205, 304]);

/** Why a request could not be passed on: its body is too large, or nobody answers there. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
  readonly kind: "too-large" | "unreachable" | "connect-timeout";

  constructor(kind: ProxyError["kind"], options?: ErrorOptions) {
    super(`failed to forward a request (${kind})`, options);
    this.kind = kind;
  }
}

/** One request to pass on. */
export interface ProxyRequest {
  /** From the client; its signal aborts when the client goes away. */
  readonly request: Request;
  readonly target: URL;
  /** Added to what the client sent, or instead of it. */
  readonly headers: Readonly<Record<string, string>>;
  /** Drops the connection to the client: how it learns that an answer broke off in the middle. */
  readonly breakOff: () => void;
}

/** Limits of a proxy. There is none on the whole: an agent's turn takes as long as it takes. */
export interface ProxyOptions {
  readonly clock: Clock;
  /** Largest body of a request in bytes. */
  readonly maxBodyBytes: number;
  /** Longest wait for a connection in milliseconds. */
  readonly connectMs: number;
}

/** Passes HTTP requests on; bodies stream in both directions at the pace of the slower side. */
export class ReverseProxy {
  readonly #options: ProxyOptions;
  // Idle sockets do not keep a process alive, and both agents close them with the server they lead to.
  readonly #http = new http.Agent({ keepAlive: true });
  readonly #https = new https.Agent({ keepAlive: true });

  constructor(options: ProxyOptions) {
    this.#options = options;
  }

  /**
   * The answer of the target, whatever its status, as soon as its head is there.
   *
   * When the client goes away the request to the target is dropped.
   *
   * @throws {ProxyError} The body is too large, or the target cannot be reached.
   */
  async forward({ request, target, headers, breakOff }: ProxyRequest): Promise<Response> {
    const { maxBodyBytes } = this.#options;
    if (Number(request.headers.get("content-length") ?? 0) > maxBodyBytes) {
      throw new ProxyError("too-large");
    }
    const secure = target.protocol === "https:";
    const outgoing = (secure ? https : http).request(target, {
      method: request.method,
      headers: { ...endToEnd(request.headers), ...headers },
      agent: secure ? this.#https : this.#http,
      signal: request.signal,
    });
    this.#limitConnecting(outgoing, secure ? "secureConnect" : "connect");
    const answered = answerOf(outgoing);
    const body: ReadableStream<Uint8Array> | null = request.body;
    let bodyError: unknown;
    const source = bounded(body, maxBodyBytes, (error) => {
      bodyError = error;
    });
    pipeline(source, outgoing).catch(() => undefined); // `answered` tells of it
    try {
      return toResponse(await answered, breakOff);
    } catch (error) {
      request.signal.throwIfAborted();
      const cause = bodyError ?? error;
      throw cause instanceof ProxyError ? cause : new ProxyError("unreachable", { cause });
    }
  }

  #limitConnecting(outgoing: http.ClientRequest, ready: "connect" | "secureConnect"): void {
    const { clock, connectMs } = this.#options;
    const cancel = clock.schedule(connectMs, () => {
      outgoing.destroy(new ProxyError("connect-timeout"));
    });
    outgoing.once("close", cancel);
    outgoing.once("socket", (socket) => {
      if (outgoing.reusedSocket) cancel();
      else socket.once(ready, cancel);
    });
  }
}

function answerOf(outgoing: http.ClientRequest): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  outgoing.once("response", resolve);
  outgoing.on("error", reject); // stays: errors after the answer are the answer's own
  return promise;
}

async function* bounded(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  onTooLarge: (error: ProxyError) => void,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > maxBytes) {
      const error = new ProxyError("too-large");
      onTooLarge(error);
      throw error;
    }
    yield chunk;
  }
}

function endToEnd(headers: Headers): Record<string, string> {
  const named = (headers.get("connection") ?? "").toLowerCase().split(",");
  const dropped = new Set([...HOP_BY_HOP, ...named.map((name) => name.trim())]);
  return Object.fromEntries([...headers].filter(([name]) => !dropped.has(name)));
}

function toResponse(incoming: http.IncomingMessage, breakOff: () => void): Response {
  const status = incoming.statusCode ?? 502;
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    if (HOP_BY_HOP.has(name)) continue;
    for (const value of values ?? []) headers.append(name, value);
  }
  if (EMPTY_STATUSES.has(status)) {
    incoming.resume();
    return new Response(null, { status, headers });
  }
  return new Response(bodyOf(incoming, breakOff), { status, headers });
}

/** The body at the pace of its reader. */
function bodyOf(incoming: http.IncomingMessage, breakOff: () => void): ReadableStream<Uint8Array> {
  let over = false;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const finish = (how: "whole" | "broken") => {
        if (over) return;
        over = true;
        if (how === "broken") breakOff();
        controller.close();
      };
      incoming.on("data", (chunk: Buffer) => {
        if (over) return;
        controller.enqueue(chunk);
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
      });
      incoming.once("end", () => {
        finish("whole");
      });
      incoming.on("error", () => {
        finish("broken");
      });
      incoming.once("close", () => {
        finish("broken");
      });
      incoming.pause();
    },
    pull() {
      incoming.resume();
    },
    cancel() {
      over = true;
      incoming.destroy();
    },
  });
}
