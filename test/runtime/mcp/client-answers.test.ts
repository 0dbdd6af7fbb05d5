import assert from "node:assert/strict";
import { once } from "node:events";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { afterEach, beforeEach, describe, it } from "mocha";
import { McpClientPool } from "../../../runtime/mcp/client-pool.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { failsWith, LogLines, never, settings } from "./pool-fixture.ts";
import { SdkServer, said, tool } from "./sdk-server.ts";

describe("runtime/mcp/McpClientPool, what servers answer", () => {
  let server: SdkServer;
  let pool: McpClientPool;
  let clock: FakeClock;
  let log: LogLines;
  const call = (name = "echo", args = {}) =>
    pool.callTool(settings(server.url), name, args, {}, never);

  beforeEach(async () => {
    clock = new FakeClock();
    log = new LogLines();
    server = await SdkServer.start();
    pool = new McpClientPool({ log: log.log, clock });
  });
  afterEach(async () => {
    await pool.close();
    assert.equal(clock.pending, 0, "timers are left");
    await server.close();
  });

  /** Answers every POST of a method itself. */
  function answerPosts(status: number, type: string, body: string, after = 0): void {
    let posts = 0;
    server.intercept = (request, response) => {
      if (request.method !== "POST" || posts++ < after) return false;
      response.writeHead(status, { "content-type": type }).end(body);
      return true;
    };
  }

  it("keeps names, descriptions, schemas and hints of tools, and those alone", async () => {
    server.pages = [[{ ...tool("a", { readOnlyHint: true, title: "A" }), title: "x" }]];
    assert.deepEqual(await pool.listTools(settings(server.url), {}, never), [
      {
        name: "a",
        description: "does a",
        inputSchema: { type: "object", properties: {} },
        hints: { readOnlyHint: true },
      },
    ]);
  });

  it("leaves out a tool that is not described as it should be, and keeps the others", async () => {
    const tools = [tool("good"), { name: "bad", inputSchema: { type: "string" } }, "worse", null];
    const result = { jsonrpc: "2.0", id: 1, result: { tools } };
    await call();
    answerPosts(200, "application/json", JSON.stringify({ ...result, id: 2 }));
    const listed = await pool.listTools(settings(server.url), {}, never);
    assert.deepEqual(
      listed.map(({ name }) => name),
      ["good"],
    );
    assert.deepEqual(log.lines[0]?.fields, { server: "kagent/peer", invalid: 3 });
  });

  it("stops at a cursor that comes again", async () => {
    server.endlessCursor = () => "7";
    assert.equal((await pool.listTools(settings(server.url), {}, never)).length, 4);
    assert.deepEqual(log.messages, ["list of tools cut"]);
  });

  it("stops after a hundred pages", async () => {
    let n = 10;
    server.endlessCursor = () => String((n += 1));
    assert.equal((await pool.listTools(settings(server.url), {}, never)).length, 200);
    assert.equal(server.lists, 100);
  });

  it("maps every kind of content to a part", async () => {
    server.answers["echo"] = () => ({
      content: [
        { type: "text", text: "hello" },
        { type: "image", data: "aGk=", mimeType: "image/png" },
        { type: "audio", data: "aGk=", mimeType: "audio/wav" },
        { type: "resource_link", uri: "file:///a", name: "a", mimeType: "text/plain" },
        { type: "resource", resource: { uri: "file:///b", text: "inside" } },
        { type: "resource", resource: { uri: "file:///c", blob: "aGk=", mimeType: "x/y" } },
      ],
      structuredContent: { rows: [1] },
    });
    assert.deepEqual(await call(), {
      text: [
        "hello",
        "[image/png content, 4 characters of base64]",
        "[audio/wav content, 4 characters of base64]",
        "[resource a file:///a]",
        "inside",
        "[x/y content, 4 characters of base64]",
      ].join("\n"),
      structured: { rows: [1] },
      parts: [
        { text: "hello" },
        { raw: "aGk=", mediaType: "image/png" },
        { raw: "aGk=", mediaType: "audio/wav" },
        { url: "file:///a", mediaType: "text/plain", filename: "a" },
        { text: "inside", metadata: { uri: "file:///b" } },
        { raw: "aGk=", mediaType: "x/y", metadata: { uri: "file:///c" } },
        { data: { rows: [1] }, mediaType: "application/json" },
      ],
    });
  });

  it("gives the model structured content that came without text", async () => {
    server.answers["echo"] = () => ({ content: [], structuredContent: { n: 1 } });
    assert.equal((await call()).text, '{"n":1}');
  });

  it("cuts a result at one mebibyte, between characters, and says so", async () => {
    server.answers["echo"] = () => ({ content: [{ type: "text", text: "€".repeat(500_000) }] });
    const { text, parts } = await call();
    assert.match(text, /^€+\n\[cut: 1048576 of 1500000 bytes shown\]$/);
    assert.equal(parts.length, 2);
  });

  it("takes a failing tool as a result", async () => {
    server.answers["echo"] = () => ({ content: [{ type: "text", text: "no pod" }], isError: true });
    const result = await call();
    assert.deepEqual([result.isError, result.text], [true, "no pod"]);
  });

  it("takes an error of JSON-RPC as a result: the model may learn from it", async () => {
    server.answers["nope"] = () => {
      throw Object.assign(new Error("tool nope not found"), { code: -32602 });
    };
    const result = await call("nope");
    assert.equal(result.isError, true);
    assert.match(result.text, /-32602.*tool nope not found/);
  });

  const wrong = [
    { what: "a page of HTML", status: 200, type: "text/html", code: "protocol", retryable: false },
    { what: "HTTP 400", status: 400, type: "text/plain", code: "protocol", retryable: false },
    { what: "HTTP 403", status: 403, type: "text/plain", code: "unauthorized", retryable: false },
    { what: "HTTP 500", status: 500, type: "text/plain", code: "unreachable", retryable: false },
    { what: "HTTP 503", status: 503, type: "text/plain", code: "unreachable", retryable: true },
    { what: "no body", status: 202, type: "text/plain", code: "unreachable", retryable: false },
    {
      what: "broken JSON",
      status: 200,
      type: "application/json",
      code: "protocol",
      retryable: false,
    },
    {
      what: "an empty stream",
      status: 200,
      type: "text/event-stream",
      code: "unreachable",
      retryable: false,
    },
  ] as const;
  for (const { what, status, type, code, retryable } of wrong) {
    it(`calls ${what} ${code}, without its text`, async () => {
      await call();
      answerPosts(status, type, status === 202 || type === "text/event-stream" ? "" : "hunter2");
      await assert.rejects(call("write"), (error) => {
        assert.doesNotMatch(String(error), /hunter2/);
        return failsWith({ code, retryable })(error);
      });
    });
  }

  it("refuses an answer that does not end", async () => {
    await call();
    server.intercept = (request, response) => {
      if (request.method !== "POST") return false;
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"jsonrpc":"');
      const more = () => {
        while (response.write("x".repeat(65_536)) && !response.destroyed);
      };
      response.on("drain", more);
      more();
      return true;
    };
    await assert.rejects(call(), failsWith({ code: "protocol", message: /too large/ }));
  });

  it("opens a new session after a 404, but does not repeat a call that may change something", async () => {
    await pool.listTools(settings(server.url), {}, never);
    server.forgetSessions();
    await assert.rejects(
      call("write"),
      failsWith({ code: "unreachable", retryable: false, message: /lost the session/ }),
    );
    assert.equal(server.calls.length, 0);
    assert.equal((await call("write")).text, "{}");
  });

  it("lets calls of a lost session end, and closes its connection after them", async () => {
    const answer = Promise.withResolvers<CallToolResult>();
    server.answers["slow"] = () => answer.promise;
    await pool.listTools(settings(server.url), {}, never);
    while (server.streams.length === 0) await once(server.events, "request");
    const seen = once(server.events, "call");
    const slow = call("slow");
    await seen;
    server.forgetSessions();
    assert.equal((await call("echo")).text, "{}");
    const [old] = server.streams;
    assert.equal(old?.closed, false);
    const closed = once(old, "close");
    answer.resolve(said("at last"));
    assert.equal((await slow).text, "at last");
    await closed;
  });

  it("knows a lost session by the words of a 400, too", async () => {
    await pool.listTools(settings(server.url), {}, never);
    answerPosts(
      400,
      "application/json",
      '{"error":{"message":"Bad Request: Server not initialized"}}',
    );
    const again = call("echo");
    await once(server.events, "request");
    server.intercept = () => false;
    assert.equal((await again).text, "{}");
    assert.equal(server.sessions, 2);
  });

  it("lets configured headers win and keeps the transport's own out of reach", async () => {
    const headers = { Authorization: "Bearer configured", "X-Team": "sre" };
    const ofCall = {
      authorization: "Bearer forged",
      host: "evil",
      "mcp-session-id": "x",
      "x-a": "1",
    };
    await pool.callTool(settings(server.url, { headers }), "echo", {}, { headers: ofCall }, never);
    const last = server.requests.findLast(({ method }) => method === "POST")?.headers;
    assert.equal(last?.authorization, "Bearer configured");
    assert.equal(last["x-team"], "sre");
    assert.equal(last["x-a"], "1");
    assert.match(last.host ?? "", /^127\.0\.0\.1:/);
  });

  it("follows a redirect within the server, with the headers of the call, and no other", async () => {
    let location = "/mcp/";
    server.intercept = ({ url }, response) => {
      if (url !== "/mcp") return false;
      response.writeHead(307, { location }).end("moved");
      return true;
    };
    const headers = { traceparent: "00-1" };
    const peer = settings(server.url);
    const { text } = await pool.callTool(peer, "echo", { a: 1 }, { headers }, never);
    assert.equal(text, '{"a":1}');
    assert.equal(server.requests.at(-1)?.headers["traceparent"], "00-1");
    const elsewhere = await SdkServer.start();
    location = elsewhere.url;
    await assert.rejects(call(), failsWith({ code: "protocol", message: /HTTP 307/ }));
    assert.equal(elsewhere.requests.length, 0);
    await elsewhere.close();
  });

  it("ends its session at the server when it is told to, and else leaves it", async () => {
    await call();
    await pool.callTool(settings(server.url, { terminateOnClose: false }), "echo", {}, {}, never);
    assert.equal(server.sessions, 2);
    await pool.close();
    assert.equal(server.requests.filter(({ method }) => method === "DELETE").length, 1);
    assert.equal(server.sessions, 1);
  });

  it("does not wait for a server that will not end a session", async () => {
    await call();
    server.intercept = ({ method }) => method === "DELETE";
    const asked = once(server.events, "request");
    const closed = pool.close();
    await asked;
    await clock.advance(1_000);
    await closed;
  });
});
