import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, beforeEach, describe, it } from "mocha";
import { McpClientPool } from "../../../runtime/mcp/client-pool.ts";
import type { Change } from "../../../runtime/mcp/server-options.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { LogLines, macrotask, never, settings } from "./pool-fixture.ts";
import { answerOf, initialize, RunningServer, rpc, TestTools } from "./server-fixture.ts";

describe("runtime/mcp/mcpHttpApp with sessions", () => {
  let clock: FakeClock;
  let stop: AbortController;
  let tools: TestTools;
  let server: RunningServer;
  let tell: (change: Change) => void;

  beforeEach(async () => {
    clock = new FakeClock();
    stop = new AbortController();
    tools = new TestTools();
    const listeners = new Set<(change: Change) => void>();
    tell = (change) => {
      for (const listener of listeners) listener(change);
    };
    server = await RunningServer.start(tools.definitions, {
      sessions: {
        clock,
        signal: stop.signal,
        max: 2,
        idleMs: 60_000,
        changes: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
      resources: {
        listResources: () => Promise.resolve([{ uri: "kagent://agents", name: "agents" }]),
        readResource: (uri) =>
          Promise.resolve(
            uri === "kagent://agents" ? { mimeType: "application/json", text: "[]" } : undefined,
          ),
      },
    });
  });
  afterEach(async () => {
    stop.abort();
    assert.equal(clock.pending, 0, "timers are left");
    await server.close();
  });

  async function open(headers = {}): Promise<string> {
    const response = await server.post(initialize, headers);
    await response.text();
    const id = response.headers.get("mcp-session-id");
    assert.match(id ?? "", /^[0-9a-f-]{36}$/);
    return id ?? "";
  }
  const status = async (id: string, headers = {}) =>
    (await server.post(rpc("ping"), { "mcp-session-id": id, ...headers })).status;
  const ask = async (id: string, method: string, params?: unknown) =>
    await answerOf(await server.post(rpc(method, params), { "mcp-session-id": id }));
  const events = (id: string, signal: AbortSignal) =>
    fetch(server.url, { headers: { accept: "text/event-stream", "mcp-session-id": id }, signal });

  it("keeps a session until the client ends it", async () => {
    const id = await open();
    assert.equal(await status(id), 200);
    const ended = await fetch(server.url, { method: "DELETE", headers: { "mcp-session-id": id } });
    assert.equal(ended.status, 200);
    assert.equal(await status(id), 404);
  });

  it("answers 404 for a session it does not know, 400 without one", async () => {
    const unknown = await server.post(rpc("ping"), { "mcp-session-id": "nobody" });
    assert.equal(unknown.status, 404);
    assert.deepEqual((await answerOf(unknown))["error"], {
      code: -32001,
      message: "Session not found",
    });
    assert.equal((await server.post(rpc("ping"))).status, 400);
    assert.equal((await fetch(server.url, { method: "PUT" })).status, 405);
  });

  it("hides a session from other users", async () => {
    const id = await open({ "x-user-id": "ann" });
    assert.equal(await status(id, { "x-user-id": "ann" }), 200);
    assert.equal(await status(id, { "x-user-id": "bob" }), 404);
    assert.equal(await status(id), 404);
  });

  it("forgets a session that is idle, but not one with a stream", async () => {
    const idle = await open();
    const leave = new AbortController();
    const listening = await open();
    const stream = await events(listening, leave.signal);
    assert.equal(stream.status, 200);
    await clock.advance(60_000);
    await clock.advance(60_000);
    assert.equal(await status(idle), 404);
    assert.equal(await status(listening), 200);
    leave.abort();
  });

  it("makes room for a new session at the cost of the one that is idle longest", async () => {
    const first = await open();
    await clock.advance(1);
    const second = await open();
    await clock.advance(1);
    const third = await open();
    assert.deepEqual(
      [await status(first), await status(second), await status(third)],
      [404, 200, 200],
    );
  });

  it("refuses a session when all are in use", async () => {
    const leave = new AbortController();
    for (let i = 0; i < 2; i += 1) await events(await open(), leave.signal);
    const refused = await server.post(initialize);
    assert.equal(refused.status, 503);
    leave.abort();
  });

  it("ends its sessions and streams when it is stopped", async () => {
    const id = await open();
    const stream = await events(id, never);
    stop.abort();
    assert.equal(await stream.text(), "");
    assert.equal(await status(id), 404);
    assert.equal((await server.post(initialize)).status, 503);
  });

  it("aborts a call on notifications/cancelled and ends its stream without an answer", async () => {
    const id = await open();
    const hanging = tools.hanging();
    const headers = { "mcp-session-id": id };
    const response = await server.post(rpc("tools/call", { name: "hang" }, 7), headers);
    const { signal } = await hanging;
    const aborted = once(signal, "abort");
    const params = { requestId: 7, reason: "enough" };
    const noted = await server.post(
      { jsonrpc: "2.0", method: "notifications/cancelled", params },
      headers,
    );
    assert.equal(noted.status, 202);
    await aborted;
    assert.equal(await response.text(), "");
    assert.deepEqual(server.log.lines, []);
  });

  it("aborts a call whose client goes away, and keeps the session", async () => {
    const id = await open();
    const hanging = tools.hanging();
    const leave = new AbortController();
    const response = fetch(server.url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "*/*", "mcp-session-id": id },
      body: JSON.stringify(rpc("tools/call", { name: "hang" }, 9)),
      signal: leave.signal,
    });
    const { signal } = await hanging;
    await response;
    const aborted = once(signal, "abort");
    leave.abort();
    await aborted;
    assert.equal(await status(id), 200);
  });

  it("lists and reads resources, and tells subscribers of changes", async () => {
    const id = await open();
    assert.deepEqual((await ask(id, "resources/list"))["result"], {
      resources: [{ uri: "kagent://agents", name: "agents" }],
    });
    assert.deepEqual((await ask(id, "resources/read", { uri: "kagent://agents" }))["result"], {
      contents: [{ uri: "kagent://agents", mimeType: "application/json", text: "[]" }],
    });
    const missing = (await ask(id, "resources/read", { uri: "kagent://x" }))["error"];
    assert.equal((missing as { code: number }).code, -32002);
    const leave = new AbortController();
    const stream = await events(id, leave.signal);
    tell({ kind: "resource", uri: "kagent://agents" }); // nobody has asked for it yet
    await ask(id, "resources/subscribe", { uri: "kagent://agents" });
    tell({ kind: "resource", uri: "kagent://agents" });
    tell({ kind: "tools" });
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    let heard = "";
    while (!heard.includes("tools/list_changed")) heard += (await reader.read()).value ?? "";
    assert.equal(heard.match(/resources\/updated/g)?.length, 1);
    leave.abort();
  });

  it("is what our own client expects: pages, progress, cancellation", async () => {
    const log = new LogLines();
    const pool = new McpClientPool({ log: log.log, clock });
    const peer = settings(server.url);
    assert.equal((await pool.listTools(peer, {}, never)).length, tools.definitions.length);
    const hanging = tools.hanging();
    const leave = new AbortController();
    const told: unknown[] = [];
    const call = pool.callTool(peer, "hang", {}, { onProgress: (p) => told.push(p) }, leave.signal);
    const context = await hanging;
    (context as unknown as { progress(p: object): void }).progress({ progress: 1 });
    while (told.length === 0) await macrotask();
    const aborted = once(context.signal, "abort");
    leave.abort();
    await assert.rejects(call);
    await aborted;
    assert.deepEqual(told, [{ progress: 1 }]);
    await pool.close();
  });
});

describe("runtime/mcp/mcpHttpApp and McpClientPool, both stateless", () => {
  it("aborts the tool when the caller aborts: there is no session to cancel in", async () => {
    const tools = new TestTools();
    const server = await RunningServer.start(tools.definitions);
    const log = new LogLines();
    const pool = new McpClientPool({ log: log.log });
    const hanging = tools.hanging();
    const leave = new AbortController();
    const call = pool.callTool(settings(server.url), "hang", {}, {}, leave.signal);
    const { signal } = await hanging;
    const aborted = once(signal, "abort");
    leave.abort(new Error("enough"));
    await assert.rejects(call, /enough/);
    await aborted;
    await pool.close();
    await server.close();
    assert.deepEqual(log.lines, []);
  });
});
