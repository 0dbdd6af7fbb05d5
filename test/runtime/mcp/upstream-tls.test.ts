import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { TlsSettings } from "../../../runtime/api/agent-config.ts";
import { McpClientPool } from "../../../runtime/mcp/client-pool.ts";
import { TlsFront } from "../../support/tls-front.ts";
import { LogLines, never, settings } from "./pool-fixture.ts";
import { RunningServer, TestTools } from "./server-fixture.ts";

describe("TLS settings of a RemoteMCPServer", () => {
  let server: RunningServer;
  let front: TlsFront;
  let pool: McpClientPool;
  beforeEach(async () => {
    server = await RunningServer.start(new TestTools().definitions);
    front = await TlsFront.start(server.url);
    pool = new McpClientPool({ log: new LogLines().log });
  });
  afterEach(async () => {
    await pool.close();
    await front.close();
    await server.close();
  });

  async function tools(tls: TlsSettings | undefined): Promise<number> {
    const url = new URL(new URL(server.url).pathname, front.url).href;
    const to = settings(url);
    const listed = await pool.listTools(tls === undefined ? to : { ...to, tls }, {}, never);
    return listed.length;
  }

  it("trust the authority of their Secret", async () => {
    assert.equal(await tools({ verify: true, caPem: front.caPem, systemCas: false }), 4);
  });

  it("trust nobody else, also after somebody else did", async () => {
    await tools({ verify: false, systemCas: true });
    await assert.rejects(tools(undefined), /UNABLE_TO_VERIFY|certificate|unreachable/i);
  });
});
