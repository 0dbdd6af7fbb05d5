import { connect, createServer, type Server, type Socket } from "node:net";

/** What a Service does for callers outside the cluster: each new connection goes to one of those that are there. */
export class ControllerFront {
  /** Connections by the address they went to. */
  readonly connections = new Map<string, number>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #next = 0;

  private constructor(urls: () => readonly string[]) {
    this.#server = createServer((outer) => {
      const targets = urls();
      const target = targets[this.#next++ % targets.length];
      if (target === undefined) {
        outer.destroy();
        return;
      }
      const { hostname, port } = new URL(target);
      this.connections.set(target, (this.connections.get(target) ?? 0) + 1);
      const inner = connect(Number(port), hostname);
      for (const [one, other] of [
        [outer, inner],
        [inner, outer],
      ] as const) {
        this.#sockets.add(one);
        one.on("error", () => undefined);
        one.once("close", () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
      outer.pipe(inner).pipe(outer);
    });
  }

  /** @param urls - Those that are there now. */
  static async start(urls: () => readonly string[]): Promise<ControllerFront> {
    const front = new ControllerFront(urls);
    await new Promise<void>((resolve) => {
      front.#server.listen(0, "127.0.0.1", resolve);
    });
    return front;
  }

  /** Base URL. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the front is closed");
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
