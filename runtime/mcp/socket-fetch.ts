import * as http from "node:http";
import * as https from "node:https";
import type { TlsSettings } from "../api/agent-config.ts";
import { upstreamTls } from "../process/upstream-tls.ts";
import type { Exchange } from "./exchange.ts";
import { AnswerTooLargeError } from "./wire-failure.ts";

/** 16 MiB for one JSON answer or one event of a stream: bounds memory per call. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** Answers without a body; a `Response` refuses to be made with one. */
const EMPTY_STATUSES = new Set([202, 204, 205, 304]);

/**
 * `fetch` over sockets of its own.
 *
 * Node's own `fetch` keeps sockets in a pool that cannot be closed and gives up after 300 s of silence;
 * this one leaves time limits to its caller, never follows redirects (the SDK follows those within the
 * origin), and `close` destroys every socket, used or idle.
 */
export class SocketFetch {
  readonly #url: URL;
  readonly #agent: http.Agent;
  readonly #exchange: () => Exchange | undefined;

  /**
   * @param url - Server the sockets lead to; other origins are refused.
   * @param tls - How its certificate is verified.
   * @param exchange - The request under way in the current asynchronous context, told of its progress.
   */
  constructor(url: URL, tls: TlsSettings | undefined, exchange: () => Exchange | undefined) {
    this.#url = url;
    this.#agent =
      url.protocol === "https:"
        ? new https.Agent({ keepAlive: true, ...upstreamTls(tls) })
        : new http.Agent({ keepAlive: true });
    this.#exchange = exchange;
  }

  /** Destroys all sockets; answers under way end with an error. */
  close(): void {
    this.#agent.destroy();
  }

  /**
   * One HTTP request; resolves with the head of the answer.
   *
   * @throws System errors (`ECONNREFUSED`, ...), or an `AbortError` on the signal. No HTTP status throws.
   */
  readonly fetch = (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input);
    if (url.origin !== this.#url.origin) {
      return Promise.reject(new TypeError("the request leaves the origin of its tool server"));
    }
    const exchange = this.#exchange()?.claim();
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const request = (url.protocol === "https:" ? https : http).request(url, {
      method: init.method ?? "GET",
      headers: { ...Object.fromEntries(new Headers(init.headers)), ...exchange?.headers },
      agent: this.#agent,
      ...(init.signal ? { signal: init.signal } : {}),
    });
    exchange?.onHangUp(() => request.destroy());
    request.once("error", (error) => {
      exchange?.failed(error);
      reject(error);
    });
    request.once("response", (incoming) => {
      exchange?.answered(incoming.statusCode ?? 0);
      resolve(responseOf(incoming, exchange));
    });
    request.end(typeof init.body === "string" ? init.body : undefined);
    return promise;
  };
}

function responseOf(incoming: http.IncomingMessage, exchange: Exchange | undefined): Response {
  const status = incoming.statusCode ?? 0;
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const one of Array.isArray(value) ? value : [value ?? ""]) headers.append(name, one);
  }
  if (!EMPTY_STATUSES.has(status)) {
    return new Response(bodyOf(incoming, exchange), { status, headers });
  }
  incoming.resume(); // an unread body would keep the socket from being used again
  exchange?.ended();
  return new Response(null, { status, headers });
}

/** The body with back-pressure and a bound; tells `exchange` when it ended, however it ended. */
function bodyOf(
  incoming: http.IncomingMessage,
  exchange: Exchange | undefined,
): ReadableStream<Uint8Array> {
  const limit = new AnswerLimit(incoming.headers["content-type"]);
  let finish: () => void = () => undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const take = (chunk: Buffer) => {
        if (!limit.admits(chunk)) {
          incoming.destroy(new AnswerTooLargeError(MAX_ANSWER_BYTES));
          return;
        }
        controller.enqueue(new Uint8Array(chunk));
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
      };
      const onEnd = () => {
        finish();
        controller.close();
      };
      const onError = (error: Error) => {
        exchange?.failed(error);
        finish();
        controller.error(error);
      };
      const onClose = () => {
        onError(new Error("the connection was closed in the middle of the answer"));
      };
      finish = () => {
        incoming.off("data", take).off("end", onEnd).off("error", onError).off("close", onClose);
        incoming.on("error", () => undefined); // what comes after the end concerns nobody
        exchange?.ended();
      };
      incoming.on("data", take).once("end", onEnd).once("error", onError).once("close", onClose);
      incoming.pause();
    },
    pull() {
      incoming.resume();
    },
    cancel() {
      finish();
      incoming.destroy();
    },
  });
}

/** Counts the bytes of an answer; of a stream those of the event that is being received. */
class AnswerLimit {
  readonly #streams: boolean;
  #bytes = 0;

  constructor(contentType = "") {
    this.#streams = contentType.startsWith("text/event-stream");
  }

  admits(chunk: Buffer): boolean {
    const boundary = this.#streams
      ? Math.max(chunk.lastIndexOf("\n\n"), chunk.lastIndexOf("\r\n\r\n"))
      : -1;
    this.#bytes = boundary < 0 ? this.#bytes + chunk.length : chunk.length - boundary;
    return this.#bytes <= MAX_ANSWER_BYTES;
  }
}
