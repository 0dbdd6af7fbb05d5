import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterEach, beforeEach, describe, it } from "mocha";
import { answerOf, define, initialize, RunningServer, rpc, TestTools } from "./server-fixture.ts";

describe("runtime/mcp/mcpHttpApp", () => {
  let tools: TestTools;
  let server: RunningServer;
  beforeEach(async () => {
    tools = new TestTools();
    server = await RunningServer.start(tools.definitions);
  });
  afterEach(() => server.close());

  const call = (name: string, args: unknown = {}, headers = {}) =>
    server.post(rpc("tools/call", { name, arguments: args }), headers);
  const resultOf = async (response: Response) =>
    (await answerOf(response))["result"] as Record<string, unknown>;
  const errorOf = async (response: Response) =>
    (await answerOf(response))["error"] as { code: number; message: string };

  it("answers the flow of the Inspector: handshake, list, call, ping", async () => {
    const opened = await server.post(initialize);
    assert.equal(opened.status, 200);
    assert.deepEqual(await resultOf(opened), {
      protocolVersion: "2025-11-25",
      capabilities: { tools: {} },
      serverInfo: { name: "tested", version: "1.2.3" },
    });
    const noted = await server.post({ jsonrpc: "2.0", method: "notifications/initialized" });
    assert.deepEqual([noted.status, await noted.text()], [202, ""]);
    const listed = await server.post(rpc("tools/list"), { "mcp-protocol-version": "2025-11-25" });
    assert.equal(listed.headers.get("content-type"), "application/json");
    const names = ((await resultOf(listed))["tools"] as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(names, ["ping", "add", "throw", "hang"]);
    const called = await call("ping");
    assert.equal(called.headers.get("content-type"), "text/event-stream");
    assert.deepEqual(await resultOf(called), { content: [{ type: "text", text: "pong" }] });
    assert.deepEqual(await resultOf(await server.post(rpc("ping"))), {});
  });

  it("describes arguments as JSON Schema, with properties even when there are none", async () => {
    const { tools: listed } = (await resultOf(await server.post(rpc("tools/list")))) as {
      tools: Record<string, unknown>[];
    };
    assert.deepEqual(listed[0]?.["inputSchema"], {
      type: "object",
      properties: {},
      additionalProperties: false,
    });
    assert.deepEqual(listed[1], {
      name: "add",
      description: "does add",
      inputSchema: {
        type: "object",
        properties: {
          a: { type: "number", description: "first" },
          b: { type: "number", default: 1 },
        },
        required: ["a"],
        additionalProperties: false,
      },
      annotations: {
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      },
    });
  });

  it("fills in defaults and returns structured content", async () => {
    assert.deepEqual(await resultOf(await call("add", { a: 2 })), {
      content: [{ type: "text", text: "3" }],
      structuredContent: { sum: 3 },
    });
  });

  const failures = [
    { what: "an unknown tool", name: "nope", args: {}, says: /^unknown tool "nope"$/ },
    {
      what: "a wrong type",
      name: "add",
      args: { a: "x" },
      says: /arguments\.a: .*number/,
    },
    { what: "an unknown argument", name: "add", args: { a: 1, z: 1 }, says: /arguments.*"z"/ },
    { what: "an exception", name: "throw", args: {}, says: /^the tool "throw" failed; the log/ },
  ];
  for (const { what, name, args, says } of failures) {
    it(`answers ${what} as a result with isError`, async () => {
      const result = await resultOf(await call(name, args));
      assert.equal(result["isError"], true);
      assert.match((result["content"] as { text: string }[])[0]?.text ?? "", says);
    });
  }

  it("logs what a tool threw, without its secrets", async () => {
    await (await call("throw")).text();
    assert.deepEqual(server.log.lines, [
      { message: "tool failed", fields: { tool: "throw", error: "Error: password=*** is wrong" } },
    ]);
  });

  const refused = [
    { what: "bad JSON", body: '{"a":', status: 400, code: -32700 },
    { what: "an empty body", body: "", status: 400, code: -32700 },
    { what: "JSON that is no message", body: "[1]", status: 400, code: -32700 },
    { what: "a body of 5 MB", body: "x".repeat(5_000_000), status: 413, code: -32000 },
    { what: "an unknown method", body: rpc("tools/destroy"), status: 200, code: -32601 },
    { what: "a call without a name", body: rpc("tools/call", {}), status: 200, code: -32602 },
    {
      what: "arguments that are no object",
      body: rpc("tools/call", { name: "ping", arguments: "x" }),
      status: 200,
      code: -32602,
    },
    {
      what: "a cursor of nobody",
      body: rpc("tools/list", { cursor: "x" }),
      status: 200,
      code: -32602,
    },
    {
      what: "a cursor that is no text",
      body: rpc("tools/list", { cursor: 1 }),
      status: 200,
      code: -32602,
    },
  ];
  for (const { what, body, status, code } of refused) {
    it(`refuses ${what} with ${status} and ${code}`, async () => {
      const response = await server.post(body);
      assert.equal(response.status, status);
      assert.equal((await errorOf(response)).code, code);
    });
  }

  it("refuses a body without a declared length as soon as it is too large", async () => {
    const request = httpRequest(server.url, { method: "POST" });
    request.on("error", () => undefined); // the server may close while we still write
    const answered = once(request, "response");
    for (let i = 0; i < 80; i += 1) request.write("x".repeat(65_536));
    const [response] = (await answered) as [import("node:http").IncomingMessage];
    assert.equal(response.statusCode, 413);
    request.destroy();
  });

  it("refuses clients that do not take both forms of an answer, and takes curl's wildcard", async () => {
    const one = await server.post(rpc("ping"), { accept: "application/json" });
    assert.equal(one.status, 406);
    assert.equal((await server.post(rpc("ping"), { accept: "*/*" })).status, 200);
    const text = await server.post(rpc("ping"), { "content-type": "text/plain" });
    assert.equal(text.status, 415);
  });

  it("refuses a version of the protocol that it does not know", async () => {
    const response = await server.post(rpc("ping"), { "mcp-protocol-version": "1999-01-01" });
    assert.equal(response.status, 400);
  });

  for (const method of ["GET", "DELETE", "PUT"]) {
    it(`refuses ${method}: there are no sessions`, async () => {
      const response = await fetch(server.url, { method });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get("allow"), "POST");
    });
  }

  it("aborts a call whose client goes away", async () => {
    const leave = new AbortController();
    const hanging = tools.hanging();
    const answer = fetch(server.url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "*/*" },
      body: JSON.stringify(rpc("tools/call", { name: "hang" })),
      signal: leave.signal,
    });
    const { signal } = await hanging;
    const response = await answer;
    const aborted = once(signal, "abort");
    leave.abort();
    await aborted;
    await assert.rejects(response.text());
    assert.deepEqual(server.log.lines, [], "leaving is not a failure of the tool");
  });

  it("tells a call whose it is, by header", async () => {
    const hanging = tools.hanging();
    const client = new AbortController();
    const body = JSON.stringify(rpc("tools/call", { name: "hang" }));
    const headers = {
      "content-type": "application/json",
      accept: "*/*",
      "x-user-id": "ann",
      "x-kagent-parent-context-id": "ctx-1",
    };
    const answer = fetch(server.url, { method: "POST", headers, body, signal: client.signal });
    const { user, contextId } = await hanging;
    assert.deepEqual([user, contextId], ["ann", "ctx-1"]);
    await answer;
    client.abort();
  });

  it("serves the official client, fifty calls at once", async () => {
    const client = new Client({ name: "test", version: "1" });
    await client.connect(new StreamableHTTPClientTransport(new URL(server.url)));
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        client.callTool({ name: "add", arguments: { a: i, b: i } }),
      ),
    );
    assert.deepEqual(
      results.map(({ content }) => (content as { text: string }[])[0]?.text),
      results.map((_, i) => String(2 * i)),
    );
    await client.close();
  });
});

describe("runtime/mcp/mcpHttpApp, options", () => {
  it("pages a long list", async () => {
    const names = Array.from({ length: 205 }, (_, i) => `t${i}`);
    const server = await RunningServer.start(
      names.map((n) => define(n, () => Promise.reject(new Error("no")))),
    );
    const client = new Client({ name: "test", version: "1" });
    await client.connect(new StreamableHTTPClientTransport(new URL(server.url)));
    const pages: string[][] = [];
    for (
      let cursor: string | undefined, first = true;
      first || cursor !== undefined;
      first = false
    ) {
      const page = await client.listTools(cursor === undefined ? {} : { cursor });
      pages.push(page.tools.map(({ name }) => name));
      cursor = page.nextCursor;
    }
    assert.deepEqual(
      pages.map(({ length }) => length),
      [100, 100, 5],
    );
    assert.deepEqual(pages.flat(), names);
    await client.close();
    await server.close();
  });

  it("keeps out pages and hosts of others", async () => {
    const access = { hosts: ["127.0.0.1", "localhost"] };
    const server = await RunningServer.start([], { access });
    const status = async (headers: Record<string, string>) =>
      (await server.post(rpc("ping"), headers)).status;
    assert.equal(await status({}), 200);
    assert.equal(await status({ origin: "http://localhost:3000" }), 200);
    assert.equal(await status({ origin: "https://evil.example" }), 403);
    assert.equal(await status({ origin: "null" }), 403);
    const answered = once(
      httpRequest(server.url, { method: "POST", headers: { host: "evil.example" } }).end("{}"),
      "response",
    );
    const [response] = (await answered) as [import("node:http").IncomingMessage];
    assert.equal(response.statusCode, 403);
    response.resume();
    await server.close();
  });

  it("takes the largest body from its options", async () => {
    const server = await RunningServer.start([], { maxBodyBytes: 100 });
    assert.equal((await server.post(rpc("ping", { pad: "x".repeat(100) }))).status, 413);
    assert.equal((await server.post(rpc("ping"))).status, 200);
    await server.close();
  });
});
