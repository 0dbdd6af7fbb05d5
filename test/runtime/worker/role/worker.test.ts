import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Hono } from "hono";
import { afterEach, describe, it } from "mocha";
import { callAgent } from "../../../../runtime/a2a/client.ts";
import type { AgentConfig } from "../../../../runtime/api/agent-config.ts";
import { pooledKey } from "../../../../runtime/api/agent-files/names.ts";
import { writeAgentFiles } from "../../../../runtime/api/agent-files.ts";
import type { ChatModel } from "../../../../runtime/model/chat-model.ts";
import { openStore } from "../../../../runtime/store/open-store.ts";
import { STORE_PATH } from "../../../../runtime/store/remote/protocol.ts";
import { sessionRoutes } from "../../../../runtime/store/remote/session-routes.ts";
import { type Logger, silentLog } from "../../../../runtime/telemetry/log.ts";
import type { WorkerSettings } from "../../../../runtime/worker/role/settings.ts";
import { Worker, type WorkerOptions } from "../../../../runtime/worker/role/worker.ts";
import { serveApp } from "../../../support/a2a-server.ts";
import { agentConfig } from "../../../support/agent-config.ts";
import { resultOf } from "../../../support/agent-results.ts";
import { readAll } from "../../../support/read-all.ts";
import { ScriptedModel } from "../../../support/scripted-model.ts";
import { TestIssuer } from "../../process/auth/tokens.ts";
import { MountedFolder } from "./mounted-folder.ts";

const never = new AbortController().signal;
const CONTROLLER = "system:serviceaccount:kagent:kagent-controller";
const ref = (name: string) => ({ namespace: "team", name });

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A controller that keeps sessions, and what it was sent. */
async function controller() {
  const store = await openStore({ path: ":memory:" });
  const tokens: (string | null)[] = [];
  const app = new Hono();
  app.use(async (context, next) => {
    tokens.push(context.req.header("authorization") ?? null);
    await next();
  });
  const options = { sessions: store.sessions, mayServe: () => true, log: silentLog };
  app.route(STORE_PATH, sessionRoutes(options));
  const server = await serveApp(app);
  closing.push(
    () => store.close(),
    () => server.close(),
  );
  return { store, server, tokens };
}

function mounted(config: AgentConfig, more: Readonly<Record<string, string>> = {}): MountedFolder {
  const folder = new MountedFolder({ ...writeAgentFiles(config), ...more });
  closing.push(() => {
    folder.remove();
  });
  return folder;
}

interface Given {
  readonly settings?: Partial<WorkerSettings>;
  readonly model?: (systemText: string) => ChatModel;
  readonly options?: Partial<WorkerOptions>;
}

async function started(folder: string, controllerUrl: string, given: Given = {}) {
  const tokenPath = join(folder, "..", `token-${process.pid}`);
  const worker = new Worker(
    {
      host: "127.0.0.1",
      port: 0,
      folders: [folder],
      namespace: "team",
      name: "one",
      controllerUrl,
      trustedCallers: [CONTROLLER],
      tokenPath,
      logLevel: "error",
      drainMs: 4_000,
      ...given.settings,
    },
    {
      log: silentLog,
      turns: {
        model: () => Promise.resolve(given.model?.("") ?? new ScriptedModel({ text: "ok" })),
      },
      ...given.options,
    },
  );
  await worker.start(never);
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await worker.stop();
  };
  closing.push(stop);
  return { worker, stop, url: `http://127.0.0.1:${worker.port}` };
}

const ask = async (url: string, text = "hi", headers: Readonly<Record<string, string>> = {}) =>
  resultOf(await readAll(callAgent({ url, parts: [{ text }], headers }, never)));

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

/** Answers with the system message that it was given; each answer waits for `gate`. */
function echoing(gate: () => Promise<void> = () => Promise.resolve()): ChatModel {
  return {
    label: "echo",
    async *chat(request) {
      const system = request.messages.find(({ role }) => role === "system");
      await gate();
      yield { type: "text", text: JSON.stringify(system) };
      yield { type: "done", inputTokens: 1, outputTokens: 1, cachedTokens: 0, stop: "end" };
    },
  };
}

describe("runtime/worker/role/worker", () => {
  it("serves its agent at the root and by name, and keeps its sessions at the controller", async () => {
    const { store, server } = await controller();
    const { url } = await started(mounted(agentConfig({ ref: ref("one") })).path, server.url);
    for (const at of [`${url}/`, `${url}/agents/team/one/`]) {
      const result = await ask(at, "hi", { "x-user-id": "ann" });
      assert.equal(result.state, "completed");
      assert.deepEqual(result.parts, [{ text: "ok" }]);
    }
    const sessions = await store.sessions.listSessions({ user: "ann", limit: 10 });
    assert.equal(sessions.length, 2);
    const { total } = await store.sessions.listTasks({
      agent: ref("one"),
      user: "ann",
      state: "completed",
      pageSize: 10,
    });
    assert.equal(total, 2);
  });

  it("serves cards to everybody: its own with the pod's address", async () => {
    const { server } = await controller();
    const config = agentConfig({ ref: ref("one"), description: "Tests." });
    const { url } = await started(mounted(config).path, server.url, {
      settings: { baseUrl: "http://one.team:8080" },
    });
    for (const path of [
      "/.well-known/agent-card.json",
      "/agents/team/one/.well-known/agent.json",
    ]) {
      const card = (await (await fetch(`${url}${path}`)).json()) as Record<string, unknown>;
      assert.equal(card["url"], "http://one.team:8080/");
      assert.equal(card["description"], "Tests.");
    }
    assert.equal((await fetch(`${url}/agents/team/two/.well-known/agent.json`)).status, 404);
    assert.equal((await fetch(`${url}/health`)).status, 200);
    assert.equal((await fetch(`${url}/metrics`)).status, 404);
  });

  it("serves many agents by path", async () => {
    const { server } = await controller();
    const files = ["a", "b"].flatMap((name) =>
      Object.entries(writeAgentFiles(agentConfig({ ref: ref(name), description: name }))).map(
        ([file, text]) => [pooledKey(name, file), text] as const,
      ),
    );
    const folder = new MountedFolder(Object.fromEntries(files));
    closing.push(() => {
      folder.remove();
    });
    const { worker, url } = await started(folder.path, server.url, {
      settings: { name: undefined } as unknown as Partial<WorkerSettings>,
    });
    assert.equal(worker.agents.report().agents.length, 2);
    assert.equal((await ask(`${url}/agents/team/b/`)).state, "completed");
    assert.equal((await fetch(`${url}/.well-known/agent-card.json`)).status, 404);
  });

  it("answers with a new prompt within 2 s of the Secret, while a turn keeps the one it began with", async () => {
    const { server } = await controller();
    const config = agentConfig({ ref: ref("one"), instruction: "the old prompt" });
    const folder = mounted(config);
    const asked = Promise.withResolvers<undefined>();
    const go = Promise.withResolvers<undefined>();
    const { worker, url } = await started(folder.path, server.url, {
      model: () =>
        echoing(async () => {
          asked.resolve(undefined);
          await go.promise;
        }),
    });
    const first = ask(`${url}/`);
    await asked.promise;
    const changed = performance.now();
    folder.write(writeAgentFiles({ ...config, instruction: "the new prompt" }));
    await until(() => worker.agents.config(ref("one"))?.instruction === "the new prompt");
    assert.ok(performance.now() - changed < 2_000);
    go.resolve(undefined);
    assert.match(JSON.stringify((await first).parts), /the old prompt/);
    assert.match(JSON.stringify((await ask(`${url}/`)).parts), /the new prompt/);
  });

  it("says what is wrong at /healthz and keeps serving", async () => {
    const { server } = await controller();
    const config = agentConfig({ ref: ref("one") });
    const folder = mounted(config);
    const { worker, url } = await started(folder.path, server.url);
    folder.write({ "config.json": "{" });
    await until(() => worker.agents.report().agents[0]?.problem !== undefined);
    const health = await fetch(`${url}/healthz`);
    assert.equal(health.status, 200);
    const said = (await health.json()) as { status: string; agents: { problem?: string }[] };
    assert.equal(said.status, "degraded");
    assert.match(said.agents[0]?.problem ?? "", /config\.json: is no JSON/);
    assert.equal((await ask(`${url}/`)).state, "completed");
  });

  it("tells figures when it has some", async () => {
    const { server } = await controller();
    const metrics = () => Promise.resolve({ contentType: "text/plain; v=1", body: "up 1\n" });
    const { url } = await started(mounted(agentConfig({ ref: ref("one") })).path, server.url, {
      options: { metrics },
    });
    const response = await fetch(`${url}/metrics`);
    assert.equal(response.headers.get("content-type"), "text/plain; v=1");
    assert.equal(await response.text(), "up 1\n");
  });

  it("starts and serves cards while the controller is away", async () => {
    const { url } = await started(
      mounted(agentConfig({ ref: ref("one") })).path,
      "http://127.0.0.1:9",
    );
    assert.equal((await fetch(`${url}/.well-known/agent-card.json`)).status, 200);
  });

  it("proves itself to the controller by its token, from the first request on", async () => {
    const { server, tokens } = await controller();
    const folder = mounted(agentConfig({ ref: ref("one") }));
    const tokenPath = join(folder.path, "own-token");
    writeFileSync(tokenPath, "first\n");
    const { url } = await started(folder.path, server.url, { settings: { tokenPath } });
    await ask(`${url}/`);
    assert.ok(tokens.length > 3);
    assert.deepEqual(new Set(tokens), new Set(["Bearer first"]));
  });
});

describe("runtime/worker/role/worker and its callers", () => {
  async function guarded(config: AgentConfig = agentConfig({ ref: ref("one") })) {
    const issuer = await TestIssuer.create(() => Date.now());
    const { server, store } = await controller();
    const folder = mounted(config, { "jwks.json": JSON.stringify(await issuer.keySet()) });
    const { url } = await started(folder.path, server.url, { settings: { auth: "token" } });
    const token = async (sub: string, claims: object = {}) => ({
      authorization: `Bearer ${await issuer.token({ sub, ...claims })}`,
    });
    return { url: `${url}/`, token, store, issuer };
  }

  const post = async (url: string, headers: Readonly<Record<string, string>>) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tasks/get", params: { id: "x" } }),
    });
    return { status: response.status, text: await response.text() };
  };

  it("believes the user that the controller names", async () => {
    const { url, token, store } = await guarded();
    const headers = { ...(await token(CONTROLLER)), "x-user-id": "ann" };
    assert.equal((await ask(url, "hi", headers)).state, "completed");
    assert.equal((await store.sessions.listSessions({ user: "ann", limit: 1 })).length, 1);
  });

  it("takes another service for itself, and for nobody else", async () => {
    const { url, token, store } = await guarded();
    const other = "system:serviceaccount:other:agent";
    const lineage = { "x-kagent-source": "agent", "x-kagent-root-context-id": "root" };
    assert.equal(
      (await ask(url, "hi", { ...(await token(other)), ...lineage })).state,
      "completed",
    );
    const [session] = await store.sessions.listSessions({ user: other, limit: 1 });
    assert.equal(session?.source, "user");
    assert.notEqual(session.rootContextId, "root");
    const forged = await post(url, { ...(await token(other)), "x-user-id": "ann" });
    assert.equal(forged.status, 403);
    assert.match(forged.text, /may not speak for users/);
  });

  const refused: readonly (readonly [string, object | undefined])[] = [
    ["nobody", undefined],
    ["a token for another audience", { aud: "https://kubernetes.default.svc" }],
    ["an expired token", { exp: 1 }],
    ["a person's token", { sub: "ann" }],
  ];
  for (const [what, claims] of refused) {
    it(`refuses ${what}`, async () => {
      const { url, token } = await guarded();
      const headers = claims === undefined ? {} : await token(CONTROLLER, claims);
      assert.equal((await post(url, { ...headers, "x-user-id": "ann" })).status, 401);
    });
  }

  it("refuses a token that another cluster signed", async () => {
    const { url } = await guarded();
    const stranger = await TestIssuer.create(() => Date.now());
    const authorization = `Bearer ${await stranger.token({ sub: CONTROLLER })}`;
    assert.equal((await post(url, { authorization })).status, 401);
  });

  it("refuses services that the agent is not for, unless the controller vouches", async () => {
    const access = { users: ["system:serviceaccount:team:friend"], groups: [] };
    const { url, token } = await guarded(agentConfig({ ref: ref("one"), access }));
    assert.equal((await post(url, await token("system:serviceaccount:team:friend"))).status, 200);
    assert.equal((await post(url, await token("system:serviceaccount:team:foe"))).status, 403);
    const vouched = { ...(await token(CONTROLLER)), "x-user-id": "ann" };
    assert.equal((await post(url, vouched)).status, 200);
  });

  it("asks nobody where only this machine is served, and everybody where it is not", async () => {
    const { server } = await controller();
    const folder = mounted(agentConfig({ ref: ref("one") }));
    const local = await started(folder.path, server.url);
    assert.equal((await post(`${local.url}/`, {})).status, 200);
    const open = await started(folder.path, server.url, { settings: { host: "0.0.0.0" } });
    assert.equal((await post(`${open.url}/`, {})).status, 401);
    const flagged = await started(folder.path, server.url, {
      settings: { host: "0.0.0.0", auth: "unsecure" },
    });
    assert.equal((await post(`${flagged.url}/`, {})).status, 200);
  });

  it("hands a tool the user's own authorization and never the controller's", async () => {
    const seen: Readonly<Record<string, string>>[] = [];
    const issuer = await TestIssuer.create(() => Date.now());
    const { server } = await controller();
    const folder = mounted(
      agentConfig({
        ref: ref("one"),
        toolServers: [
          {
            server: {
              ref: ref("tools"),
              url: "http://127.0.0.1:9/mcp",
              protocol: "STREAMABLE_HTTP",
              timeoutMs: 1_000,
              sseReadTimeoutMs: 1_000,
              terminateOnClose: true,
              headers: {},
            },
            toolNames: [],
            requireApproval: [],
            allowedHeaders: ["Authorization"],
          },
        ],
      }),
      { "jwks.json": JSON.stringify(await issuer.keySet()) },
    );
    const { url } = await started(folder.path, server.url, {
      settings: { auth: "token" },
      options: {
        turns: {
          model: () => Promise.resolve(new ScriptedModel({ text: "ok" })),
          tools: {
            listTools: (_, headers) => {
              seen.push(headers);
              return Promise.resolve([]);
            },
            callTool: () => Promise.reject(new Error("no tool")),
          },
        },
      },
    });
    const proof = `Bearer ${await issuer.token({ sub: CONTROLLER })}`;
    const headers = { authorization: proof, "x-user-id": "ann" };
    await ask(`${url}/`, "hi", headers);
    await ask(`${url}/`, "hi", { ...headers, "x-kagent-authorization": "Bearer ann" });
    assert.deepEqual(
      seen.map(({ authorization }) => authorization),
      [undefined, "Bearer ann"],
    );
  });
});

describe("runtime/worker/role/worker when it stops", () => {
  it("lets a turn come to its end, stored and told, and takes no more", async () => {
    const { server, store } = await controller();
    const asked = Promise.withResolvers<undefined>();
    const go = Promise.withResolvers<undefined>();
    const { url, stop } = await started(
      mounted(agentConfig({ ref: ref("one") })).path,
      server.url,
      {
        settings: { drainMs: 8_000 },
        model: () =>
          echoing(async () => {
            asked.resolve(undefined);
            await go.promise;
          }),
      },
    );
    const turn = ask(`${url}/`, "hi", { "x-user-id": "ann" });
    await asked.promise;
    const stopping = stop();
    await assert.rejects(ask(`${url}/`));
    go.resolve(undefined);
    assert.equal((await turn).state, "completed");
    await stopping;
    const agent = ref("one");
    const { tasks } = await store.sessions.listTasks({ agent, user: "ann", pageSize: 1 });
    assert.equal(tasks[0]?.state, "completed");
  });

  it("hands back a turn that does not end in time: failed, with what to do", async () => {
    const { server, store } = await controller();
    const asked = Promise.withResolvers<undefined>();
    const { url, stop } = await started(
      mounted(agentConfig({ ref: ref("one") })).path,
      server.url,
      {
        model: () => {
          asked.resolve(undefined);
          return new ScriptedModel("hang");
        },
      },
    );
    const turn = ask(`${url}/`, "hi", { "x-user-id": "ann" });
    await asked.promise;
    await stop();
    const { state, error } = await turn;
    assert.equal(state, "failed");
    assert.equal(error?.code, "WORKER_LOST");
    const agent = ref("one");
    const { tasks } = await store.sessions.listTasks({ agent, user: "ann", pageSize: 1 });
    assert.equal(tasks[0]?.state, "failed");
  });

  it("stores what waits for the controller before it leaves", async () => {
    const lines: string[] = [];
    const keep = (message: string): void => {
      lines.push(message);
    };
    const log: Logger = { debug: () => {}, info: keep, warn: keep, error: keep };
    const { server, store } = await controller();
    let down = false;
    const proxy = new Hono();
    proxy.all("*", async (context) => {
      if (down) return context.text("away", 503);
      const path = new URL(context.req.url).pathname;
      const body = await context.req.text();
      return await fetch(`${server.url}${path}`, { method: "POST", body });
    });
    const front = await serveApp(proxy);
    closing.push(() => front.close());
    const asked = Promise.withResolvers<undefined>();
    const go = Promise.withResolvers<undefined>();
    const { url, stop } = await started(mounted(agentConfig({ ref: ref("one") })).path, front.url, {
      settings: { drainMs: 8_000 },
      options: {
        log,
        turns: {
          model: () =>
            Promise.resolve(
              echoing(async () => {
                asked.resolve(undefined);
                await go.promise;
              }),
            ),
        },
      },
    });
    const turn = ask(`${url}/`, "hi", { "x-user-id": "ann" });
    await asked.promise;
    down = true;
    go.resolve(undefined);
    await until(() => lines.includes("the session store is away; events wait and turns go on"));
    const stopping = stop();
    down = false;
    assert.equal((await turn).state, "completed");
    await stopping;
    const agent = ref("one");
    const { tasks } = await store.sessions.listTasks({ agent, user: "ann", pageSize: 1 });
    assert.equal(tasks[0]?.state, "completed");
  });
});
