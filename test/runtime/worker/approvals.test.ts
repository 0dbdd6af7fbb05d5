import assert from "node:assert/strict";
import { afterEach, describe, it } from "mocha";
import { argsHash } from "../../../runtime/api/approval-decision.ts";
import { agentConfig, agentUse, serverUse } from "../../support/agent-config.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { Conversation, Outside } from "./turn-harness.ts";
import {
  ana,
  answerOf,
  ben,
  bodiesOf,
  closeWorkers,
  controller,
  pendingOf,
  settled,
  TestWorker,
} from "./worker-fixture.ts";

const git = { namespace: "kagent", name: "git" };
const coordinator = { namespace: "kagent", name: "coordinator" };
const HOUR = 3_600_000;

const approve = { decision_type: "approve" };
const batch = (decisions: Record<string, string>, more = {}) => ({
  decision_type: "batch",
  decisions,
  ...more,
});

/** An agent whose tool `deploy` waits for approval. */
function gitConfig(approvers: readonly string[] = [], timeoutMs = HOUR) {
  return agentConfig({
    ref: git,
    model: { ref: git, provider: "Ollama", model: "git" },
    toolServers: [serverUse({ requireApproval: ["deploy"] })],
    approval: { mode: "listed", timeoutMs, approvers },
  });
}

/** An agent that asks it. */
function coordinatorConfig(approvers: readonly string[] = [], timeoutMs = HOUR) {
  return agentConfig({
    ref: coordinator,
    model: { ref: git, provider: "Ollama", model: "coordinator" },
    agents: [agentUse("git")],
    approval: { mode: "listed", timeoutMs, approvers },
  });
}

const deploys = (...calls: readonly Record<string, unknown>[]) =>
  new ScriptedModel(...calls.map((args) => ({ calls: [["deploy", args]] as const })), {
    text: "all done",
  });
const asksGit = () =>
  new ScriptedModel(
    { calls: [["kagent__NS__git", { request: "deploy it" }]] },
    { text: "git said so" },
  );
const tools = () => Object.assign(new Outside(), { tools: ["deploy", "look"] });

async function worker(over: Partial<Parameters<typeof TestWorker.open>[0]> = {}) {
  return await TestWorker.open({
    agents: [gitConfig(), coordinatorConfig()],
    models: { git: deploys({ n: 1 }), coordinator: asksGit() },
    outside: tools(),
    ...over,
  });
}

describe("runtime/worker/Tasks approvals", () => {
  afterEach(closeWorkers);

  describe("edits", () => {
    const schema = {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      properties: { n: { type: "integer", maximum: 5 } },
      required: ["n"],
      additionalProperties: false,
    };
    const withSchema = () => {
      const outside = tools();
      const deps = outside.deps.bind(outside);
      outside.deps = (model) => ({
        ...deps(model),
        tools: {
          ...deps(model).tools,
          listTools: async () => [{ name: "deploy", description: "", inputSchema: schema }],
        },
      });
      return outside;
    };

    it("run instead of what the model wrote, and the model and the audit are told", async () => {
      const model = deploys({ n: 1 });
      const w = await worker({ outside: withSchema(), models: { git: model } });
      const { taskId } = await w.send(git, "go");
      const end = await w.send(
        git,
        { ...approve, edited_args: { "call-1": { n: 3 } } },
        { taskId },
      );
      assert.deepEqual(w.ran(), [["deploy", { n: 3 }]]);
      assert.match(
        JSON.stringify(model.requests[1]?.messages),
        /approver changed the arguments to \{\\"n\\":3\}/,
      );
      const [decided] = bodiesOf(end, "approval-decided");
      assert.deepEqual(decided?.decisions[0], {
        callId: "call-1",
        decision: "approve",
        argsHash: argsHash({ n: 3 }),
        editedArgs: { n: 3 },
      });
      const [intent] = bodiesOf(end, "tool-intent");
      assert.equal(intent?.argsHash, argsHash({ n: 3 }));
    });

    for (const [why, args] of [
      ["maximum", { n: 6 }],
      ["integer", { n: "3" }],
      ["required", {}],
      ["additional properties", { n: 1, force: true }],
    ] as const)
      it(`void the whole answer when they break the schema: ${why}`, async () => {
        const w = await worker({ outside: withSchema() });
        const { taskId } = await w.send(git, "go");
        const end = await w.send(git, { ...approve, edited_args: { "call-1": args } }, { taskId });
        assert.deepEqual(w.ran(), []);
        assert.equal(end.view?.state, "input-required");
        const [error] = bodiesOf(end, "error");
        assert.match(
          error?.error.message ?? "",
          /^Nothing was executed: edited_args of call-1: .*still pending/,
        );
        assert.equal((await w.send(git, approve, { taskId })).view?.state, "completed");
        assert.deepEqual(w.ran(), [["deploy", { n: 1 }]]);
      });

    it("of an agent below are judged where people decide, and run there", async () => {
      const w = await worker({ outside: withSchema() });
      const { taskId } = await w.send(coordinator, "go");
      const wrong = await w.send(
        coordinator,
        { ...approve, edited_args: { "call-1": { n: 9 } } },
        { taskId },
      );
      assert.equal(wrong.view?.state, "input-required");
      assert.deepEqual(w.ran(), []);
      const end = await w.send(
        coordinator,
        { ...approve, edited_args: { "call-1": { n: 2 } } },
        { taskId },
      );
      assert.equal(end.view?.state, "completed");
      assert.deepEqual(w.ran(), [["deploy", { n: 2 }]]);
    });
  });

  describe("decisions", () => {
    it("name the task they are about", async () => {
      const w = await worker();
      const { contextId } = await w.send(git, "go");
      for (const data of [approve, { decision_type: "whatever" }])
        await assert.rejects(w.send(git, data, { contextId }), { code: "invalid" });
      assert.deepEqual(w.ran(), []);
    });

    it("of an unknown type are an error, not a new turn", async () => {
      const model = deploys({ n: 1 });
      const w = await worker({ models: { git: model } });
      const { taskId } = await w.send(git, "go");
      const end = await w.send(git, { decision_type: "aprove" }, { taskId });
      assert.equal(end.view?.state, "input-required");
      assert.match(bodiesOf(end, "error")[0]?.error.message ?? "", /unknown decision_type/);
      assert.equal(model.requests.length, 1);
    });

    it("that come twice at once run a call once", async () => {
      const w = await worker({ models: { git: deploys({ n: 1 }, { n: 2 }) } });
      const { taskId } = await w.send(git, "go");
      const both = await Promise.allSettled([
        w.send(git, approve, { taskId }),
        w.send(git, approve, { taskId }),
      ]);
      assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
      assert.deepEqual(w.ran(), [["deploy", { n: 1 }]], "what was asked later was not decided on");
    });

    it("of two processes that both take the task run a call once", async () => {
      const first = await worker();
      const { taskId } = await first.send(git, "go");
      const second = await worker({
        store: first.store,
        clock: new FakeClock(Date.UTC(2026, 0, 1, 0, 0, 1)),
        models: { git: new ScriptedModel({ text: "second" }) },
      });
      await Promise.allSettled([
        first.send(git, approve, { taskId }),
        second.send(git, approve, { taskId }),
      ]);
      assert.equal(first.ran().length + second.ran().length, 1);
    });

    it("about a request that another one has followed are void", async () => {
      const config = agentConfig({ toolServers: [serverUse({ requireApproval: ["deploy"] })] });
      const talk = new Conversation(config, deploys({ n: 1 }, { n: 2 }), tools());
      const seqOf = (index: number) =>
        talk.events.filter(({ body }) => body.type === "approval-requested")[index]?.seq ?? 0;
      const answer = (seq: number) =>
        talk.send([{ data: approve }], { decision: { seq, decider: ana, kind: "answer" } });
      await talk.send("go");
      await answer(seqOf(0));
      assert.equal((await answer(seqOf(0))).state, "input-required");
      assert.deepEqual(
        talk.outside.calls.map(({ args }) => args),
        [{ n: 1 }],
      );
      assert.equal((await answer(seqOf(1))).state, "completed");
      assert.equal(talk.outside.calls.length, 2);
    });

    it("about calls of two agents with the same id are taken together only", async () => {
      const config = agentConfig({
        ...coordinatorConfig(),
        toolServers: [serverUse({ requireApproval: ["deploy"] })],
      });
      const both = new ScriptedModel(
        {
          calls: [
            ["deploy", { own: true }],
            ["kagent__NS__git", { request: "x" }],
          ],
        },
        { text: "ok" },
      );
      const w = await worker({
        agents: [gitConfig(), config],
        models: { git: deploys({ n: 1 }), coordinator: both },
      });
      const asked = await w.send(coordinator, "go");
      const { taskId } = asked;
      assert.deepEqual(
        pendingOf(asked).map(({ callId }) => callId),
        ["call-1", "call-1"],
      );
      const end = await w.send(coordinator, batch({ "call-1": "approve" }), { taskId });
      assert.equal(end.view?.state, "input-required");
      assert.deepEqual(w.ran(), []);
      await w.send(coordinator, approve, { taskId });
      assert.equal(w.ran().length, 2);
    });

    it("are for the agent that asks people, not for the one it asked", async () => {
      const w = await worker();
      const { taskId } = await w.send(coordinator, "go");
      const [record] = await w.store.approvals.list({ state: "pending", limit: 10 });
      const records = await w.store.approvals.list({ state: "pending", limit: 10 });
      const child = records.find((each) => each.taskId !== taskId) ?? record;
      await assert.rejects(w.send(git, approve, { taskId: child?.taskId ?? "" }), {
        code: "invalid",
        message: /asked for by another agent/,
      });
      assert.deepEqual(w.ran(), []);
    });
  });

  describe("expiry", () => {
    it("is told with the request", async () => {
      const w = await worker({ agents: [gitConfig([], 60_000)] });
      const end = await w.send(git, "go");
      const [asked] = bodiesOf(end, "approval-requested");
      assert.equal(asked?.expiresAt, new Date(w.clock.now() + 60_000).toISOString());
      assert.equal(asked.pending[0]?.expiresAt, asked.expiresAt);
    });

    it("turns a late approval into a rejection by nobody, and the model says so", async () => {
      const model = deploys({ n: 1 });
      const w = await worker({ models: { git: model } });
      const { taskId } = await w.send(git, "go");
      await w.clock.advance(HOUR);
      const end = await w.send(git, approve, { taskId });
      assert.deepEqual(w.ran(), []);
      assert.equal(end.view?.state, "completed");
      const [decided] = bodiesOf(end, "approval-decided");
      assert.equal(decided?.approver, "system:expiry");
      assert.deepEqual(
        decided.decisions.map(({ decision }) => decision),
        ["reject"],
      );
      assert.match(JSON.stringify(model.requests[1]?.messages), /approval has expired/);
    });

    it("comes by itself, a moment before it does not", async () => {
      const w = await worker();
      await w.tasks.start();
      const { taskId } = await w.send(git, "go");
      await w.clock.advance(HOUR - 1);
      await settled();
      assert.equal((await w.tasks.get(git, taskId, ana)).state, "input-required");
      await w.clock.advance(5_000);
      await settled();
      const view = await w.tasks.get(git, taskId, ana);
      assert.equal(view.state, "completed");
      assert.deepEqual(w.ran(), []);
      const messages = view.events.filter(
        ({ body }) => body.type === "message" && body.role === "user",
      );
      assert.equal(messages.length, 1, "an expiry is nobody's message");
    });

    it("comes after a restart too", async () => {
      const before = await worker();
      const { taskId } = await before.send(git, "go");
      await before.close("keep");
      const clock = new FakeClock(before.clock.now() + HOUR);
      const models = { git: new ScriptedModel({ text: "nobody decided" }) };
      const after = await worker({ store: before.store, clock, models });
      assert.equal(await after.tasks.expireApprovals(clock.now() - 1), 0);
      assert.equal(await after.tasks.expireApprovals(clock.now()), 1);
      await settled();
      assert.equal((await after.tasks.get(git, taskId, ana)).state, "completed");
      assert.equal(await after.tasks.expireApprovals(clock.now()), 0);
      const [record] = await after.store.approvals.list({ taskId, limit: 10 });
      assert.equal(record?.state, "reject");
      assert.equal(record.approver, "system:expiry");
    });

    it("of an agent below is told by the one that asked it", async () => {
      const git_ = deploys({ n: 1 });
      const w = await worker({
        agents: [gitConfig([], 60_000), coordinatorConfig()],
        models: { git: git_, coordinator: asksGit() },
      });
      const asked = await w.send(coordinator, "go");
      const [request] = bodiesOf(asked, "approval-requested");
      assert.equal(request?.expiresAt, new Date(w.clock.now() + 60_000).toISOString());
      await w.clock.advance(60_000);
      assert.equal(await w.tasks.expireApprovals(w.clock.now()), 1);
      await settled();
      const view = await w.tasks.get(coordinator, asked.taskId, ana);
      assert.equal(view.state, "completed");
      assert.match(JSON.stringify(git_.requests[1]?.messages), /nobody decided in time/);
      const left = await w.store.approvals.list({ state: "pending", limit: 10 });
      assert.deepEqual(left, []);
      const records = await w.store.approvals.list({ limit: 10 });
      assert.deepEqual(
        records.map(({ approver }) => approver),
        ["system:expiry", "system:expiry"],
      );
      assert.deepEqual(w.ran(), []);
    });

    it("is the controller's to say, when it is true", async () => {
      const w = await worker();
      const { taskId } = await w.send(git, "go");
      const expire = { decision_type: "expire" };
      const mine = await w.send(git, expire, { taskId });
      assert.equal(mine.view?.state, "input-required");
      assert.match(bodiesOf(mine, "error")[0]?.error.message ?? "", /unknown decision_type/);
      await assert.rejects(w.start(git, expire, { taskId }, controller), { code: "invalid" });
      await assert.rejects(w.start(git, approve, { taskId }, controller), {
        code: "task-not-found",
      });
      await w.clock.advance(HOUR);
      const running = await w.start(git, expire, { taskId }, controller);
      await w.end(git, running, controller);
      assert.equal((await w.tasks.get(git, taskId, ana)).state, "completed");
      assert.deepEqual(w.ran(), []);
    });
  });

  describe("approvers", () => {
    const sre = { ...ben, groups: ["sre"] };

    it("decide about tasks that are not theirs, and are told no more than that", async () => {
      const w = await worker({ agents: [gitConfig(["group:sre"])] });
      const { taskId } = await w.send(git, "secret request");
      const end = await w.send(git, approve, { taskId }, sre);
      assert.deepEqual(w.ran(), [["deploy", { n: 1 }]]);
      assert.deepEqual(
        end.told.map(({ type }) => type),
        ["status", "approval-decided", "status"],
      );
      assert.doesNotMatch(JSON.stringify(end.told), /secret|all done|result of/);
      await assert.rejects(w.tasks.get(git, taskId, sre), { code: "task-not-found" });
      await assert.rejects(w.tasks.subscribe(git, taskId, sre), { code: "task-not-found" });
      await assert.rejects(w.tasks.cancel(git, taskId, sre), { code: "task-not-found" });
      const view = await w.tasks.get(git, taskId, ana);
      const decided = view.events.find(({ body }) => body.type === "approval-decided")?.body;
      assert.equal(decided?.type === "approval-decided" && decided.approver, "ben");
      const [record] = await w.store.approvals.list({ taskId, limit: 1 });
      assert.equal(record?.approver, "ben");
      assert.equal(record.user, "ana");
    });

    it("whom the controller speaks for are told no more either", async () => {
      const w = await worker({ agents: [gitConfig(["group:sre"])] });
      const { taskId } = await w.send(git, "secret request");
      const passedOn = { ...ana, approver: { user: "ben", groups: ["sre"] } };
      const end = await w.send(git, approve, { taskId }, passedOn);
      assert.equal(w.ran().length, 1);
      assert.equal(end.view, undefined);
      assert.doesNotMatch(JSON.stringify(end.told), /secret|all done|result of/);
      assert.match(JSON.stringify(end.told), /"approver":"ben"/);
    });

    it("do not lend their credentials to the owner's turn", async () => {
      const use = serverUse({ requireApproval: ["deploy"], allowedHeaders: ["authorization"] });
      const w = await worker({
        agents: [agentConfig({ ...gitConfig(["ben"]), toolServers: [use] })],
      });
      const { taskId } = await w.send(git, "go");
      const headers = { authorization: "Bearer ben", traceparent: "00-1" };
      await w.send(git, approve, { taskId }, { ...ben, headers });
      const [call] = w.outside.calls;
      assert.ok(call !== undefined);
      assert.equal(call.headers["authorization"], undefined);
      assert.equal(call.headers["traceparent"], "00-1");
      assert.equal(call.headers["x-user-id"], "ana");
    });

    it("are the only ones: the owner is told so, a stranger nothing", async () => {
      const w = await worker({ agents: [gitConfig(["carl", "group:sre"])] });
      const { taskId } = await w.send(git, "go");
      await assert.rejects(w.send(git, approve, { taskId }), {
        code: "not-permitted",
        message: /waits for carl, group:sre; you cannot decide/,
      });
      await assert.rejects(w.send(git, approve, { taskId }, ben), { code: "task-not-found" });
      await assert.rejects(w.send(git, approve, { taskId }, { ...ben, groups: ["dev"] }), {
        code: "task-not-found",
      });
      await assert.rejects(w.send(git, "let me in", { taskId }, sre), { code: "task-not-found" });
      assert.deepEqual(w.ran(), []);
      assert.equal((await w.tasks.get(git, taskId, ana)).state, "input-required");
      await w.send(git, approve, { taskId }, { user: "carl", headers: {} });
      assert.equal(w.ran().length, 1);
    });

    it("of an agent below hold above it too, and are told below who it was", async () => {
      const w = await worker({ agents: [gitConfig(["group:sre"]), coordinatorConfig()] });
      const asked = await w.send(coordinator, "go");
      const { taskId } = asked;
      assert.deepEqual(pendingOf(asked)[0]?.approvers, ["group:sre"]);
      await assert.rejects(w.send(coordinator, approve, { taskId }), { code: "not-permitted" });
      assert.deepEqual(w.ran(), []);
      await w.send(coordinator, approve, { taskId }, sre);
      assert.deepEqual(w.ran(), [["deploy", { n: 1 }]]);
      const records = await w.store.approvals.list({ limit: 10 });
      assert.deepEqual(
        records.map(({ approver }) => approver),
        ["ben", "ben"],
      );
    });

    it("are asked for by an agent that passes an approval on, too", async () => {
      const w = await worker({ agents: [gitConfig(["group:sre"]), coordinatorConfig()] });
      const { taskId } = await w.send(coordinator, "go");
      const records = await w.store.approvals.list({ state: "pending", limit: 10 });
      const below = records.find((record) => record.taskId !== taskId)?.taskId ?? "";
      const agent = { ...ana, headers: { "x-kagent-source": "agent" } };
      await assert.rejects(w.send(git, approve, { taskId: below }, agent), {
        code: "not-permitted",
      });
      const decisions = { "call-1": "reject" };
      await w.send(git, batch(decisions), { taskId: below }, agent); // it may end what it began
      assert.deepEqual(w.ran(), []);
    });

    it("are not believed when a person names somebody else", async () => {
      const w = await worker({ agents: [gitConfig(["group:sre"])] });
      const { taskId } = await w.send(git, "go");
      const headers = { "x-kagent-approver": "ben", "x-kagent-approver-groups": "sre" };
      await assert.rejects(w.send(git, approve, { taskId }, { ...ana, headers }), {
        code: "not-permitted",
      });
      assert.deepEqual(w.ran(), []);
    });

    it("leave questions to whoever was asked", async () => {
      const asks = new ScriptedModel(
        { calls: [["ask_user", { questions: [{ question: "Which?" }] }]] },
        { text: "thanks" },
      );
      const w = await worker({ agents: [gitConfig(["carl"])], models: { git: asks } });
      const { taskId } = await w.send(git, "go");
      assert.equal(answerOf(await w.send(git, "this one", { taskId })), "thanks");
    });
  });
});
