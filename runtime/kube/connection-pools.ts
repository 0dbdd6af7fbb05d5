import http from "node:http";
import https from "node:https";
import type { RequestCredentials } from "./credentials.ts";

/** What a connection is for: watches keep theirs for minutes and must not hold up requests. */
export type ConnectionUse = "request" | "watch";

/** Most connections at once for each use. */
export type ConnectionLimits = Readonly<Record<ConnectionUse, number>>;

type Pools = Readonly<Record<ConnectionUse, http.Agent>>;

/** Kept connections to one API server, as long as the TLS settings stay the same. */
export class ConnectionPools {
  readonly #isSecure: boolean;
  readonly #limits: ConnectionLimits;
  #current: { readonly id: string; readonly pools: Pools } | undefined;

  constructor(server: string, limits: ConnectionLimits) {
    this.#isSecure = server.startsWith("https:");
    this.#limits = limits;
  }

  /** The pool for requests with these credentials. */
  agent(credentials: RequestCredentials, use: ConnectionUse): http.Agent {
    const { ca, cert, key, rejectUnauthorized, servername } = credentials;
    const tls = { ca, cert, key, rejectUnauthorized, servername };
    const id = JSON.stringify(Object.values(tls).map(String));
    if (this.#current?.id !== id) {
      if (this.#current !== undefined) retire(this.#current.pools);
      const given = Object.entries(tls).filter(([, value]) => value !== undefined);
      this.#current = { id, pools: this.#open(Object.fromEntries(given)) };
    }
    return this.#current.pools[use];
  }

  /** Closes all connections, those in use included. */
  close(): void {
    const pools = this.#current?.pools;
    this.#current = undefined;
    pools?.request.destroy();
    pools?.watch.destroy();
  }

  #open(tls: https.AgentOptions): Pools {
    const open = (use: ConnectionUse): http.Agent => {
      const options = { keepAlive: true, maxSockets: this.#limits[use] };
      return this.#isSecure ? new https.Agent({ ...options, ...tls }) : new http.Agent(options);
    };
    return { request: open("request"), watch: open("watch") };
  }
}

/** Closes idle connections; those in use close when they are done. */
function retire(pools: Pools): void {
  for (const agent of [pools.request, pools.watch]) {
    agent.maxFreeSockets = 0;
    for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
  }
}
