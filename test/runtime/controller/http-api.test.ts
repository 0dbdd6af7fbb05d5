import assert from "node:assert/strict";
import type { Hono } from "hono";
import { after, before, describe, it } from "mocha";
import { AgentDirectory } from "../../../runtime/controller/agent-directory.ts";
import { httpApi } from "../../../runtime/controller/http-api.ts";
import { openStore, type Store } from "../../../runtime/store/open-store.ts";
import { callsTo, DEFAULT_MODEL, writtenAgent, writtenServer } from "./kagent-objects.ts";

type Json = Record<string, unknown>;

describe("runtime/controller/http-api", () => {
  let store: Store;
  let app: Hono;
  let ready = false;
  before(async () => {
    store = await openStore({ path: ":memory:" });
    const directory = new AgentDirectory({ value: () => undefined, agentUrl: () => "http://a/" });
    directory.load([
      DEFAULT_MODEL,
      writtenServer("k8s"),
      writtenAgent("sound", callsTo("other")),
      writtenAgent("other"),
      writtenAgent("dangling", callsTo("nobody")),
    ]);
    const tool = { name: "k8s_get", description: "Reads.", inputSchema: {}, hints: {} };
    directory.setDiscovered({ namespace: "kagent", name: "k8s" }, [tool]);
    app = httpApi({
      directory,
      sessions: store.sessions,
      caller: (request) => ({ user: request.headers.get("x-user-id") ?? "ana", headers: {} }),
      ready: () => ready,
      version: { version: "1.2.3", commit: "abc" },
    });
    await store.sessions.ensureSession({
      id: "s-1",
      agent: { namespace: "kagent", name: "sound" },
      user: "ana",
      name: "first words",
      source: "user",
      rootContextId: "s-1",
    });
    await store.sessions.append("s-1", [
      {
        id: "e-1",
        time: "2026-01-01T00:00:00.000Z",
        contextId: "s-1",
        taskId: "t-1",
        author: "user",
        body: { type: "message", role: "user", parts: [{ text: "hello" }] },
      },
    ]);
  });
  after(() => store.close());

  const data = async (path: string): Promise<unknown> => {
    const response = await app.request(path);
    assert.equal(response.status, 200);
    const body = (await response.json()) as { error: unknown; data: unknown };
    assert.equal(body.error, false);
    return body.data;
  };
  const refusal = async (path: string, init: RequestInit = {}): Promise<string> => {
    const response = await app.request(path, init);
    assert.equal(response.status, 404);
    return ((await response.json()) as { error: string }).error;
  };

  it("is healthy once everything has started", async () => {
    assert.equal((await app.request("/health")).status, 503);
    ready = true;
    assert.equal((await app.request("/health")).status, 200);
  });

  it("tells its version and who asks, without an envelope", async () => {
    assert.deepEqual(await (await app.request("/version")).json(), {
      kagent_version: "1.2.3",
      git_commit: "abc",
      build_date: "unknown",
    });
    const me = await app.request("/api/me", { headers: { "x-user-id": "ben" } });
    assert.deepEqual(await me.json(), { sub: "ben" });
  });

  it("lists agents with what became of them", async () => {
    const agents = (await data("/api/agents")) as Json[];
    assert.deepEqual(
      agents.map(({ id, accepted, model }) => [id, accepted, model]),
      [
        ["kagent__NS__dangling", false, ""],
        ["kagent__NS__other", true, "qwen2.5:14b"],
        ["kagent__NS__sound", true, "qwen2.5:14b"],
      ],
    );
    assert.match(JSON.stringify(agents[0]?.["violations"]), /kagent\/nobody does not exist/);
    assert.deepEqual(await data("/api/agents/kagent/sound"), agents[2]);
    assert.deepEqual(await data("/api/namespaces"), [{ name: "kagent", status: "Active" }]);
  });

  it("lists models, tool servers and what they offer", async () => {
    assert.deepEqual(
      ((await data("/api/modelconfigs")) as Json[]).map(({ ref }) => ref),
      ["kagent/default-model-config"],
    );
    const discoveredTools = [{ name: "k8s_get", description: "Reads." }];
    const groupKind = "RemoteMCPServer.kagent.dev";
    assert.deepEqual(await data("/api/toolservers"), [
      { ref: "kagent/k8s", groupKind, discoveredTools },
    ]);
    assert.deepEqual(await data("/api/tools"), [
      { id: "k8s_get", server_name: "kagent/k8s", group_kind: groupKind, description: "Reads." },
    ]);
  });

  it("shows sessions to their owner alone", async () => {
    const [session] = (await data("/api/sessions")) as Json[];
    assert.equal(session?.["id"], "s-1");
    assert.equal(session["agent_id"], "kagent__NS__sound");
    assert.deepEqual(await data("/api/sessions/agent/kagent/sound"), [session]);
    assert.deepEqual(await data("/api/sessions/agent/kagent/other"), []);
    const whole = (await data("/api/sessions/s-1")) as { session: Json; events: Json[] };
    assert.deepEqual(whole.session, session);
    assert.match(String(whole.events[0]?.["data"]), /"text":"hello"/);
    const ben = { headers: { "x-user-id": "ben" } };
    assert.match(await refusal("/api/sessions/s-1", ben), /no session s-1/);
    assert.match(await refusal("/api/sessions/s-1", { ...ben, method: "DELETE" }), /no session/);
    assert.equal(((await data("/api/sessions")) as Json[]).length, 1);
  });

  it("deletes a session once", async () => {
    const init = { method: "DELETE" };
    assert.equal((await app.request("/api/sessions/s-1", init)).status, 200);
    assert.match(await refusal("/api/sessions/s-1", init), /no session s-1/);
  });

  it("says what is not there", async () => {
    assert.equal(await refusal("/api/agents/kagent/nobody"), "there is no agent kagent/nobody");
    assert.equal(await refusal("/api/nothing"), "there is nothing at GET /api/nothing");
  });
});
