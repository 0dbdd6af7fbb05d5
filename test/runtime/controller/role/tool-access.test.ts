import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "mocha";
import type { ToolServerSettings } from "../../../../runtime/api/agent-config.ts";
import { RESOURCES } from "../../../../runtime/api/cluster.ts";
import { AgentDirectory } from "../../../../runtime/controller/agent-directory.ts";
import { toolAccess } from "../../../../runtime/controller/role/tool-access.ts";
import { MemoryCluster } from "../../../../runtime/kube/memory-cluster.ts";
import { systemClock } from "../../../../runtime/process/clock.ts";
import { writtenServer } from "../kagent-objects.ts";

describe("runtime/controller/role/tool-access", () => {
  const { signal } = new AbortController();
  const from = (name: string) => ({
    headersFrom: [{ name: "Authorization", valueFrom: { type: "Secret", name, key: "token" } }],
  });
  const open = async () => {
    const asked: ToolServerSettings[] = [];
    const cluster = new MemoryCluster({ clock: systemClock, newId: randomUUID });
    const metadata = { name: "tools", namespace: "kagent" };
    const data = { token: Buffer.from("Bearer t").toString("base64") };
    await cluster.create(
      RESOURCES.Secret,
      { apiVersion: "v1", kind: "Secret", metadata, data },
      signal,
    );
    const directory = new AgentDirectory({ value: () => undefined, agentUrl: () => "http://a/" });
    directory.load([writtenServer("good", from("tools")), writtenServer("bad", from("nothing"))]);
    const pool = {
      listTools: (server: ToolServerSettings) => {
        asked.push(server);
        return Promise.resolve([]);
      },
      callTool: () => Promise.resolve({ text: "ok", parts: [] }),
    };
    return { asked, access: toolAccess({ directory, cluster, pool }) };
  };
  const server = (name: string) => ({ namespace: "kagent", name });

  it("asks a server with the headers that its object names", async () => {
    const { asked, access } = await open();
    await access.list(server("good"), signal);
    assert.deepEqual(
      asked.map(({ headers }) => headers),
      [{ authorization: "Bearer t" }],
    );
  });

  it("asks none without them, and says what is missing", async () => {
    const { asked, access } = await open();
    await assert.rejects(
      access.list(server("bad"), signal),
      /Secret kagent\/nothing has no key token/,
    );
    assert.deepEqual(asked, []);
  });

  it("knows no server that is not there", async () => {
    const { access } = await open();
    assert.equal(await access.list(server("none"), signal), undefined);
    await assert.rejects(access.call(server("none"), "x", {}, signal), /gone/);
  });
});
