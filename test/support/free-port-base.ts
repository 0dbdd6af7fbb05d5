import { once } from "node:events";
import { createServer } from "node:net";
import { LOCAL_PORTS } from "../../runtime/local/ports.ts";

const COUNT = Object.keys(LOCAL_PORTS).length;
/** Below the ports that systems hand out by themselves. */
const FIRST = 20_000;
const LAST = 32_000;

/** A port from which on all ports that a local run takes are free. */
export async function freePortBase(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const base = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    const ports = Array.from({ length: COUNT }, (_, index) => base + index);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return base;
  }
  throw new Error(`no ${COUNT} free ports in a row between ${FIRST} and ${LAST}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
