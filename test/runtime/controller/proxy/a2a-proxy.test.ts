import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { AgentUpdate } from "../../../../runtime/a2a/client.ts";
import { callAgent } from "../../../../runtime/a2a/client.ts";
import { a2aApp } from "../../../../runtime/a2a/http.ts";
import { refKey } from "../../../../runtime/api/names.ts";
import { trustedProxy } from "../../../../runtime/process/auth/authenticators.ts";
import { peers } from "../../../../runtime/process/auth/peers.ts";
import { silentLog } from "../../../../runtime/telemetry/log.ts";
import { card, readSse, serveApp, type TestServer } from "../../../support/a2a-server.ts";
import { agentConfig } from "../../../support/agent-config.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { ScriptedTasks } from "../../../support/scripted-tasks.ts";
import { LogLines } from "../../mcp/pool-fixture.ts";
import { Front, message, ownAgent, USER } from "./proxy-fixture.ts";

type Json = Record<string, unknown>;

/** A worker of which only the bytes count. */
class RawWorker {
  readonly seen: { url: string; headers: IncomingMessage["headers"]; body: string }[] = [];
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void = (
    _,
    response,
  ) => void response.end("{}");
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      this.seen.push({ url: request.url ?? "", headers: request.headers, body });
      this.answer(request, response, body);
    });
  });

  async start(port = 0): Promise<string> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** A port on which nobody listens. */
async function deadUrl(): Promise<string> {
  const server = createTcpServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}

async function seedTask(front: Front, agent: string, id: string, over: { user?: string } = {}) {
  const { sessions } = front.store;
  const user = over.user ?? USER;
  const ref = { namespace: "kagent", name: agent };
  const contextId = `context-of-${id}`;
  await sessions.ensureSession({
    id: contextId,
    agent: ref,
    user,
    name: "s",
    source: "user",
    rootContextId: contextId,
  });
  await sessions.createTask({ id, contextId, agent: ref, user });
  const event = (body: Parameters<typeof sessions.append>[1][number]["body"]) => ({
    id: `${id}-${Math.random()}`,
    time: new Date().toISOString(),
    contextId,
    taskId: id,
    author: refKey(ref),
    body,
  });
  await sessions.append(contextId, [event({ type: "status", state: "working" })]);
  return {
    contextId,
    say: (text: string) =>
      sessions.append(contextId, [event({ type: "message", role: "agent", parts: [{ text }] })]),
    end: () => sessions.append(contextId, [event({ type: "status", state: "completed" })]),
    run: async (url: string) => {
      await sessions.heartbeat({ id: "worker/1", url });
      await sessions.claimTask(id, "worker/1");
    },
  };
}

describe("runtime/controller/proxy/a2a-proxy", () => {
  let worker: RawWorker;
  let workerUrl: string;
  let front: Front;
  beforeEach(async () => {
    worker = new RawWorker();
    workerUrl = await worker.start();
  });
  afterEach(async () => {
    await front.close();
    await worker.stop();
  });
  const open = (options: Partial<Parameters<typeof Front.open>[0]> = {}): Promise<Front> =>
    Front.open({ agents: [ownAgent("worker-agent")], workerUrl, ...options });
  const json = async (response: Promise<Response> | Response) =>
    (await (await response).json()) as {
      id?: unknown;
      result?: Json;
      error?: { code: number; message: string };
    };

  describe("passes messages on", () => {
    it("body and answer byte by byte, whichever version, to the agent's endpoint", async () => {
      front = await open();
      worker.answer = (_, response) => {
        response.writeHead(200, { "content-type": "application/json", "x-of-worker": "1" });
        response.end('{"odd"  :  "bytes"}');
      };
      for (const version of ["0.3", "1.0", undefined]) {
        const headers = version === undefined ? {} : { "a2a-version": version };
        const response = await front.rpc(
          "worker-agent",
          "message/send",
          { x: "\u00fc" },
          { headers },
        );
        assert.equal(response.headers.get("x-of-worker"), "1");
        assert.equal(await response.text(), '{"odd"  :  "bytes"}');
        const seen = worker.seen.at(-1)!;
        assert.equal(seen.url, "/agents/kagent/worker-agent/");
        assert.equal(seen.headers["a2a-version"], version);
        assert.equal((JSON.parse(seen.body) as Json)["params"] !== undefined, true);
      }
    });

    it("says who calls and proves itself; what the client said of that ends here", async () => {
      front = await open({
        authenticator: {
          authenticate: () =>
            Promise.resolve({ kind: "user", name: "ana", groups: ["dev", "sre"], trusted: false }),
        },
      });
      await front.rpc("worker-agent", "message/send", message("x"), {
        headers: {
          "x-user-id": "root",
          "x-user-groups": "admins",
          "x-kagent-source": "agent",
          "x-kagent-root-context-id": "stolen",
          "x-kagent-approver": "boss",
          "x-kagent-authorization": "Bearer forged",
          "x-agent-name": "kagent__NS__other",
          "x-share-token": "s",
          authorization: "Bearer of-ana",
          cookie: "a=b",
          traceparent: "00-1-2-01",
        },
      });
      const { headers } = worker.seen[0]!;
      assert.equal(headers["x-user-id"], "ana");
      assert.equal(headers["x-user-groups"], "dev,sre");
      assert.equal(headers.authorization, "Bearer own-token");
      assert.equal(headers["traceparent"], "00-1-2-01");
      const gone = Object.keys(headers).filter((name) =>
        /kagent|agent-name|share|cookie/.test(name),
      );
      assert.deepEqual(gone, []);
    });

    it("keeps what trusted services say of lineage", async () => {
      front = await open(); // unsecure: everybody on this machine is trusted
      await front.rpc("worker-agent", "message/send", message("x"), {
        headers: {
          "x-kagent-source": "agent",
          "x-kagent-root-context-id": "root",
          "x-agent-name": "kagent__NS__other",
        },
      });
      const { headers } = worker.seen[0]!;
      assert.equal(headers["x-kagent-source"], "agent");
      assert.equal(headers["x-kagent-root-context-id"], "root");
      assert.equal(headers["x-agent-name"], "kagent__NS__other");
    });

    it("hands the caller's own token to an agent that passes it on, and to no other", async () => {
      const config = agentConfig();
      const passing = agentConfig({ model: { ...config.model, apiKeyPassthrough: true } });
      front = await open({
        agents: [ownAgent("keeps", { config }), ownAgent("passes", { config: passing })],
      });
      const headers = { authorization: "Bearer of-ana" };
      await front.rpc("keeps", "message/send", message("x"), { headers });
      await front.rpc("passes", "message/send", message("x"), { headers });
      const tokens = worker.seen.map((seen) => seen.headers["x-kagent-authorization"]);
      assert.deepEqual(tokens, [undefined, "Bearer of-ana"]);
    });

    it("sends a message again when it has reached nobody", async () => {
      const clock = new FakeClock();
      const dead = await deadUrl();
      front = await open({ clock, over: { address: () => new URL(dead) } });
      const answer = front.rpc("worker-agent", "message/send", message("x"));
      while (clock.pending === 0) await new Promise(setImmediate);
      const late = new RawWorker();
      await late.start(Number(new URL(dead).port));
      let status = 0;
      const done = answer.then((response) => {
        ({ status } = response);
      });
      while (status === 0) await clock.advance(50);
      await done;
      assert.equal(status, 200);
      assert.equal(late.seen.length, 1);
      await late.stop();
    });

    it("says so when it reaches nobody again", async () => {
      const dead = await deadUrl();
      front = await open({ over: { address: () => new URL(dead) } });
      const { id, error } = await json(front.rpc("worker-agent", "message/send", message("x")));
      assert.equal(id, 7);
      assert.match(
        error?.message ?? "",
        /kagent\/worker-agent does not answer; nothing was started/,
      );
    });

    it("sends no message twice when the worker may have seen it", async () => {
      front = await open();
      worker.answer = (request) => void request.socket.destroy();
      const response = await front.rpc("worker-agent", "message/send", message("x"));
      assert.equal(response.status, 502);
      assert.match((await json(response)).error?.message ?? "", /broke off/);
      assert.equal(worker.seen.length, 1);
    });

    it("says of an agent that is not accepted why", async () => {
      const violations = [{ path: "spec.x", message: "is wrong" }];
      front = await open({
        agents: [ownAgent("broken", { violations })],
        over: { address: () => new URL("http://127.0.0.1:1") },
      });
      const { error } = await json(front.rpc("broken", "message/send", message("x")));
      assert.match(error?.message ?? "", /not accepted: spec.x: is wrong/);
    });

    it("refuses a body that is too large before the worker sees it", async () => {
      front = await open();
      const response = await front.rpc(
        "worker-agent",
        "message/send",
        message("x".repeat(1_100_000)),
      );
      assert.equal(response.status, 413);
      assert.equal(worker.seen.length, 0);
    });

    it("goes on with a conversation at the process that runs it", async () => {
      front = await open({ workerUrl: await deadUrl() });
      const { contextId, run } = await seedTask(front, "worker-agent", "t-1");
      await run(workerUrl);
      await front.rpc("worker-agent", "message/send", message("and?", { contextId }));
      await front.rpc("worker-agent", "message/stream", message("yes", { taskId: "t-1" }));
      assert.deepEqual(
        worker.seen.map(({ url }) => url),
        ["/agents/kagent/worker-agent/", "/agents/kagent/worker-agent/"],
      );
    });
  });

  describe("keeps streams alive", () => {
    const events = { "content-type": "text/event-stream" };

    it("by a comment after 15 s of silence between two events, never inside one", async () => {
      const clock = new FakeClock();
      front = await open({ clock });
      const stream = Promise.withResolvers<ServerResponse>();
      worker.answer = (_, response) => {
        response.writeHead(200, events).flushHeaders();
        stream.resolve(response);
      };
      const response = await front.rpc("worker-agent", "message/stream", message("x"));
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      const upstream = await stream.promise;
      await clock.advance(15_000);
      assert.equal((await reader.read()).value, ": keep-alive\n\n");
      upstream.write("data: {");
      assert.equal((await reader.read()).value, "data: {");
      await clock.advance(60_000);
      upstream.write("}\n");
      assert.equal((await reader.read()).value, "}\n");
      await clock.advance(60_000);
      upstream.write("\n");
      assert.equal((await reader.read()).value, "\n");
      await clock.advance(15_000); // something was heard in this time
      await clock.advance(15_000);
      assert.equal((await reader.read()).value, ": keep-alive\n\n");
      upstream.end();
      assert.equal((await reader.read()).done, true);
      while (clock.pending > 0) await new Promise(setImmediate);
    });

    it("drops the worker's stream when the client leaves, and breaks off when the worker does", async () => {
      front = await open();
      const closed = Promise.withResolvers<undefined>();
      worker.answer = (_, response) => {
        response.writeHead(200, events).write("data: 1\n\n");
        response.once("close", () => {
          closed.resolve(undefined);
        });
      };
      const leave = new AbortController();
      await front.rpc("worker-agent", "message/stream", message("x"), { signal: leave.signal });
      leave.abort();
      await closed.promise;
      worker.answer = (_, response) => {
        response.writeHead(200, events);
        response.write("data: 1\n\n", () => response.destroy());
      };
      const broken = await front.rpc("worker-agent", "message/stream", message("x"));
      await assert.rejects(broken.text());
    });
  });

  describe("answers itself", () => {
    it("cards with its own address", async () => {
      front = await open();
      const response = await fetch(`${front.url("worker-agent")}.well-known/agent-card.json`);
      const { url, name } = (await response.json()) as Json;
      assert.equal(url, "http://kagent.example/api/a2a/kagent/worker-agent/");
      assert.equal(name, "worker_agent");
    });

    it("what the store knows: get and list, in both versions", async () => {
      front = await open();
      const task = await seedTask(front, "worker-agent", "t-1");
      await task.say("forty-two");
      await task.end();
      const got = await json(front.rpc("worker-agent", "tasks/get", { id: "t-1" }));
      assert.equal(got.result?.["kind"], "task");
      assert.equal((got.result["status"] as Json)["state"], "completed");
      const modern = { headers: { "a2a-version": "1.0" } };
      const listed = await json(front.rpc("worker-agent", "ListTasks", {}, modern));
      assert.equal((listed.result?.["tasks"] as Json[]).length, 1);
      assert.equal(worker.seen.length, 0);
    });

    it("a task that belongs to another user as one that is not there", async () => {
      front = await open();
      await seedTask(front, "worker-agent", "t-1", { user: "ben" });
      for (const method of ["tasks/get", "tasks/cancel", "tasks/resubscribe"])
        assert.equal(
          (await json(front.rpc("worker-agent", method, { id: "t-1" }))).error?.code,
          -32001,
        );
    });

    it("an unknown agent, path and request that is none", async () => {
      front = await open();
      const unknown = await front.rpc("nobody", "message/send", message("x"));
      assert.equal(unknown.status, 404);
      assert.match((await json(unknown)).error?.message ?? "", /kagent\/nobody not found/);
      assert.equal((await fetch(`${front.url("worker-agent")}..%2f`)).status, 404);
      assert.equal((await fetch(front.url("worker-agent"), { method: "PUT" })).status, 405);
      const headers = { "content-type": "application/json" };
      const broken = await fetch(front.url("worker-agent"), { method: "POST", headers, body: "{" });
      assert.equal((await json(broken)).error?.code, -32700);
    });

    it("a caller who is not on the agent's list with 403", async () => {
      const entry = ownAgent("guarded");
      const annotations = { "kagent.dev/allowed-users": "ana", "kagent.dev/allowed-groups": "sre" };
      const metadata = { ...entry.object.metadata, annotations };
      front = await open({ agents: [{ ...entry, object: { ...entry.object, metadata } }] });
      const as = (headers: Record<string, string>) =>
        front.rpc("guarded", "message/send", message("x"), { headers });
      assert.equal((await as({ "x-user-id": "ben" })).status, 403);
      assert.equal((await as({ "x-user-id": "ben", "x-user-groups": "sre" })).status, 200);
      assert.equal((await as({ "x-user-id": "ana" })).status, 200);
      assert.equal(worker.seen.length, 2);
    });

    it("who cannot say who it is with 401", async () => {
      const none = { principal: () => Promise.resolve(undefined) };
      front = await open({
        authenticator: trustedProxy({
          services: none,
          trusts: () => true,
          log: silentLog,
          peers: peers([]),
        }),
      });
      const headers = { "x-user-id": "ana" };
      assert.equal(
        (await front.rpc("worker-agent", "tasks/get", { id: "t" }, { headers })).status,
        401,
      );
    });
  });

  describe("finds who runs a task", () => {
    it("sends cancel and resubscribe there, in both versions", async () => {
      front = await open({ workerUrl: await deadUrl() });
      const task = await seedTask(front, "worker-agent", "t-1");
      await task.run(workerUrl);
      for (const [method, version] of [
        ["tasks/cancel", "0.3"],
        ["tasks/resubscribe", "0.3"],
        ["CancelTask", "1.0"],
        ["SubscribeToTask", "1.0"],
      ] as const)
        await front.rpc(
          "worker-agent",
          method,
          { id: "t-1" },
          { headers: { "a2a-version": version } },
        );
      assert.deepEqual(
        worker.seen.map(({ body }) => (JSON.parse(body) as Json)["method"]),
        ["tasks/cancel", "tasks/resubscribe", "CancelTask", "SubscribeToTask"],
      );
    });

    it("settles a cancel in the store when nobody does, or who did is gone", async () => {
      front = await open();
      await seedTask(front, "worker-agent", "t-1");
      const orphan = await json(front.rpc("worker-agent", "tasks/cancel", { id: "t-1" }));
      assert.equal((orphan.result?.["status"] as Json)["state"], "canceled");
      const task = await seedTask(front, "worker-agent", "t-2");
      await task.run(await deadUrl());
      const widow = await json(front.rpc("worker-agent", "tasks/cancel", { id: "t-2" }));
      assert.equal((widow.result?.["status"] as Json)["state"], "canceled");
      await assert.rejects(task.end(), /it is over/);
      assert.equal(worker.seen.length, 0);
    });

    it("refuses to cancel what is over", async () => {
      front = await open();
      await (await seedTask(front, "worker-agent", "t-1")).end();
      const { error } = await json(front.rpc("worker-agent", "tasks/cancel", { id: "t-1" }));
      assert.equal(error?.code, -32002);
    });

    it("follows a task in the store when nobody streams it", async () => {
      front = await open();
      const task = await seedTask(front, "worker-agent", "t-1");
      const response = await front.rpc("worker-agent", "tasks/resubscribe", { id: "t-1" });
      const states: unknown[] = [];
      for await (const { event, data } of readSse(response)) {
        if (event === "comment") continue;
        const { result } = data as { result: Json };
        states.push(
          result["kind"] === "artifact-update" ? "artifact" : (result["status"] as Json)["state"],
        );
        if (states.length !== 1) continue;
        await task.say("done");
        await task.end();
      }
      assert.deepEqual(states, ["working", "working", "artifact", "completed"]);
    });
  });

  it("carries a whole turn of our own client, from a worker of ours", async () => {
    const tasks = new ScriptedTasks({
      "kagent/worker-agent": (turn) => {
        turn.partial("for");
        turn.say(`forty-two for ${turn.caller.user}`);
      },
    });
    const server: TestServer = await serveApp(
      a2aApp({
        agents: (ref) => ({ ...card(ref.name), ref }),
        tasks,
        caller: (request) => ({ user: request.headers.get("x-user-id") ?? "nobody", headers: {} }),
        baseUrl: "http://worker",
        prefix: "/agents",
        log: silentLog,
      }),
    );
    const log = new LogLines();
    front = await open({ workerUrl: server.url, log: log.log });
    const updates: AgentUpdate[] = [];
    const call = {
      url: front.url("worker-agent"),
      parts: [{ text: "6 * 7?" }],
      headers: { "x-user-id": "ana" },
    };
    for await (const update of callAgent(call, AbortSignal.timeout(4_000))) updates.push(update);
    const last = updates.at(-1);
    assert.equal(last?.kind === "result" ? last.state : "", "completed");
    assert.match(JSON.stringify(last), /forty-two for ana/);
    assert.ok(updates.some(({ kind }) => kind === "partial"));
    assert.deepEqual(log.lines, []);
    await server.close();
  });
});
