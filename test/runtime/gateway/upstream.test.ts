import { localUpstream } from "../../../runtime/gateway/local-upstream.ts";
import { remoteUpstream } from "../../../runtime/gateway/remote-upstream.ts";
import { McpClientPool } from "../../../runtime/mcp/client-pool.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { settings } from "../mcp/pool-fixture.ts";
import { RunningServer } from "../mcp/server-fixture.ts";
import { upstreamContract } from "./upstream-contract.ts";

upstreamContract("runtime/gateway/localUpstream", (definitions) =>
  Promise.resolve({
    upstream: localUpstream(definitions, { log: silentLog }),
    close: () => Promise.resolve(),
  }),
);

upstreamContract("runtime/gateway/remoteUpstream", async (definitions) => {
  const server = await RunningServer.start(definitions);
  const pool = new McpClientPool({ log: silentLog });
  return {
    upstream: remoteUpstream(pool, settings(server.url)),
    close: async () => {
      await pool.close();
      await server.close();
    },
  };
});
