import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { ToolServerSettings } from "../../../runtime/api/agent-config.ts";
import { McpClientPool, type PoolOptions } from "../../../runtime/mcp/client-pool.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { failsWith, LogLines, macrotask, never, settings } from "./pool-fixture.ts";
import { SdkServer, type SeenCall, tool } from "./sdk-server.ts";

/** What holds for servers of either transport. */
function transportContract(protocol: "STREAMABLE_HTTP" | "SSE"): void {
  describe(`runtime/mcp/McpClientPool over ${protocol}`, () => {
    let server: SdkServer;
    let pool: McpClientPool;
    let clock: FakeClock;
    let log: LogLines;
    const at = (over: Partial<ToolServerSettings> = {}) =>
      settings(server.url, { protocol, ...over });
    const openPool = (options: Partial<PoolOptions> = {}) => {
      return new McpClientPool({ log: log.log, clock, ...options });
    };

    beforeEach(async () => {
      clock = new FakeClock();
      log = new LogLines();
      server = await SdkServer.start(protocol);
      pool = openPool();
    });
    afterEach(async () => {
      await pool.close();
      assert.equal(clock.pending, 0, "timers are left");
      await server.close();
    });

    it("lists the tools of all pages", async () => {
      const names = Array.from({ length: 250 }, (_, i) => `tool-${i}`);
      server.pages = [0, 100, 200].map((from) => names.slice(from, from + 100).map((n) => tool(n)));
      const tools = await pool.listTools(at(), {}, never);
      assert.deepEqual(
        tools.map(({ name }) => name),
        names,
      );
    });

    it("remembers a list until it is old", async () => {
      await pool.listTools(at(), {}, never);
      await pool.listTools(at(), {}, never);
      assert.equal(server.lists, 1);
      await clock.advance(30_001);
      await pool.listTools(at(), {}, never);
      assert.equal(server.lists, 2);
    });

    it("lists anew once the server says that its tools changed", async () => {
      await pool.listTools(at(), {}, never);
      server.pages = [[tool("new")]];
      // The stream for announcements is opened after the handshake: wait for the server to have it.
      if (protocol === "STREAMABLE_HTTP" && !server.requests.some((r) => r.method === "GET")) {
        await once(server.events, "request");
      }
      await server.announceTools();
      for (let name: string | undefined; name !== "new"; ) {
        await macrotask();
        name = (await pool.listTools(at(), {}, never))[0]?.name;
      }
    });

    it("does not remember a list that became old while it was made", async () => {
      server.changesWhileListing = true;
      await pool.listTools(at(), {}, never);
      await pool.listTools(at(), {}, never);
      assert.equal(server.lists, 2);
    });

    it("hands over arguments and text", async () => {
      const result = await pool.callTool(at(), "echo", { a: { b: [1] } }, {}, never);
      assert.deepEqual(result, { text: '{"a":{"b":[1]}}', parts: [{ text: '{"a":{"b":[1]}}' }] });
    });

    it("runs fifty calls at once over one session", async () => {
      const all = Array.from({ length: 50 }, (_, i) =>
        pool.callTool(at(), "echo", { i }, {}, never).then(({ text }) => text),
      );
      assert.deepEqual(
        await Promise.all(all),
        all.map((_, i) => `{"i":${i}}`),
      );
      assert.equal(server.sessions, 1);
    });

    it("tells the server of an abort and rejects with the caller's reason", async () => {
      server.answers["echo"] = hang;
      const seen = once(server.events, "call");
      const stop = new AbortController();
      const call = pool.callTool(at(), "echo", {}, {}, stop.signal);
      const [{ signal }] = (await seen) as [SeenCall];
      const cancelled = once(signal, "abort");
      const reason = new Error("the turn was cancelled");
      stop.abort(reason);
      await assert.rejects(call, (error) => error === reason);
      await cancelled;
    });

    it("gives up after silence, and tells the server", async () => {
      server.answers["echo"] = hang;
      const seen = once(server.events, "call");
      const call = pool.callTool(at({ sseReadTimeoutMs: 5_000 }), "echo", {}, {}, never);
      const [{ signal }] = (await seen) as [SeenCall];
      const cancelled = once(signal, "abort");
      await Promise.all([
        assert.rejects(call, failsWith({ code: "timeout", message: /no progress for 5000 ms/ })),
        clock.advance(5_000),
      ]);
      await cancelled;
    });

    it("goes on while there is progress, up to the limit of the whole", async () => {
      server.answers["echo"] = hang;
      const seen = once(server.events, "call");
      const told: unknown[] = [];
      let tell = Promise.withResolvers<undefined>();
      const onProgress = (progress: unknown) => {
        told.push(progress);
        tell.resolve(undefined);
      };
      const timeouts = { idleMs: 1_000, totalMs: 2_500 };
      const call = pool.callTool(at(), "echo", {}, { timeouts, onProgress }, never);
      const rejected = assert.rejects(
        call,
        failsWith({ code: "timeout", message: /within 2500 ms/ }),
      );
      const [{ progress }] = (await seen) as [SeenCall];
      for (const step of [1, 2]) {
        await clock.advance(900);
        await progress(step);
        await tell.promise;
        tell = Promise.withResolvers();
      }
      await clock.advance(700);
      await rejected;
      assert.deepEqual(told, [
        { progress: 1, total: 3, message: "step 1" },
        { progress: 2, total: 3, message: "step 2" },
      ]);
    });

    it("survives a server that lost its sessions: a read-only call is made again", async () => {
      await pool.listTools(at(), {}, never);
      server.restart();
      const { text } = await pool.callTool(at(), "echo", { again: true }, {}, never);
      assert.equal(text, '{"again":true}');
      assert.equal((await pool.listTools(at(), {}, never)).length, 2);
    });

    it("survives it with twenty calls at once, over one new session", async () => {
      await pool.listTools(at(), {}, never);
      server.restart();
      const all = Array.from({ length: 20 }, () => pool.callTool(at(), "echo", {}, {}, never));
      for (const { text } of await Promise.all(all)) assert.equal(text, "{}");
      assert.equal(server.sessions, 1);
      assert.deepEqual(log.messages, ["session with a tool server lost"]);
    });

    for (const when of ["before the answer began", "in the middle of the answer"]) {
      it(`fails at once when the server dies ${when}, and works when it is back`, async () => {
        server.answers["write"] = hang;
        const seen = once(server.events, "call");
        const begun = Promise.withResolvers<unknown>();
        const call = pool.callTool(at(), "write", {}, { onProgress: begun.resolve }, never);
        const [{ progress }] = (await seen) as [SeenCall];
        if (when === "in the middle of the answer") {
          await progress(1);
          await begun.promise;
        }
        const failed = assert.rejects(
          call,
          failsWith({ code: "unreachable", retryable: false, message: /broke/ }),
        );
        server.restart();
        await failed;
        assert.equal(server.calls.length, 1, "a call that may change something is not repeated");
        server.answers = {};
        assert.equal((await pool.callTool(at(), "write", {}, {}, never)).text, "{}");
      });
    }

    it("makes a broken call again when the caller says that it does no harm", async () => {
      server.answers["write"] = hang;
      const seen = once(server.events, "call");
      const call = pool.callTool(at(), "write", { n: 1 }, { idempotent: true }, never);
      await seen;
      server.answers = {};
      server.restart();
      assert.equal((await call).text, '{"n":1}');
    });

    it("leaves no connection open after close", async () => {
      await pool.callTool(at(), "echo", {}, {}, never);
      await pool.callTool(at(), "echo", {}, { headers: { "x-user-id": "ann" } }, never);
      assert.equal(pool.size, 2);
      await pool.close();
      while ((await server.connections()) > 0) await macrotask();
      await assert.rejects(
        pool.callTool(at(), "echo", {}, {}, never),
        failsWith({ code: "unreachable", retryable: false, message: /closed/ }),
      );
    });

    it("fails calls under way when it is closed", async () => {
      server.answers["echo"] = hang;
      const seen = once(server.events, "call");
      const call = pool.callTool(at(), "echo", {}, {}, never);
      await seen;
      const rejected = assert.rejects(call, failsWith({ code: "unreachable", message: /closed/ }));
      await pool.close();
      await rejected;
    });

    it("says unauthorized on 401, without a word of the credentials", async () => {
      server.intercept = (_, response) => {
        response.writeHead(401).end("bad token hunter2");
        return true;
      };
      const server401 = at({ headers: { Authorization: "Bearer hunter2" } });
      await assert.rejects(pool.listTools(server401, {}, never), (error) => {
        assert.doesNotMatch(String(error), /hunter2/);
        return failsWith({ code: "unauthorized", retryable: false })(error);
      });
    });

    it("says unreachable when nobody listens", async () => {
      const gone = await SdkServer.start(protocol);
      const { url } = gone;
      await gone.close();
      await assert.rejects(
        pool.listTools(settings(url, { protocol }), {}, never),
        failsWith({ code: "unreachable", retryable: true, message: /ECONNREFUSED/ }),
      );
    });

    it("limits the time of connecting", async () => {
      const silent = createTcpServer();
      silent.listen(0, "127.0.0.1");
      await once(silent, "listening");
      const connected = once(silent, "connection");
      const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/mcp`;
      const call = pool.listTools(settings(url, { protocol }), {}, never);
      const [socket] = (await connected) as [Socket];
      socket.resume();
      const closed = once(socket, "close");
      await Promise.all([
        assert.rejects(
          call,
          failsWith({ code: "timeout", retryable: true, message: /no connection within/ }),
        ),
        clock.advance(10_000),
      ]);
      await closed;
      silent.close();
    });

    it("keeps connections apart by user, and shares them over tracing headers", async () => {
      const call = (headers: Record<string, string>) =>
        pool.callTool(at(), "echo", {}, { headers }, never);
      await call({ "X-User-Id": "ann", traceparent: "00-1" });
      await call({ "x-user-id": "ann", traceparent: "00-2", "x-kagent-root-context-id": "c" });
      assert.equal(pool.size, 1);
      await call({ "x-user-id": "bob" });
      assert.equal(pool.size, 2);
      const traces = server.requests.flatMap(({ headers }) => headers["traceparent"] ?? []);
      assert.deepEqual(traces, ["00-1", "00-2"]);
    });

    it("closes what nobody used for a while", async () => {
      await pool.callTool(at(), "echo", {}, {}, never);
      await clock.advance(300_000);
      await clock.advance(300_000);
      assert.equal(pool.size, 0);
      while ((await server.connections()) > 0) await macrotask();
      assert.equal((await pool.callTool(at(), "echo", {}, {}, never)).text, "{}");
    });

    it("makes room by closing the connection that is idle longest", async () => {
      await pool.close();
      pool = openPool({ maxConnections: 2 });
      for (const user of ["a", "b", "c"]) {
        await pool.callTool(at(), "echo", {}, { headers: { "x-user-id": user } }, never);
        await clock.advance(1);
      }
      assert.equal(pool.size, 2);
    });
  });
}

const hang = (call: SeenCall) =>
  new Promise<never>((_, reject) => {
    call.signal.addEventListener("abort", () => {
      reject(new Error("aborted"));
    });
  });

transportContract("STREAMABLE_HTTP");
transportContract("SSE");
