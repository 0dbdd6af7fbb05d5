import { networkInterfaces } from "node:os";
import type { WorkerSettings } from "./settings.ts";

/** Interfaces that are every address of the machine, which is nobody's address. */
const ANY: ReadonlySet<string> = new Set(["0.0.0.0", "::", ""]);

/** URL under which other processes reach this one, e.g. `http://10.0.0.7:8080`. */
export function ownUrl(
  { podIp, host }: Pick<WorkerSettings, "podIp" | "host">,
  port: number,
): string {
  const address = podIp ?? (ANY.has(host) ? firstAddress() : host);
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** The first address of the machine that is not its own only; a pod has one. */
function firstAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = addresses.filter(({ internal }) => !internal);
  const found = outside.find(({ family }) => family === "IPv4") ?? outside[0];
  return found?.address ?? "127.0.0.1";
}
