import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A foreign HTTP server on loopback that records what it is asked. */
export class JsonPeer {
  /** Requests so far, path with query. */
  readonly requests: URL[] = [];
  /** `authorization` of each request. */
  readonly authorizations: (string | undefined)[] = [];
  readonly #server;

  /** @param answer - Answers one request, or throws for a status 500. */
  constructor(answer: (url: URL, response: ServerResponse) => unknown) {
    this.#server = createServer((request: IncomingMessage, response) => {
      const url = new URL(request.url ?? "/", "http://peer");
      this.requests.push(url);
      this.authorizations.push(request.headers.authorization);
      const body = answer(url, response);
      if (body !== undefined) response.end(JSON.stringify(body));
    });
  }

  /** Address to configure. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends it with all its connections. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }
}
