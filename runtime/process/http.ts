import type { Server } from "node:http";
import { serve } from "@hono/node-server";
import type { Hono } from "hono";
import type { Service } from "./service.ts";

/** Where an HTTP service listens. */
export interface HttpAddress {
  /** Shown in logs and errors, e.g. `gateway`. */
  readonly name: string;
  /** Interface; `127.0.0.1` unless the role serves a cluster. */
  readonly host: string;
  /** TCP port; 0 takes a free one. */
  readonly port: number;
}

/** An HTTP server as a {@link Service}. */
export interface HttpService extends Service {
  /** Port that is bound; known once `start` has resolved. */
  readonly port: () => number;
}

/** A port is taken or may not be bound. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  /** What could not be bound. */
  readonly address: HttpAddress;
  /** System error code, e.g. `EADDRINUSE`. */
  readonly code: string;

  constructor(address: HttpAddress, code: string, options: ErrorOptions) {
    super(
      `failed to listen on ${address.host}:${address.port} for ${address.name} (${code})`,
      options,
    );
    this.address = address;
    this.code = code;
  }
}

/**
 * Serves `app`; `stop` refuses new connections, lets answers under way finish for `drainMs` and then
 * closes what is left (streams of clients that never leave).
 */
export function httpService(
  address: HttpAddress,
  app: Pick<Hono, "fetch">,
  drainMs = 1_000,
): HttpService {
  let server: Server | undefined;
  let port = address.port;
  return {
    name: address.name,
    port: () => port,
    start: () =>
      new Promise((resolve, reject) => {
        const listening = serve(
          { fetch: app.fetch, hostname: address.host, port: address.port },
          (info) => {
            port = info.port;
            resolve();
          },
        ) as Server;
        listening.on("request", (_request, response) => {
          // A connection whose last answer ended while stopping would wait for its keep-alive time.
          response.once("close", () => {
            if (!listening.listening)
              setImmediate(() => {
                listening.closeIdleConnections();
              });
          });
        });
        listening.once("error", (error: NodeJS.ErrnoException) => {
          reject(new ListenError(address, error.code ?? "unknown", { cause: error }));
        });
        server = listening;
      }),
    async stop() {
      const closing = server;
      if (closing === undefined) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          closing.closeAllConnections();
        }, drainMs);
        closing.close(() => {
          clearTimeout(timer);
          resolve();
        });
        closing.closeIdleConnections();
      });
    },
  };
}
