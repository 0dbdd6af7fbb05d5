import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterEach, beforeEach, describe, it } from "mocha";
import { a2aApp } from "../../../../runtime/a2a/http.ts";
import { RESOURCES } from "../../../../runtime/api/cluster.ts";
import type { KubeObject } from "../../../../runtime/api/cluster-reader.ts";
import type { NewEvent } from "../../../../runtime/api/events.ts";
import { ControllerProcess } from "../../../../runtime/controller/role/controller-process.ts";
import { controllerSettings } from "../../../../runtime/controller/role/settings.ts";
import { MemoryCluster } from "../../../../runtime/kube/memory-cluster.ts";
import { systemClock } from "../../../../runtime/process/clock.ts";
import { openStore, type Store } from "../../../../runtime/store/open-store.ts";
import { silentLog } from "../../../../runtime/telemetry/log.ts";
import { prometheusMeter } from "../../../../runtime/telemetry/meter.ts";
import { card, serveApp, type TestServer } from "../../../support/a2a-server.ts";
import { ScriptedTasks } from "../../../support/scripted-tasks.ts";
import { DEFAULT_MODEL, writtenAgent } from "../kagent-objects.ts";
import { message } from "../proxy/proxy-fixture.ts";

type Json = Record<string, unknown>;

const signal = new AbortController().signal;
const account = (name: string) => `system:serviceaccount:kagent:${name}`;
const bearer = (name: string) => ({ authorization: `Bearer ${name}` });

describe("runtime/controller/role/controller-process", () => {
  let cluster: MemoryCluster;
  let store: Store;
  let worker: TestServer;
  let lifetime: AbortController;
  let process: ControllerProcess;
  let callers: { user: string; approver: string | null; source: string | null }[];

  const open = async (env: Record<string, string> = {}): Promise<ControllerProcess> => {
    const settings = controllerSettings({
      HTTP_SERVER_ADDRESS: "127.0.0.1:0",
      MCP_SERVER_ADDRESS: "0",
      HEALTH_PROBE_BIND_ADDRESS: "0",
      KAGENT_WORKER_IMAGE: "worker:1",
      KAGENT_TOKEN_PATH: "/nonexistent/token",
      KAGENT_DRAIN_SECONDS: "0",
      ...env,
    });
    const opened = new ControllerProcess({
      settings,
      cluster,
      store,
      meter: await prometheusMeter(),
      clock: systemClock,
      log: silentLog,
      version: { version: "1.2.3", commit: "abc" },
      jwks: () => undefined,
      address: ({ namespace, name }) => new URL(`${worker.url}/agents/${namespace}/${name}/`),
      signal: lifetime.signal,
    });
    for (const service of opened.services) await service.start(lifetime.signal);
    return opened;
  };
  const create = (kind: keyof typeof RESOURCES, object: unknown) =>
    cluster.create(RESOURCES[kind], object as KubeObject, signal);
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${process.port}${path}`, { headers });
  const ask = (agent: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${process.port}/api/a2a/kagent/${agent}/`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "message/send",
        params: message("hi"),
      }),
    });
  const ui = bearer("ui");

  beforeEach(async () => {
    lifetime = new AbortController();
    callers = [];
    cluster = new MemoryCluster({
      clock: systemClock,
      newId: randomUUID,
      tokenOwner: (token) =>
        token.startsWith("none")
          ? undefined
          : { user: account(token), groups: [], audiences: ["kagent"] },
    });
    store = await openStore({ path: ":memory:" });
    const tasks = new ScriptedTasks({
      "kagent/one": (turn) => {
        turn.say(`hello ${turn.caller.user}`);
      },
    });
    worker = await serveApp(
      a2aApp({
        agents: (ref) => ({ ...card(ref.name), ref }),
        tasks,
        caller: ({ headers }) => {
          const user = headers.get("x-user-id") ?? "nobody";
          const approver = headers.get("x-kagent-approver");
          callers.push({ user, approver, source: headers.get("x-kagent-source") });
          return { user, headers: {} };
        },
        baseUrl: "http://worker",
        prefix: "/agents",
        log: silentLog,
      }),
    );
    await create("ModelConfig", DEFAULT_MODEL);
    await create("Agent", writtenAgent("one"));
    const guarded = writtenAgent("guarded") as { metadata: Json };
    const annotations = { "kagent.dev/allowed-users": "ben" };
    await create("Agent", { ...guarded, metadata: { ...guarded.metadata, annotations } });
  });
  afterEach(async () => {
    lifetime.abort(new Error("over"));
    for (const service of process.services.toReversed()) await service.stop();
    await worker.close();
    await store.close();
  });

  it("lets a trusted service ask an agent for its user, and nobody else", async () => {
    process = await open();
    const answer = await ask("one", { ...ui, "x-user-id": "ana" });
    assert.match(await answer.text(), /hello ana/);
    assert.equal((await ask("one")).status, 401);
    assert.equal((await ask("one", { "x-user-id": "ana" })).status, 401);
    assert.equal((await ask("one", { ...bearer("none"), "x-user-id": "ana" })).status, 401);
    assert.equal((await ask("guarded", { ...ui, "x-user-id": "ana" })).status, 403);
    assert.deepEqual(
      callers.map(({ user }) => user),
      ["ana"],
    );
  });

  it("believes an agent's pod about its conversation, and a proxy about its user alone", async () => {
    process = await open();
    const lineage = { "x-kagent-source": "agent", "x-kagent-approver": "boss", "x-user-id": "ana" };
    await ask("one", { ...ui, ...lineage });
    await ask("one", { ...bearer("one"), ...lineage });
    assert.deepEqual(
      callers.map(({ user, approver, source }) => [user, approver, source]),
      [
        ["ana", null, null],
        ["ana", "boss", "agent"],
      ],
    );
  });

  it("keeps people's data apart in the API, and tells them who they are", async () => {
    process = await open();
    const ana = { ...ui, "x-user-id": "ana", "x-user-groups": "dev" };
    assert.deepEqual(await (await get("/api/me", ana)).json(), { sub: "ana", groups: ["dev"] });
    assert.equal((await get("/api/me")).status, 401);
    assert.equal((await get("/api/agents")).status, 401);
    const listed = (await (await get("/api/agents", ana)).json()) as { data: { id: string }[] };
    assert.deepEqual(
      listed.data.map(({ id }) => id),
      ["kagent__NS__one"],
    );
  });

  it("tells everybody that it is there, and in which version", async () => {
    process = await open();
    assert.equal((await get("/health")).status, 200);
    assert.equal(((await (await get("/version")).json()) as Json)["kagent_version"], "1.2.3");
    assert.match(await (await get("/metrics")).text(), /process_cpu/);
  });

  it("slows a caller down who asks too fast, and says when to come back", async () => {
    process = await open({ RATE_LIMIT_PER_SECOND: "1", RATE_LIMIT_BURST: "2" });
    const statuses = [];
    for (let i = 0; i < 3; i += 1)
      statuses.push((await get("/api/me", { ...ui, "x-user-id": "ana" })).status);
    assert.deepEqual(statuses, [200, 200, 429]);
    const slow = await ask("one", { ...ui, "x-user-id": "ana" });
    assert.equal(slow.status, 429);
    assert.equal(slow.headers.get("retry-after"), "1");
    assert.equal(((await slow.json()) as Json)["jsonrpc"], "2.0");
    assert.equal((await get("/api/me", { ...ui, "x-user-id": "ben" })).status, 200);
  });

  it("keeps pages of other sites out", async () => {
    process = await open({ AUTH_MODE: "unsecure" });
    assert.equal((await get("/api/me")).status, 200);
    assert.equal((await get("/api/me", { origin: "https://evil.example" })).status, 403);
  });

  describe("for workers", () => {
    const call = (name: string, body: unknown, token: string) =>
      fetch(`http://127.0.0.1:${process.port}/internal/store/${name}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...bearer(token) },
        body: JSON.stringify(body),
      });
    const session = {
      id: "s-1",
      agent: { namespace: "kagent", name: "one" },
      user: "ana",
      name: "s",
      source: "user",
      rootContextId: "s-1",
    };

    it("keeps the store of the agents that they run, and of no others", async () => {
      process = await open();
      assert.equal((await call("ensureSession", session, "one")).status, 200);
      assert.notEqual(
        (await call("ensureSession", { ...session, id: "s-2" }, "guarded")).status,
        200,
      );
      assert.equal((await call("ensureSession", session, "none")).status, 401);
      const seen = await call("getSession", { id: "s-1", user: "ana" }, "guarded");
      assert.equal(((await seen.json()) as Json)["result"] ?? undefined, undefined);
    });

    it("lets them name themselves where they are, and nowhere else", async () => {
      process = await open();
      const at = (url: string) => call("heartbeat", { id: "w-1", url }, "one");
      assert.equal((await at("http://127.0.0.1:8080")).status, 200);
      assert.equal((await at("http://evil.example:8080")).status, 403);
      assert.equal((await at("http://10.0.0.1:8080")).status, 403);
    });
  });

  describe("as an MCP server", () => {
    const connect = async (headers: Record<string, string>): Promise<Client> => {
      const client = new Client({ name: "test", version: "1" });
      const url = new URL(`http://127.0.0.1:${process.port}/mcp`);
      await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
      return client;
    };
    const makeReady = async (name: string): Promise<void> => {
      const key = { namespace: "kagent", name };
      while ((await cluster.get(RESOURCES.Deployment, key, signal)) === undefined)
        await new Promise(setImmediate);
      await cluster.patchStatus(
        RESOURCES.Deployment,
        key,
        { availableReplicas: 1, replicas: 1 },
        signal,
      );
      const isReady = () =>
        JSON.stringify(process.controller.directory.agent(key)?.object.status).includes(
          '"reason":"DeploymentReady"',
        );
      while (!isReady()) await new Promise(setImmediate);
    };

    it("lists and invokes what is ready and the caller's to call", async () => {
      process = await open();
      const ana = await connect({ ...ui, "x-user-id": "ana" });
      const list = async () => {
        const { structuredContent } = await ana.callTool({ name: "list_agents", arguments: {} });
        return (structuredContent as { agents: { ref: string }[] }).agents.map(({ ref }) => ref);
      };
      assert.deepEqual(await list(), []);
      await makeReady("one");
      await makeReady("guarded");
      assert.deepEqual(await list(), ["kagent/one"]);
      const asked = { name: "invoke_agent", arguments: { agent: "kagent/one", task: "hi" } };
      const { structuredContent } = await ana.callTool(asked);
      assert.equal((structuredContent as Json)["text"], "hello ana");
      const refused = await ana.callTool({ ...asked, arguments: { agent: "guarded", task: "x" } });
      assert.equal(refused.isError, true);
      const { contents } = await ana.readResource({ uri: "kagent://agents" });
      const [content] = contents as { text: string }[];
      assert.deepEqual(JSON.parse(content?.text ?? ""), [
        { ref: "kagent/one", description: "Is one." },
      ]);
      await ana.close();
      const ben = await connect({ ...ui, "x-user-id": "ben" });
      const seen = await ben.callTool({ name: "list_agents", arguments: {} });
      assert.match(JSON.stringify(seen), /kagent\/guarded/);
      await ben.close();
    });

    it("serves nobody who cannot say who it is", async () => {
      process = await open();
      await assert.rejects(connect({}));
    });
  });

  it("ends tasks whose worker is gone, and requests that nobody can end any more", async () => {
    const { sessions } = store;
    const seed = async (id: string, name: string, bodies: readonly NewEvent["body"][]) => {
      const agent = { namespace: "kagent", name };
      const common = { agent, user: "ana" };
      await sessions.ensureSession({ ...common, id, name: "s", source: "user", rootContextId: id });
      await sessions.createTask({ ...common, id: `t-${id}`, contextId: id });
      const base = {
        time: new Date().toISOString(),
        contextId: id,
        taskId: `t-${id}`,
        author: "user",
      };
      await sessions.append(
        id,
        bodies.map((body, index) => ({ ...base, id: `${id}-${index}`, body })),
      );
    };
    const pending = [
      { confirmationId: "r", callId: "c", kind: "approval", name: "delete", args: {}, hint: "?" },
    ] as const;
    await seed("gone", "deleted-agent", [
      { type: "approval-requested", pending: [...pending], expiresAt: "2020-01-01T00:00:00.000Z" },
      { type: "status", state: "input-required" },
    ]);
    process = await open();
    const state = async () => (await sessions.getTask("t-gone", "ana"))?.state;
    while ((await state()) !== "failed") await new Promise(setImmediate);
    const [record] = await store.approvals.list({ taskId: "t-gone", limit: 10 });
    assert.equal(record?.state, "reject");
    assert.equal(record.approver, "system:expiry");
  });
});
