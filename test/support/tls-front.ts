import { connect, type Socket } from "node:net";
import { createServer, type Server } from "node:tls";
import { makeCertificate } from "../../runtime/controller/admission/webhook-certificate.ts";

/** TLS for a plain server of a test, by an authority that nobody else knows. */
export class TlsFront {
  /** The authority's certificate, PEM. */
  readonly caPem: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(caPem: string, server: Server) {
    this.caPem = caPem;
    this.#server = server;
  }

  /** @param url - The plain server on loopback. */
  static async start(url: string): Promise<TlsFront> {
    const { authority, certificate, key } = await makeCertificate(["127.0.0.1"], Date.now());
    const server = createServer({ cert: certificate, key });
    const front = new TlsFront(authority, server);
    server.on("secureConnection", (outer) => {
      const inner = connect(Number(new URL(url).port), "127.0.0.1");
      for (const socket of [outer, inner]) {
        front.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.once("close", () => {
          front.#sockets.delete(socket);
          (socket === outer ? inner : outer).destroy();
        });
      }
      outer.pipe(inner).pipe(outer);
    });
    server.on("tlsClientError", () => undefined); // clients that do not trust it: what tests look for
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return front;
  }

  /** Address, `https://127.0.0.1:<port>`. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the front is closed");
    return `https://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
