import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { InvalidTargetsError } from "../../../runtime/gateway/federation.ts";
import { localUpstream } from "../../../runtime/gateway/local-upstream.ts";
import { mcpRoutes } from "../../../runtime/gateway/mcp-routes.ts";
import { remoteUpstream } from "../../../runtime/gateway/remote-upstream.ts";
import { McpClientPool } from "../../../runtime/mcp/client-pool.ts";
import { systemClock } from "../../../runtime/process/clock.ts";
import { type HttpService, httpService } from "../../../runtime/process/http.ts";
import { LogLines, never, settings } from "../mcp/pool-fixture.ts";
import { define, RunningServer } from "../mcp/server-fixture.ts";

describe("runtime/gateway/mcpRoutes", () => {
  let log: LogLines;
  let remote: RunningServer;
  let pool: McpClientPool;
  let gateway: HttpService;
  const at = (path: string) => `http://127.0.0.1:${gateway.port()}${path}`;

  beforeEach(async () => {
    log = new LogLines();
    pool = new McpClientPool({ log: log.log });
    remote = await RunningServer.start([
      define("get_release", () => Promise.resolve({ text: "ok" })),
    ]);
    const time = define("get_current_time", () => Promise.resolve({ text: "noon" }));
    const dead = settings("http://127.0.0.1:1/mcp");
    const app = mcpRoutes({
      log: log.log,
      clock: systemClock,
      routes: [
        { name: "code", targets: [{ name: "code", upstream: localUpstream([time], log) }] },
        {
          name: "helm",
          targets: [
            { name: "helm-near", upstream: remoteUpstream(pool, settings(remote.url)) },
            { name: "helm-far", upstream: remoteUpstream(pool, dead) },
          ],
        },
      ],
    });
    gateway = httpService({ name: "gateway", host: "127.0.0.1", port: 0 }, app, 0);
    await gateway.start(never);
  });
  afterEach(async () => {
    await pool.close();
    await gateway.stop();
    await remote.close();
  });

  it("serves each route as an MCP server of its own", async () => {
    for (const [path, tool, text] of [
      ["/mcp/code", "code_get_current_time", "noon"],
      ["/mcp/helm/", "helm-near_get_release", "ok"],
    ] as const) {
      const server = settings(at(path));
      const tools = await pool.listTools(server, {}, never);
      assert.deepEqual(
        tools.map(({ name }) => name),
        [tool],
      );
      assert.equal((await pool.callTool(server, tool, {}, {}, never)).text, text);
    }
  });

  it("answers a call to a dead target as a failure that names it", async () => {
    const { isError, text } = await pool.callTool(
      settings(at("/mcp/helm")),
      "helm-far_get_release",
      {},
      {},
      never,
    );
    assert.equal(isError, true);
    assert.match(text, /tool server "helm-far" did not answer/);
  });

  it("runs fifty calls at once through the gateway", async () => {
    const server = settings(at("/mcp/helm"));
    const all = await Promise.all(
      Array.from({ length: 50 }, () =>
        pool.callTool(server, "helm-near_get_release", {}, {}, never),
      ),
    );
    assert.ok(all.every(({ text }) => text === "ok"));
  });

  it("is healthy, and names its routes where there is none", async () => {
    assert.deepEqual(await (await fetch(at("/healthz"))).json(), {
      status: "ok",
      routes: ["/mcp/code", "/mcp/helm"],
    });
    const missing = await fetch(at("/mcp/k8s"), { method: "POST", body: "{}" });
    assert.equal(missing.status, 404);
    assert.deepEqual(await missing.json(), {
      error: "there is no such route",
      routes: ["/mcp/code", "/mcp/helm"],
    });
  });

  it("refuses routes without a name of their own", () => {
    for (const names of [["a", "a"], ["A"], ["a/b"], [""]]) {
      const routes = names.map((name) => ({ name, targets: [] }));
      assert.throws(
        () => mcpRoutes({ routes, log: log.log, clock: systemClock }),
        InvalidTargetsError,
      );
    }
  });
});
