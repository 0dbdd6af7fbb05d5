import { BlockList, isIP } from "node:net";

/** Addresses of proxies that are believed. */
export interface Peers {
  has(address: string | undefined): boolean;
}

/** A range of addresses that cannot be read. */
export class InvalidRangeError extends Error {
  override readonly name = "InvalidRangeError";

  /** @param range - As it was configured. */
  constructor(range: string) {
    super(`failed to read the address range ${range}; write it as 10.0.0.7 or 10.0.0.0/8`);
  }
}

/**
 * Peers by address or range (`10.0.0.7`, `10.0.0.0/8`, `fd00::/8`).
 *
 * @throws InvalidRangeError
 */
export function peers(ranges: readonly string[]): Peers {
  const list = new BlockList();
  for (const range of ranges) add(list, range);
  return {
    has(address) {
      const plain = unmapped(address ?? "");
      const family = isIP(plain);
      return family !== 0 && list.check(plain, family === 4 ? "ipv4" : "ipv6");
    },
  };
}

/** The addresses by which a machine reaches itself. */
export const LOOPBACK_PEERS = peers(["127.0.0.0/8", "::1"]);

function add(list: BlockList, range: string): void {
  const [address = "", bits] = range.split("/", 2);
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  const sound = /^\d{1,3}$/.test(bits ?? "0") && prefix <= most;
  if (family === 0 || !sound) throw new InvalidRangeError(range);
  list.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
}

/** `::ffff:10.0.0.7`, as a socket that listens on both families tells it, as `10.0.0.7`. */
export function unmapped(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
