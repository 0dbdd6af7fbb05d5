import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "mocha";
import { callAgent } from "../../../runtime/a2a/client.ts";
import { textOf } from "../../../runtime/api/events.ts";
import type { AgentUpdate } from "../../../runtime/worker/turn-context.ts";
import { answerLines, type OllamaReply, ScriptedOllama } from "../../support/scripted-ollama.ts";
import type { NodeCluster } from "../node/node-cluster.ts";
import { useNodeCluster } from "../node/use-node-cluster.ts";
import type { Postgres } from "../postgres.ts";
import { usePostgres } from "../postgres-use.ts";
import { ControllerFront } from "./controller-front.ts";
import { NodePlatform, type RunningController } from "./node-platform.ts";
import { SilentServers } from "./silent-servers.ts";

/** 90 s: a first start makes tables and images are unpacked. */
const INSTALL_MS = 180_000;
const META = { apiVersion: "kagent.dev/v1alpha2" } as const;

function agent(name: string, declarative: object = {}): object {
  return {
    ...META,
    kind: "Agent",
    metadata: { name, namespace: "kagent" },
    spec: {
      type: "Declarative",
      description: `Is ${name}.`,
      declarative: { systemMessage: "You say one.", ...declarative },
    },
  };
}

/** The system message of a chat: what the prompt was. */
function systemOf(chat: {
  readonly messages: readonly { role: string; content: string }[];
}): string {
  return chat.messages.find(({ role }) => role === "system")?.content ?? "";
}

describe("the platform on a node: controllers, workers in pods, Postgres", () => {
  const cluster = useNodeCluster();
  const postgres = usePostgres();
  // what is inside is taken down before what it stands on
  platformTests(cluster, postgres);
});

function platformTests(cluster: () => NodeCluster, postgres: () => Postgres): void {
  describe("with an Agent", () => {
    let platform: NodePlatform;
    let controller: RunningController;
    let ollama: ScriptedOllama;
    let dir: string;
    /** What the model says next, by the text it is asked. */
    let onChat: (text: string) => OllamaReply = () => ({ lines: answerLines({ text: ["hello"] }) });

    before(async function () {
      this.timeout(INSTALL_MS);
      dir = await mkdtemp(join(tmpdir(), "kagent-platform-"));
      ollama = await ScriptedOllama.start({
        host: cluster().outside,
        onChat: (chat) => onChat(chat.messages.at(-1)?.content ?? ""),
      });
      platform = await NodePlatform.install({
        cluster: cluster(),
        postgres: postgres(),
        dir,
        signal: AbortSignal.timeout(3_600_000),
      });
      controller = await platform.startController("controller-a");
      await platform.apply({
        ...META,
        kind: "ModelConfig",
        metadata: { name: "default-model-config", namespace: "kagent" },
        spec: { provider: "Ollama", model: "scripted", ollama: { host: ollama.url } },
      });
    });
    afterEach(async function () {
      if (this.currentTest?.state === "failed") process.stderr.write(await platform.report());
    });
    after(async function () {
      this.timeout(60_000);
      await platform.stop();
      await ollama.close();
      await rm(dir, { recursive: true, force: true });
    });

    async function ask(
      name: string,
      text: string,
      over: { readonly url?: string; readonly user?: string; readonly timeoutMs?: number } = {},
    ): Promise<Extract<AgentUpdate, { kind: "result" }>> {
      for await (const update of stream(name, text, over))
        if (update.kind === "result") return update;
      throw new Error("no result");
    }

    function stream(
      name: string,
      text: string,
      { url = controller.url, user = "ada", timeoutMs = 60_000 }: Parameters<typeof ask>[2] = {},
    ): AsyncIterable<AgentUpdate> {
      return callAgent(
        {
          url: `${url}/api/a2a/kagent/${name}/`,
          parts: [{ text }],
          headers: { "x-user-id": user },
        },
        AbortSignal.timeout(timeoutMs),
      );
    }

    async function people(path: string): Promise<Response> {
      return await fetch(`${controller.url}${path}`, {
        headers: { "x-user-id": "ada" },
        signal: AbortSignal.timeout(5_000),
      });
    }

    async function rpc(method: string, params: object): Promise<Record<string, unknown>> {
      const answer = await fetch(`${controller.url}/api/a2a/kagent/first/`, {
        method: "POST",
        headers: { "x-user-id": "ada", "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
        signal: AbortSignal.timeout(5_000),
      });
      return ((await answer.json()) as { result: Record<string, unknown> }).result;
    }

    async function runningTask(): Promise<string | undefined> {
      const { tasks } = (await rpc("tasks/list", {})) as {
        tasks: { id: string; status: { state: string } }[];
      };
      return tasks.find(({ status }) => status.state === "working")?.id;
    }

    async function taskState(id: string): Promise<string> {
      const task = (await rpc("tasks/get", { id })) as { status: { state: string } };
      return task.status.state;
    }

    async function podUid(name: string): Promise<string> {
      const path = "jsonpath={.items[*].metadata.uid}";
      return await platform.kubectl([
        "get",
        "pods",
        "-n",
        "kagent",
        "-l",
        `kagent=${name}`,
        "-o",
        path,
      ]);
    }

    it("makes a pod of an Agent that kubectl applied, and answers", async () => {
      await platform.apply(agent("first"));
      await platform.ready("first");
      const { parts, state } = await ask("first", "hi");
      assert.equal(state, "completed");
      assert.equal(textOf(parts), "hello");
      for (const kind of ["secret", "deployment", "service", "serviceaccount"])
        assert.equal(
          ((await platform.get(kind, "first"))["metadata"] as { name: string }).name,
          "first",
        );
    }).timeout(120_000);

    it("refuses a wrong Agent that passes the schema, with every path", async () => {
      const wrong = agent("wrong", {
        systemMessage: "",
        tools: [{ type: "Agent", agent: { name: "wrong" } }],
        deployment: { extraContainers: [{ name: "kagent" }] },
      });
      await assert.rejects(platform.apply(wrong), (error: Error) => {
        for (const path of [
          "spec.declarative.systemMessage",
          "spec.declarative.tools[0].agent",
          "spec.declarative.deployment.extraContainers[0].name",
        ])
          assert.ok(error.message.includes(path), `${path}: ${error.message}`);
        return true;
      });
    }).timeout(60_000);

    it("passes on what the API server says of a pod that cannot be", async () => {
      const wrong = agent("wrong-pod", {
        deployment: { volumes: [{ name: "UPPER", emptyDir: {} }] },
      });
      await assert.rejects(platform.apply(wrong), /volumes\[\d+\]\.name/);
    }).timeout(60_000);

    it("brings a prompt to the running pod, which keeps its UID", async () => {
      const before = await podUid("first");
      assert.match(before, /^[-0-9a-f]{36}$/);
      await platform.apply(agent("first", { systemMessage: "You say two." }));
      const started = Date.now();
      const seen = await platform.until("the new prompt", 30_000, async () => {
        await ask("first", "hi");
        return systemOf(ollama.chats.at(-1) ?? { messages: [] }).includes("two")
          ? Date.now()
          : undefined;
      });
      process.stderr.write(
        `cluster: a prompt was live ${seen - started} ms after kubectl returned\n`,
      );
      assert.equal(await podUid("first"), before);
    }).timeout(90_000);

    it("accepts an Agent as soon as the Secret of its tool server's header is there", async () => {
      await platform.apply(
        {
          ...META,
          kind: "RemoteMCPServer",
          metadata: { name: "guarded", namespace: "kagent" },
          spec: {
            description: "Needs a token.",
            url: "http://127.0.0.1:9/mcp",
            headersFrom: [
              { name: "authorization", valueFrom: { type: "Secret", name: "late", key: "token" } },
            ],
          },
        },
        agent("waiting", {
          tools: [{ type: "McpServer", mcpServer: { kind: "RemoteMCPServer", name: "guarded" } }],
        }),
      );
      const condition = async () => {
        const path = 'jsonpath={.status.conditions[?(@.type=="Accepted")].status}';
        return await platform.kubectl(["get", "agent", "waiting", "-n", "kagent", "-o", path]);
      };
      await platform.until(
        "not accepted",
        20_000,
        async () => (await condition()) === "False" || undefined,
      );
      await platform.apply({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "late", namespace: "kagent" },
        stringData: { token: "Bearer canary-0815" },
      });
      await platform.until(
        "accepted",
        20_000,
        async () => (await condition()) === "True" || undefined,
      );
      await platform.kubectl(["delete", "agent", "waiting", "-n", "kagent"]);
    }).timeout(90_000);

    it("runs Agents that share workers in one pod", async () => {
      const pooled = ["pooled-a", "pooled-b"].map((name) => {
        const object = agent(name) as { readonly spec: object };
        return { ...object, spec: { ...object.spec, workers: "pooled" } };
      });
      await platform.apply(...pooled);
      for (const name of ["pooled-a", "pooled-b"]) {
        await platform.ready(name);
        assert.equal((await ask(name, "hi")).state, "completed");
      }
      const pods = await platform.kubectl(["get", "pods", "-n", "kagent", "-o", "name"]);
      assert.ok(!pods.includes("pooled-"), pods);
      await platform.kubectl(["delete", "agents", "pooled-a", "pooled-b", "-n", "kagent"]);
    }).timeout(120_000);

    it("deletes an Agent with everything it has", async () => {
      await platform.apply(agent("gone"));
      await platform.ready("gone");
      await platform.kubectl(["delete", "agent", "gone", "-n", "kagent"]);
      await platform.until("nothing left", 60_000, async () => {
        const kinds = "secrets,deployments,services,serviceaccounts,pods";
        const args = ["get", kinds, "-n", "kagent", "-l", "kagent=gone", "-o", "name"];
        return (await platform.kubectl(args)).trim() === "" ? true : undefined;
      });
    }).timeout(120_000);

    it("discovers a good tool server beside ten that hang", async () => {
      const silent = await SilentServers.start(cluster().outside, 10);
      const good = await silent.startGood();
      try {
        const server = (name: string, url: string) => ({
          ...META,
          kind: "RemoteMCPServer",
          metadata: { name, namespace: "kagent" },
          spec: { description: name, url, timeout: "20s" },
        });
        await platform.apply(...silent.urls.map((url, index) => server(`silent-${index}`, url)));
        await platform.apply(server("good", good));
        const started = Date.now();
        await platform.until("the good one's tools", 10_000, async () => {
          const { status } = await platform.get("remotemcpserver", "good");
          const { discoveredTools = [] } = (status ?? {}) as {
            discoveredTools?: { name: string }[];
          };
          return discoveredTools.some(({ name }) => name === "ping") ? true : undefined;
        });
        process.stderr.write(
          `cluster: the good server was discovered in ${Date.now() - started} ms\n`,
        );
      } finally {
        await platform.kubectl(["delete", "remotemcpservers", "--all", "-n", "kagent"]);
        await silent.close();
      }
    }).timeout(90_000);

    it("ends a turn as failed when its worker is killed", async () => {
      onChat = (text) =>
        text.includes("slow") ? { silence: true } : { lines: answerLines({ text: ["hello"] }) };
      const chats = ollama.chats.length;
      const turn = ask("first", "be slow", { timeoutMs: 90_000 });
      await platform.until("the model is asked", 20_000, async () =>
        Promise.resolve(ollama.chats.length > chats || undefined),
      );
      await cluster().run("pkill", ["-9", "-f", "main.mjs worker"], AbortSignal.timeout(5_000));
      const { state, error } = await turn;
      assert.equal(state, "failed");
      assert.equal(error?.code, "WORKER_LOST");
      await platform.ready("first");
      onChat = () => ({ lines: answerLines({ text: ["hello"] }) });
      assert.equal((await ask("first", "again")).state, "completed");
    }).timeout(180_000);

    it("goes on with a turn while no controller is there, and tells its end afterwards", async () => {
      const pieces = Array.from({ length: 30 }, (_, index) => `part ${index}. `);
      onChat = () => ({ lines: answerLines({ text: pieces }), everyMs: 100 });
      const turn = follow(stream("first", "survive"));
      turn.end.catch(() => undefined); // its controller goes; the task is looked up below
      const taskId = await platform.until("the task", 20_000, async () => {
        const answer = await people("/api/approvals?state=pending");
        assert.equal(answer.status, 200);
        return turn.seen.partial === "" ? undefined : await runningTask();
      });
      process.kill(controller.process.pid, "SIGKILL");
      await platform.forget(controller);
      controller = await platform.startController("controller-a2");
      await platform.until("the task's end", 60_000, async () => {
        const state = await taskState(taskId);
        assert.notEqual(state, "failed");
        return state === "completed" ? true : undefined;
      });
    }).timeout(180_000);

    it("hands over between two controllers; no request is lost, cut streams resume with no event missing", async () => {
      const holder = async () =>
        await platform.kubectl([
          ...["get", "lease", "-n", "kagent", "-o", "jsonpath={.items[*].spec.holderIdentity}"],
        ]);
      await platform.until("the first one leading", 30_000, async () =>
        (await holder()).includes("controller-a2") ? true : undefined,
      );
      const second = await platform.startController("controller-b");
      const front = await ControllerFront.start(() => platform.controllers.map(({ url }) => url));
      try {
        const pieces = Array.from({ length: 40 }, (_, index) => `piece ${index}. `);
        onChat = () => ({ lines: answerLines({ text: pieces }), everyMs: 100 });
        const streams = Array.from({ length: 20 }, (_, index) =>
          follow(stream("first", `request ${index}`, { url: front.url, user: `user-${index}` })),
        );
        await platform.until("every task under way", 20_000, async () =>
          Promise.resolve(streams.every(({ seen }) => seen.partial !== "") || undefined),
        );
        const killed = Date.now();
        process.kill(controller.process.pid, "SIGKILL");
        await platform.forget(controller);
        for (const { end, seen } of streams) {
          const { state, parts } = await end;
          assert.equal(state, "completed");
          assert.equal(textOf(parts), pieces.join(""));
          assert.ok(pieces.join("").startsWith(seen.beforeFirstGap), "text came twice or mixed up");
        }
        const late = await ask("first", "after the kill", { url: front.url });
        assert.equal(late.state, "completed");
        await platform.until("a new leader", 20_000, async () =>
          (await holder()).includes("controller-b") ? true : undefined,
        );
        process.stderr.write(`cluster: leadership was handed over in ${Date.now() - killed} ms\n`);
        assert.ok(front.connections.size >= 2, "no stream went to another controller");
      } finally {
        await front.close();
      }
      controller = second;
      await platform.until("the webhook of the new leader", 20_000, async () => {
        await platform.apply(agent("after-handover"));
        return true;
      });
      await platform.ready("after-handover");
    }).timeout(240_000);
  });
}

/** What one stream has told so far. */
interface Seen {
  /** Text as it came. */
  partial: string;
  /** Text up to the first piece that did not follow the one before. */
  beforeFirstGap: string;
}

/** Reads a stream to its end on the side. */
function follow(updates: AsyncIterable<AgentUpdate>): {
  readonly seen: Seen;
  readonly end: Promise<Extract<AgentUpdate, { kind: "result" }>>;
} {
  const seen: Seen = { partial: "", beforeFirstGap: "" };
  const read = async () => {
    let isWhole = true;
    for await (const update of updates) {
      if (update.kind === "result") return update;
      if (update.kind !== "partial" || update.thought) continue;
      const next = /piece (\d+)/.exec(update.text)?.[1];
      const last = [...seen.partial.matchAll(/piece (\d+)/g)].at(-1)?.[1] ?? "-1";
      isWhole &&= next === undefined || Number(next) === Number(last) + 1;
      seen.partial += update.text;
      if (isWhole) seen.beforeFirstGap += update.text;
    }
    throw new Error("the stream ended without a result");
  };
  return { seen, end: read() };
}
