import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mcpHttpApp } from "../../../runtime/mcp/server.ts";
import { toolProvider } from "../../../runtime/mcp/tool-definitions.ts";
import { type HttpService, httpService } from "../../../runtime/process/http.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { define } from "../../runtime/mcp/server-fixture.ts";

/** Tool servers that take every request and answer none, and good ones beside them. */
export class SilentServers {
  readonly #host: string;
  readonly #silent: readonly Server[];
  readonly #good: HttpService[] = [];

  private constructor(host: string, silent: readonly Server[]) {
    this.#host = host;
    this.#silent = silent;
  }

  static async start(host: string, count: number): Promise<SilentServers> {
    const servers = Array.from({ length: count }, () => createServer(() => undefined));
    for (const server of servers)
      await new Promise<void>((resolve) => {
        server.listen(0, host, resolve);
      });
    return new SilentServers(host, servers);
  }

  /** Endpoints of the silent ones. */
  get urls(): readonly string[] {
    return this.#silent.map((server) => {
      const { port } = server.address() as AddressInfo;
      return `http://${this.#host}:${port}/mcp`;
    });
  }

  /** Starts one that answers. @returns Its endpoint. */
  async startGood(): Promise<string> {
    const tools = toolProvider([define("ping", () => Promise.resolve({ text: "pong" }))], {
      log: silentLog,
    });
    const app = mcpHttpApp({ name: "good", version: "1", tools, log: silentLog });
    const service = httpService({ name: "good", host: this.#host, port: 0 }, app, 0);
    await service.start(AbortSignal.timeout(5_000));
    this.#good.push(service);
    return `http://${this.#host}:${service.port()}/mcp`;
  }

  async close(): Promise<void> {
    for (const service of this.#good) await service.stop();
    for (const server of this.#silent) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
}
