import assert from "node:assert/strict";
import { afterEach, describe, it } from "mocha";
import { agentConfig, agentUse, serverUse } from "../../support/agent-config.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { Outside } from "./turn-harness.ts";
import {
  ana,
  ben,
  closeWorkers,
  settled,
  TestWorker,
  type WorkerOptions,
} from "./worker-fixture.ts";

const git = { namespace: "kagent", name: "git" };
const root = { namespace: "kagent", name: "root" };
const modelOf = (name: string) => ({ ref: git, provider: "Ollama", model: name });
const gitConfig = agentConfig({
  ref: git,
  model: modelOf("git"),
  toolServers: [serverUse({ requireApproval: ["deploy"] })],
});
const rootConfig = agentConfig({
  ref: root,
  model: modelOf("root"),
  agents: [agentUse("git"), agentUse("slow")],
  toolServers: [serverUse()],
});
const slowConfig = agentConfig({
  ref: { namespace: "kagent", name: "slow" },
  model: modelOf("slow"),
});

const open = (over: Partial<WorkerOptions> = {}) =>
  TestWorker.open({
    agents: [gitConfig, rootConfig, slowConfig],
    models: {},
    outside: Object.assign(new Outside(), { tools: ["deploy"] }),
    ...over,
  });
const deploying = () => new ScriptedModel({ calls: [["deploy", {}]] }, { text: "done" });

/** States of every task that the store knows, by agent. */
async function states(w: TestWorker): Promise<Record<string, string>> {
  const pages = await Promise.all(
    [git, root, slowConfig.ref].map((agent) => w.tasks.list({ agent, pageSize: 10 }, ana)),
  );
  return Object.fromEntries(
    pages.flatMap(({ tasks }) => tasks.map(({ agent, state }) => [agent.name, state])),
  );
}

describe("runtime/worker/Tasks cancel", () => {
  afterEach(closeWorkers);

  it("ends an agent below that waits for people, and its request", async () => {
    const asks = new ScriptedModel({ calls: [["kagent__NS__git", { request: "x" }]] });
    const w = await open({ models: { git: deploying(), root: asks } });
    const { taskId } = await w.send(root, "go");
    assert.deepEqual(await states(w), { git: "input-required", root: "input-required" });
    const view = await w.tasks.cancel(root, taskId, ana);
    assert.equal(view.state, "canceled");
    assert.deepEqual(await states(w), { git: "canceled", root: "canceled" });
    assert.deepEqual(await w.store.approvals.list({ state: "pending", limit: 10 }), []);
    const records = await w.store.approvals.list({ limit: 10 });
    assert.deepEqual(
      records.map(({ approver, reason }) => `${approver ?? ""}: ${reason ?? ""}`),
      ["ana: the task was canceled", "ana: the task was canceled"],
    );
    await assert.rejects(w.send(root, { decision_type: "approve" }, { taskId }), {
      code: "not-expecting-input",
    });
    assert.deepEqual(w.ran(), []);
  });

  it("ends one agent that waits while another one works", async () => {
    const asks = new ScriptedModel({
      calls: [
        ["kagent__NS__git", { request: "x" }],
        ["kagent__NS__slow", { request: "x" }],
      ],
    });
    const w = await open({
      models: { git: deploying(), root: asks, slow: new ScriptedModel("hang") },
    });
    const running = await w.start(root, "go");
    await settled(60);
    assert.deepEqual(await states(w), { git: "input-required", slow: "working", root: "working" });
    const ended = w.end(root, running);
    await w.tasks.cancel(root, running.taskId, ana);
    await ended;
    await settled(60);
    assert.deepEqual(await states(w), { git: "canceled", slow: "canceled", root: "canceled" });
  });

  it("ends a turn that waits for its turn at once, and the one before it goes on", async () => {
    const w = await open({ models: { root: new ScriptedModel("hang", { text: "third" }) } });
    const first = await w.start(root, "1", { contextId: "one" });
    const second = await w.start(root, "2", { contextId: "one" });
    const third = await w.start(root, "3", { contextId: "one" });
    await settled();
    assert.equal((await w.tasks.cancel(root, second.taskId, ana)).state, "canceled");
    await settled();
    assert.equal((await w.tasks.get(root, first.taskId, ana)).state, "working");
    assert.equal(
      (await w.tasks.get(root, third.taskId, ana)).state,
      "submitted",
      "turns never overlap",
    );
    await w.tasks.cancel(root, first.taskId, ana);
    assert.equal((await w.end(root, third)).view?.state, "completed");
  });

  it("ends a turn whose summarizer is at work", async () => {
    const summarizer = new ScriptedModel("hang");
    const compaction = { interval: 1, overlap: 0, summarizer: { model: modelOf("sum") } };
    const w = await open({
      agents: [agentConfig({ ...gitConfig, compaction })],
      models: { git: new ScriptedModel({ text: "one" }, { text: "two" }), sum: summarizer },
    });
    const { contextId } = await w.send(git, "1");
    const running = await w.start(git, "2", { contextId });
    await settled();
    assert.equal(summarizer.requests.length, 1);
    assert.equal((await w.tasks.cancel(git, running.taskId, ana)).state, "canceled");
    assert.ok(summarizer.signals[0]?.aborted);
  });

  it("does not let a call run that was approved a moment before", async () => {
    const gate = Promise.withResolvers<undefined>();
    const w = await open({
      models: { git: deploying() },
      sessions: (sessions) => ({
        ...sessions,
        append: async (contextId, events) => {
          const stored = await sessions.append(contextId, events);
          if (events.some(({ body }) => body.type === "tool-intent")) await gate.promise;
          return stored;
        },
      }),
    });
    const { taskId } = await w.send(git, "go");
    const running = await w.start(git, { decision_type: "approve" }, { taskId });
    await settled();
    const cancelling = w.tasks.cancel(git, taskId, ana);
    await settled();
    gate.resolve(undefined);
    await cancelling;
    await w.end(git, running);
    assert.equal((await w.tasks.get(git, taskId, ana)).state, "canceled");
    assert.deepEqual(w.ran(), []);
  });
});

describe("runtime/worker/Tasks delegates", () => {
  afterEach(closeWorkers);
  const asking = () =>
    new ScriptedModel(
      { calls: [["kagent__NS__git", { request: "1" }]] },
      { text: "ok" },
      { calls: [["kagent__NS__git", { request: "2" }]] },
      { text: "ok" },
    );

  it("get a context for each root context, agent and user", async () => {
    const answers = () =>
      new ScriptedModel({ text: "a" }, { text: "b" }, { text: "c" }, { text: "d" });
    const w = await open({ models: { root: asking(), git: answers() } });
    const contexts = async (caller: typeof ana) =>
      (await w.tasks.list({ agent: git, pageSize: 10 }, caller)).tasks.map(
        ({ contextId }) => contextId,
      );
    const first = await w.send(root, "go");
    await w.send(root, "go", { contextId: first.contextId });
    assert.equal(new Set(await contexts(ana)).size, 1, "a second call remembers the first");
    const second = await open({
      store: w.store,
      models: { root: asking(), git: answers() },
    });
    // somebody else who names the same root
    const headers = { "x-kagent-root-context-id": first.contextId };
    await second.send(root, "go", {}, { ...ben, headers });
    const [own] = await contexts(ana);
    const [other] = await contexts(ben);
    assert.ok(own !== undefined && other !== undefined && own !== other);
  });

  it("get a context for each call where sessions are isolated", async () => {
    const isolated = agentConfig({
      ...rootConfig,
      agents: [agentUse("git", { isolateSessions: true })],
    });
    const w = await open({
      agents: [gitConfig, isolated],
      models: { root: asking(), git: new ScriptedModel({ text: "a" }, { text: "b" }) },
    });
    const { contextId } = await w.send(root, "go");
    await w.send(root, "go", { contextId });
    const { tasks } = await w.tasks.list({ agent: git, pageSize: 10 }, ana);
    assert.equal(new Set(tasks.map((task) => task.contextId)).size, 2);
  });

  it("get the user's files and data, and theirs are in the answer", async () => {
    const file = { raw: "aGVsbG8=", mediaType: "text/plain", filename: "hello.txt" };
    const outside = Object.assign(new Outside(), {
      agent: () => [
        {
          kind: "result" as const,
          state: "completed" as const,
          parts: [
            { text: "done" },
            { url: "https://files.example/report.pdf" },
            { data: { rows: 3 } },
          ],
        },
      ],
    });
    const w = await open({
      models: { root: asking() },
      outside,
      over: { agents: outside.deps(new ScriptedModel()).agents },
    });
    const parts = [{ text: "look at this" }, file, { data: { id: 7 } }];
    const running = await w.tasks.send({ agent: root, messageId: "m", parts, metadata: {} }, ana);
    const { view } = await w.end(root, running);
    assert.deepEqual(outside.agentCalls[0]?.parts, [{ text: "1" }, file, { data: { id: 7 } }]);
    const answer = view?.events.findLast(
      ({ body }) => body.type === "message" && body.role === "agent",
    )?.body;
    assert.deepEqual(answer?.type === "message" && answer.parts, [
      { text: "ok" },
      { url: "https://files.example/report.pdf" },
      { data: { rows: 3 } },
    ]);
  });
});
