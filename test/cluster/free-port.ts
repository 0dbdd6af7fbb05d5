import { once } from "node:events";
import { createServer } from "node:net";
import { ProcessStartError } from "./owned-process.ts";

/** Another process may take a port between the look and the use; three times in a row is no accident. */
const ATTEMPTS = 3;

/**
 * Starts a server that cannot choose a port by itself on a free port of loopback, on another one when it was taken meanwhile.
 *
 * @throws What `start` throws.
 */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      const taken =
        error instanceof ProcessStartError && error.lastLines.includes("address already in use");
      if (!taken || attempt === ATTEMPTS) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("failed to find a port");
  return address.port;
}
