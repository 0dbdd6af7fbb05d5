import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { inspect } from "node:util";
import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { after, before, describe, it } from "mocha";
import { AGENT_FILES } from "../../../runtime/api/agent-files/names.ts";
import { RESOURCES } from "../../../runtime/api/cluster.ts";
import { openStore } from "../../../runtime/store/open-store.ts";
import { Canaries, type Leak } from "./canaries.ts";
import { TENANT, TOOL_KEY } from "./outside.ts";
import { PEOPLES_SECRETS } from "./planted-objects.ts";
import { PlantedPlatform, plantedToken, until } from "./planted-platform.ts";
import { RefusingPostgres } from "./refusing-postgres.ts";
import { type SentTask, Visitor } from "./visitor.ts";

const never = new AbortController().signal;
const approve = (extra: object = {}) => [
  { kind: "data", data: { decision_type: "approve", ...extra } },
];

/** What owners are shown of their own conversations, and what the store keeps of them. */
const EDITED = "edited argument";
/** Shown to the session's owner, and kept so that it can be. */
const SHARE = "share token";

describe("runtime/security: secrets", function () {
  this.timeout(60_000);
  const canaries = new Canaries();
  const exporter = new InMemorySpanExporter();
  let platform: PlantedPlatform;
  let ana: Visitor;
  let ben: Visitor;
  let anaToken: string;
  let shared: string;
  let edited: SentTask;
  const seen: Record<string, SentTask> = {};
  const leaks = (where: string, content: string | Buffer, allowed: readonly string[] = []) =>
    canaries.find(where, content).filter(({ canary }) => !allowed.includes(canary));
  const none = (found: readonly Leak[]) => {
    assert.deepEqual(found, []);
  };

  before(async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    const spanProcessors = [new SimpleSpanProcessor({ exporter })];
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors }));
    platform = await PlantedPlatform.start(canaries);
    const { people, controllerUrl } = platform;
    anaToken = await plantedToken(canaries, people, "token of ana", "ana");
    ana = new Visitor(controllerUrl, anaToken);
    ben = new Visitor(controllerUrl, await plantedToken(canaries, people, "token of ben", "ben"));
    await turns();
    await approvals();
    await sharing();
    await failures();
    await rotation();
    await reads();
  });
  after(async () => {
    await platform.stop();
    platform.remove();
    trace.disable();
    propagation.disable();
    context.disable();
  });

  const turns = async (): Promise<void> => {
    for (const tool of ["read", "leak", "echo", "fail"])
      seen[tool] = await ana.ask("one", `go:call-${tool}`);
    seen["passed"] = await ana.ask("pass", "go:call-echo");
    seen["ollama"] = await ana.ask("local", "hello");
    seen["delegated"] = await ana.ask("boss", "go:ask-hello");
    await ana.stream("boss", "go:ask-again");
    await ana.stream("boss", "go:ask-fail");
    await ana.stream("one", "go:call-leak");
  };
  const approvals = async (): Promise<void> => {
    for (const extra of [
      {},
      { edited_args: { c1: { text: platform.secrets.editedArgument.value } } },
    ]) {
      const { taskId, contextId } = await ana.ask("one", "go:call-write");
      await ana.get("/api/approvals?state=pending");
      edited = await ana.send("one", approve(extra), { taskId, contextId });
    }
    const { taskId, contextId } = await ana.ask("one", "go:call-write");
    await ana.send("one", [{ kind: "data", data: { decision_type: "reject" } }], {
      taskId,
      contextId,
    });
  };
  const sharing = async (): Promise<void> => {
    const path = `/api/sessions/${edited.contextId}`;
    const { text } = await ana.post(`${path}/shares`, {});
    shared = canaries.known(
      SHARE,
      (JSON.parse(text) as { data: { token: string } }).data.token,
    ).value;
    await ana.get(`${path}/shares`);
    const answer = await ben.get(path, { "x-share-token": shared });
    assert.equal(answer.status, 200, "the link opens the session");
    const linked = new Visitor(platform.controllerUrl, anaToken, { "x-share-token": shared });
    seen["linked"] = await linked.ask("pass", "go:call-echo");
  };
  const failures = async (): Promise<void> => {
    for (const name of ["authorization", TENANT])
      seen[`refused ${name}`] = await ana.ask("one", `go:refuse-${name}`);
    seen["foreign"] = await ana.ask("one", "go:foreign");
    seen["midway"] = await ana.ask("one", "go:midway");
    seen["refused pass"] = await ana.ask("pass", "go:refuse-authorization");
    seen["refused ollama"] = await ana.ask("local", "go:refuse");
    seen["midway ollama"] = await ana.ask("local", "go:midway");
    seen["cut"] = await ana.ask("one", `go:cut-${TENANT}`);
    const { contextId } = await ana.ask("long", "go:ok");
    for (let turn = 0; turn < 3; turn += 1)
      await ana.send("long", [{ kind: "text", text: "go:ok" }], { contextId });
    const { openAi } = platform.outside;
    const before = openAi.requests.length;
    const hanging = ana.ask("one", "go:hang");
    await until(() => openAi.requests.length > before);
    const sessions = JSON.parse((await ana.get("/api/sessions")).text) as {
      data: { id: string }[];
    };
    for (const { id } of sessions.data) {
      const tasks = JSON.parse((await ana.get(`/api/sessions/${id}/tasks`)).text) as {
        data: { id: string; status: { state: string } }[];
      };
      for (const task of tasks.data)
        if (task.status.state === "working") await ana.rpc("one", "tasks/cancel", { id: task.id });
    }
    seen["canceled"] = await hanging;
    await ana.post("/api/modelconfigs", {
      ref: "kagent/posted",
      apiKey: platform.secrets.postedKey.value,
      spec: { provider: "OpenAI", model: "m" },
    });
    await ben.rpc("one", "message/send", { message: { kind: "message" } });
    await new Visitor(platform.controllerUrl, `${anaToken}x`).get("/api/agents");
  };
  const rotation = async (): Promise<void> => {
    const { outside, secrets } = platform;
    outside.refusing = true;
    seen["unauthorized"] = await ana.ask("one", "go:call-read");
    await platform.rotate(secrets.toolHeaderRotated.value);
    seen["without tools"] = await ana.ask("one", "go:call-read");
    const server = { namespace: "kagent", name: "tools" };
    await until(async () =>
      JSON.stringify(
        (await platform.cluster.get(RESOURCES.RemoteMCPServer, server, never))?.["status"],
      ).includes('"False"'),
    );
    outside.refusing = false;
    seen["rotated"] = await ana.ask("one", "go:call-echo");
    await platform.rotate(secrets.toolHeaderBroken.value);
    seen["broken"] = await ana.ask("one", "go:call-read");
  };
  const reads = async (): Promise<void> => {
    const worker = `http://127.0.0.1:${platform.worker?.port}`;
    for (const path of [
      ..."agents agents/kagent/one sessions modelconfigs modelconfigs/kagent/default-model-config".split(
        " ",
      ),
      ..."toolservers tools approvals me namespaces feedback memories models prompttemplates".split(
        " ",
      ),
      `sessions/${edited.contextId}`,
      `sessions/${edited.contextId}/tasks`,
      `tasks/${edited.taskId}`,
      ...Object.values(seen).map(({ contextId }) => `sessions/${contextId}`),
      ...Object.values(seen).map(({ contextId }) => `sessions/${contextId}/tasks`),
    ])
      await ana.get(`/api/${path}`);
    for (const path of ["/health", "/version", "/metrics"]) await ana.get(path);
    for (const name of ["one", "boss", "helper"]) {
      await ana.get(`/api/a2a/kagent/${name}/.well-known/agent-card.json`);
      await ana.get(`${worker}/agents/kagent/${name}/.well-known/agent-card.json`);
    }
    for (const path of ["/healthz", "/metrics"]) await ana.get(`${worker}${path}`);
  };

  describe("were used, so that they could be told", () => {
    it("by the tool server, before and after the rotation", () => {
      const { outside, secrets } = platform;
      assert.ok(outside.sawHeader(TOOL_KEY, secrets.toolHeader.value));
      assert.ok(outside.sawHeader(TOOL_KEY, secrets.toolHeaderRotated.value));
      assert.ok(outside.sawHeader("authorization", `Bearer ${anaToken}`));
      const called = outside.tools.calls.map(({ name }) => name);
      for (const name of ["read", "leak", "echo", "fail", "write"])
        assert.ok(called.includes(name));
      const written = outside.tools.calls.map(({ args }) => args["text"]);
      assert.ok(written.includes(secrets.editedArgument.value));
    });

    it("by the models", () => {
      const { openAi, ollama } = platform.outside;
      const { modelKey, defaultHeader, ollamaKey } = platform.secrets;
      const authorizations = openAi.requests.map(({ headers }) => headers.authorization);
      assert.ok(authorizations.includes(`Bearer ${modelKey.value}`));
      assert.ok(authorizations.includes(`Bearer ${anaToken}`));
      assert.ok(openAi.requests.some(({ headers }) => headers[TENANT] === defaultHeader.value));
      assert.ok(ollama.headers.some((one) => one.authorization === `Bearer ${ollamaKey.value}`));
    });

    it("in turns that ended in every way", () => {
      const states = Object.fromEntries(
        Object.entries(seen).map(([name, { state }]) => [name, state]),
      );
      const failed = ["refused authorization", `refused ${TENANT}`, "foreign", "midway"];
      for (const name of [...failed, "refused pass", "refused ollama", "midway ollama"])
        assert.equal(states[name], "failed", name);
      assert.equal(states["canceled"], "canceled");
      assert.equal(edited.state, "completed");
      for (const name of [
        "read",
        "leak",
        "echo",
        "fail",
        "passed",
        "ollama",
        "delegated",
        "rotated",
      ])
        assert.equal(states[name], "completed", `${name}: ${seen[name]?.text}`);
      assert.match(seen["unauthorized"]?.text ?? "", /HTTP 401/);
      assert.match(seen["leak"]?.text ?? "", /masked credentials/);
      assert.match(seen["delegated"]?.text ?? "", /masked credentials/);
    });

    it("by the controller, whose hash of what a tool server uses has the authority's key in it", async () => {
      const { cluster, outside, secrets } = platform;
      const key = { namespace: "kagent", name: "tools" };
      const server = await cluster.get(RESOURCES.RemoteMCPServer, key, never);
      const values = await platform.files("authority");
      assert.ok(values?.["ca.key"]?.includes(secrets.caKey.value));
      const hash = createHash("sha256");
      for (const name of ["authority", "tool-key"]) {
        hash.update(`kagent/${name}`);
        const entries = Object.entries((await platform.files(name)) ?? {});
        for (const [file, value] of entries.sort()) hash.update(file).update(value);
      }
      const { secretHash } = server?.["status"] as { secretHash?: string };
      assert.equal(secretHash, hash.digest("hex"));
      const { tls } =
        platform.worker?.agents.config({ namespace: "kagent", name: "one" })?.toolServers[0]
          ?.server ?? {};
      assert.equal(tls?.caPem, outside.front.caPem);
    });

    it("in the Secrets of the cluster, and in the one file of agents that is for them", async () => {
      const files = await platform.files("one");
      const { toolHeaderBroken, modelKey, defaultHeader, postedKey } = platform.secrets;
      const credentials = files?.[AGENT_FILES.credentials] ?? "";
      for (const { value } of [toolHeaderBroken, modelKey, defaultHeader])
        assert.ok(credentials.includes(JSON.stringify(value).slice(1, -1)));
      const posted = Object.values((await platform.files("posted")) ?? {});
      assert.deepEqual(posted, [postedKey.value]);
    });
  });

  describe("are in none of", () => {
    it("the log lines", () => {
      assert.ok(platform.logs.some((line) => line.includes("could not be summarised")));
      none(platform.logs.flatMap((line) => leaks("log", line)));
    });

    it("what is left of a provider's complaint that is cut", () => {
      const { text } = seen["cut"] as SentTask;
      assert.match(text, /xxxx/);
      assert.ok(!text.includes(platform.secrets.defaultHeader.value.slice(0, 10)));
    });

    it("the spans", () => {
      const spans = exporter.getFinishedSpans();
      const names = new Set(spans.map(({ name }) => name.split(" ")[0]));
      for (const name of ["chat", "execute_tool", "invoke_agent"]) assert.ok(names.has(name), name);
      for (const { name, attributes, events, status, links, resource } of spans) {
        const told = { name, attributes, events, status, links, resource: resource.attributes };
        none(leaks(`span ${name}`, JSON.stringify(told)));
      }
    });

    it("the answers of the HTTP API, the agents, the cards, health and metrics", () => {
      const found = [...ana.answers, ...ben.answers].flatMap(({ where, text }) =>
        leaks(where, text, where.endsWith("/shares") ? [SHARE] : [EDITED]),
      );
      none(found);
    });

    it("the objects of the cluster: status, Events, Deployments, cards and configurations", async () => {
      let events = 0;
      for (const type of Object.values(RESOURCES)) {
        const { items } = await platform.cluster.list(type, {}, never);
        if (type.kind === "Event") events = items.length;
        for (const item of items) {
          const { name } = item.metadata;
          const { data, ...rest } = item as typeof item & { data?: Record<string, string> };
          const where = `${type.kind} ${name}`;
          const isModel = type.kind === "ModelConfig"; // its defaultHeaders are plain text by its schema
          none(leaks(where, JSON.stringify(rest), isModel ? ["defaultHeaders value"] : []));
          if (PEOPLES_SECRETS.includes(name)) continue;
          for (const [file, text] of Object.entries(data ?? {}))
            if (file !== AGENT_FILES.credentials) {
              none(leaks(`${where} ${file}`, text));
              none(leaks(`${where} ${file}`, type.kind === "Secret" ? atob(text) : text));
            }
        }
      }
      assert.ok(events > 0, "some Event was recorded");
    });

    it("what is told of a database that refuses its password", async () => {
      const { value } = platform.secrets.databasePassword;
      const database = await RefusingPostgres.start();
      try {
        for (const at of [database.address, "127.0.0.1:1"]) {
          const url = `postgres://kagent:${encodeURIComponent(value)}@${at}/kagent`;
          const error: unknown = await openStore({ url }).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          assert.ok(error instanceof Error);
          none(leaks("error", `${error.stack} ${String(error)} ${inspect(error, { depth: 20 })}`));
        }
        assert.ok(database.passwords.includes(value));
      } finally {
        await database.close();
      }
    });

    it("the store: its tables and the bytes of its files", async () => {
      const kept = [EDITED, SHARE];
      none(leaks("write-ahead log", platform.storeFiles(["kagent.db", "kagent.db-wal"]), kept));
      await platform.stop();
      none(leaks("database", platform.storeFiles(["kagent.db"]), kept));
      const db = new DatabaseSync(join(platform.data, "kagent.db"), { readOnly: true });
      try {
        const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
        assert.ok(tables.length > 5);
        let rows = 0;
        for (const { name } of tables as { name: string }[])
          for (const row of db.prepare(`SELECT * FROM "${name}"`).all()) {
            rows += 1;
            const own = name === "shares" ? [SHARE] : [EDITED];
            none(leaks(`table ${name}`, JSON.stringify(row), own));
          }
        assert.ok(rows > 50);
      } finally {
        db.close();
      }
    });
  });
});
