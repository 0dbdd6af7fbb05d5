import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** `AuthenticationCleartextPassword`. */
const ASK = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

/** A Postgres that asks everybody for a password in clear and lets nobody in. */
export class RefusingPostgres {
  /** Passwords that it was given. */
  readonly passwords: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => this.#sockets.delete(socket));
      socket.once("data", () => {
        socket.write(ASK);
        socket.once("data", (bytes: Buffer) => {
          const password = bytes.subarray(5, -1).toString("utf8");
          this.passwords.push(password);
          socket.end(refusal());
        });
      });
    });
  }

  static async start(): Promise<RefusingPostgres> {
    const postgres = new RefusingPostgres();
    postgres.#server.listen(0, "127.0.0.1");
    await once(postgres.#server, "listening");
    return postgres;
  }

  /** `host:port`. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** `ErrorResponse`: severity, code, message. */
function refusal(): Buffer {
  const fields = [
    "SFATAL",
    "VFATAL",
    "C28P01",
    'Mpassword authentication failed for user "kagent"',
  ];
  const body = Buffer.from(`${fields.join("\0")}\0\0`);
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
