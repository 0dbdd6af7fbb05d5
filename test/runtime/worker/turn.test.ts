import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { EventBody, PendingCall } from "../../../runtime/api/events.ts";
import { META } from "../../../runtime/api/names.ts";
import { ModelError } from "../../../runtime/model/chat-model.ts";
import type { AgentUpdate } from "../../../runtime/worker/turn-context.ts";
import { agentConfig, agentUse, serverUse } from "../../support/agent-config.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { Conversation, Outside } from "./turn-harness.ts";

const withTools = agentConfig({ toolServers: [serverUse()] });

function outside(over: Partial<Outside> = {}): Outside {
  return Object.assign(new Outside(), { tools: ["k8s_get", "k8s_logs"], ...over });
}
const types = (bodies: readonly EventBody[]): string[] => bodies.map(({ type }) => type);

describe("runtime/worker/runTurn with a model", () => {
  it("streams the answer and stores it whole", async () => {
    const talk = new Conversation(agentConfig(), new ScriptedModel({ text: "all is well" }));
    const outcome = await talk.send("how is it?");
    assert.equal(outcome.state, "completed");
    assert.equal(talk.partials.join(""), "all is well");
    assert.equal(talk.answer, "all is well");
    assert.deepEqual(outcome.usage, {
      inputTokens: 10,
      outputTokens: 5,
      cachedTokens: 0,
      modelCalls: 1,
      toolCalls: 0,
    });
  });

  it("runs the calls of one step side by side and shows the model their results in order", async () => {
    const model = new ScriptedModel(
      {
        calls: [
          ["k8s_get", { a: 1 }],
          ["k8s_logs", {}],
        ],
      },
      { text: "done" },
    );
    const gate = Promise.withResolvers<undefined>();
    let started = 0;
    const world = outside({
      answer: async ({ name }) => {
        started += 1;
        if (started === 2) gate.resolve(undefined);
        await gate.promise; // a serial run would wait here for ever
        return { ok: true, parts: [{ text: name }] };
      },
    });
    const talk = new Conversation(withTools, model, world);
    assert.equal((await talk.send("look")).state, "completed");
    const results = model.requests[1]?.messages.filter(({ role }) => role === "tool");
    assert.deepEqual(
      results?.map(({ text }) => text),
      ["k8s_get", "k8s_logs"],
    );
    assert.equal(talk.answer, "done");
  });

  it("tells the model of a tool that failed and goes on", async () => {
    const model = new ScriptedModel({ calls: [["k8s_get", {}]] }, { text: "it failed" });
    const talk = new Conversation(
      withTools,
      model,
      outside({ answer: () => Promise.reject(new Error("tool server kagent/tools is gone")) }),
    );
    assert.equal((await talk.send("look")).state, "completed");
    assert.match(
      JSON.stringify(model.requests[1]?.messages),
      /Error: tool server kagent\/tools is gone/,
    );
  });

  it("answers a call of a tool that does not exist with the tools that do", async () => {
    const model = new ScriptedModel({ calls: [["rm_rf", {}]] }, { text: "sorry" });
    await new Conversation(withTools, model, outside()).send("look");
    assert.match(JSON.stringify(model.requests[1]?.messages), /no tool 'rm_rf'.*k8s_get, k8s_logs/);
  });

  it("offers only allowed tools", async () => {
    const config = agentConfig({ toolServers: [serverUse({ toolNames: ["k8s_get"] })] });
    const model = new ScriptedModel({ text: "x" });
    await new Conversation(config, model, outside()).send("look");
    assert.deepEqual(
      model.requests[0]?.tools.map(({ name }) => name),
      ["k8s_get", "ask_user"],
    );
  });

  it("goes on without a server that cannot be reached, and tells the model", async () => {
    const model = new ScriptedModel({ text: "x" });
    await new Conversation(withTools, model, outside({ listFails: new Error("refused") })).send(
      "look",
    );
    assert.match(model.requests[0]?.messages[0]?.text ?? "", /Unreachable.*kagent\/tools/);
  });

  it("passes the user, listed request headers and the server's own headers to tools, the last ones strongest", async () => {
    const use = serverUse({ allowedHeaders: ["Authorization", "X-Team"] });
    const server = { ...use.server, headers: { "x-team": "fixed" } };
    const config = agentConfig({ toolServers: [{ ...use, server }] });
    const world = outside();
    await new Conversation(config, new ScriptedModel({ calls: [["k8s_get", {}]] }), world).send(
      "look",
      {
        headers: { authorization: "Bearer t", "x-team": "mine", cookie: "secret" },
      },
    );
    assert.deepEqual(world.calls[0]?.headers, {
      "x-user-id": "ana",
      "x-kagent-root-context-id": "root",
      authorization: "Bearer t",
      "x-team": "fixed",
    });
  });

  it("remembers the conversation", async () => {
    const model = new ScriptedModel({ text: "blue" }, { text: "I said blue" });
    const talk = new Conversation(agentConfig(), model);
    await talk.send("which colour?", { taskId: "one" });
    await talk.send("what did you say?", { taskId: "two" });
    assert.deepEqual(
      model.requests[1]?.messages.map(({ role, text }) => `${role}: ${text}`),
      ["system: You test.", "user: which colour?", "assistant: blue", "user: what did you say?"],
    );
  });
});

describe("runtime/worker/runTurn limits", () => {
  const limited = (limits: object) =>
    agentConfig({ toolServers: [serverUse()], limits: { ...agentConfig().limits, ...limits } });
  const loop = () =>
    new ScriptedModel(
      ...Array.from({ length: 20 }, (_, n) => ({
        text: `step ${n}`,
        calls: [["k8s_get", { n }]] as const,
      })),
    );

  for (const [limit, value] of [
    ["maxModelCalls", 3],
    ["maxToolCalls", 2],
    ["maxTokens", 40],
  ] as const)
    it(`stops at ${limit} with the reason, what was said is kept`, async () => {
      const talk = new Conversation(limited({ [limit]: value }), loop(), outside());
      const outcome = await talk.send("go");
      assert.equal(outcome.state, "failed");
      assert.equal(outcome.error?.code, "LIMIT_EXCEEDED");
      assert.match(outcome.error.message, new RegExp(`${limit} \\(${value}\\)`));
      assert.ok(
        talk.bodies.some((b) => b.type === "limit" && b.limit === limit && b.value === value),
      );
      assert.match(talk.answer, /^step \d/);
    });

  it("stops at maxDuration in the middle of a model call", async () => {
    const world = outside();
    const talk = new Conversation(
      limited({ maxDurationMs: 1_000 }),
      new ScriptedModel("hang"),
      world,
    );
    const turn = talk.send("go");
    await new Promise(setImmediate);
    await world.clock.advance(1_000);
    assert.equal((await turn).error?.code, "LIMIT_EXCEEDED");
    assert.equal(world.clock.pending, 0);
  });

  it("answers a repeated call with an error where repeats are refused", async () => {
    const model = new ScriptedModel(
      { calls: [["k8s_get", { a: 1, b: 2 }]] },
      { calls: [["k8s_get", { b: 2, a: 1 }]] },
      { text: "x" },
    );
    const world = outside();
    await new Conversation(limited({ repeatedCalls: "refuse" }), model, world).send("go");
    assert.equal(world.calls.length, 1);
    assert.match(JSON.stringify(model.requests[2]?.messages), /same arguments was made/);
  });

  it("never has more calls under way than maxParallelTools", async () => {
    let running = 0;
    let peak = 0;
    const answer = async () => {
      peak = Math.max(peak, ++running);
      await new Promise(setImmediate);
      running -= 1;
      return { ok: true, parts: [] };
    };
    const calls = Array.from({ length: 9 }, (_, n) => ["k8s_get", { n }] as const);
    await new Conversation(
      limited({ maxParallelTools: 3 }),
      new ScriptedModel({ calls }),
      outside({ answer }),
    ).send("go");
    assert.equal(peak, 3);
  });
});

describe("runtime/worker/runTurn failures", () => {
  it("ends failed with the model's words when the model is away", async () => {
    const error = new ModelError("Ollama at http://x does not answer", {
      code: "unreachable",
      retryable: true,
    });
    const talk = new Conversation(agentConfig(), new ScriptedModel({ throws: error }));
    const outcome = await talk.send("go");
    assert.deepEqual(outcome.error, {
      code: "MODEL_UNAVAILABLE",
      message: "Ollama at http://x does not answer",
    });
    assert.equal(types(talk.bodies).at(-2), "error");
  });

  it("keeps the words of an unexpected error to itself", async () => {
    const talk = new Conversation(
      agentConfig(),
      new ScriptedModel({ throws: new TypeError("token=hunter2") }),
    );
    const outcome = await talk.send("go");
    assert.equal(outcome.error?.code, "INTERNAL");
    assert.doesNotMatch(JSON.stringify(talk.events), /hunter2/);
  });

  it("passes a cancel on at once", async () => {
    const cancel = new AbortController();
    const talk = new Conversation(agentConfig(), new ScriptedModel("hang"));
    const turn = talk.send("go", {}, cancel.signal);
    setImmediate(() => {
      cancel.abort(new Error("canceled"));
    });
    await assert.rejects(turn, /canceled/);
    assert.equal(talk.outside.clock.pending, 0);
  });
});

describe("runtime/worker/runTurn people", () => {
  const guarded = agentConfig({
    toolServers: [serverUse({ toolNames: ["k8s_get", "k8s_logs"], requireApproval: ["k8s_get"] })],
  });
  const asking = () =>
    new ScriptedModel(
      {
        calls: [
          ["k8s_get", { a: 1 }],
          ["k8s_logs", {}],
        ],
      },
      { text: "done" },
    );
  const decide = (decision: object) => [{ data: decision }];

  it("waits for approval, runs what needs none, and runs the rest once approved", async () => {
    const world = outside();
    const talk = new Conversation(guarded, asking(), world);
    assert.equal((await talk.send("go")).state, "input-required");
    assert.deepEqual(
      world.calls.map(({ name }) => name),
      ["k8s_logs"],
    );
    const outcome = await talk.send(decide({ decision_type: "approve" }), { user: "ben" });
    assert.equal(outcome.state, "completed");
    assert.deepEqual(
      world.calls.map(({ name }) => name),
      ["k8s_logs", "k8s_get"],
    );
    const decided = talk.bodies.find((b) => b.type === "approval-decided");
    assert.equal(decided?.type === "approval-decided" && decided.approver, "ben");
    assert.equal(talk.answer, "done");
  });

  it("runs nothing on a void answer and stays pending", async () => {
    const world = outside();
    const talk = new Conversation(guarded, asking(), world);
    await talk.send("go");
    for (const answer of ["yes, do it", decide({ decision_type: "batch", decisions: {} })])
      assert.equal((await talk.send(answer)).state, "input-required");
    assert.equal(world.calls.length, 1);
    assert.equal((await talk.send(decide({ decision_type: "approve" }))).state, "completed");
  });

  for (const [mode, waits] of [
    ["listed", []],
    ["destructive", ["k8s_delete_resource", "mystery"]],
    ["all", ["k8s_get_resources", "k8s_delete_resource", "mystery"]],
  ] as const)
    it(`asks about ${waits.length === 0 ? "nothing" : waits.join(", ")} in mode ${mode} without any list`, async () => {
      const names = ["k8s_get_resources", "k8s_delete_resource", "mystery"];
      const config = agentConfig({
        toolServers: [serverUse()],
        approval: { ...agentConfig().approval, mode },
      });
      const model = new ScriptedModel({ calls: names.map((name) => [name, {}] as const) });
      const talk = new Conversation(config, model, outside({ tools: names }));
      await talk.send("go");
      const asked = talk.bodies.find((b) => b.type === "approval-requested");
      const pending = asked?.type === "approval-requested" ? asked.pending : [];
      assert.deepEqual(
        pending.map(({ name }) => name),
        waits,
      );
    });

  it("tells the model of a rejection with its reason", async () => {
    const world = outside();
    const model = asking();
    const talk = new Conversation(guarded, model, world);
    await talk.send("go");
    await talk.send(decide({ decision_type: "reject", rejection_reason: "not today" }));
    assert.equal(world.calls.length, 1);
    assert.match(
      JSON.stringify(model.requests[1]?.messages),
      /rejected by user\. Reason: not today/,
    );
  });

  it("asks people and gives the model their answer", async () => {
    const model = new ScriptedModel(
      { calls: [["ask_user", { questions: [{ question: "Which cluster?" }] }]] },
      { text: "thanks" },
    );
    const talk = new Conversation(agentConfig(), model);
    assert.equal((await talk.send("go")).state, "input-required");
    assert.equal((await talk.send("services-amer")).state, "completed");
    assert.match(JSON.stringify(model.requests[1]?.messages), /Which cluster\?.*services-amer/);
  });

  it("offers ask_user to people only", async () => {
    const model = new ScriptedModel({ text: "x" });
    await new Conversation(agentConfig(), model).send("go", { source: "agent" });
    assert.deepEqual(model.requests[0]?.tools, []);
  });
});

describe("runtime/worker/runTurn routing", () => {
  const routing = {
    rules: [
      {
        name: "cost",
        keywords: ["cost"],
        agent: { namespace: "kagent", name: "finops" },
        priority: 0,
      },
      {
        name: "pods",
        keywords: ["pods"],
        agent: { namespace: "kagent", name: "cluster" },
        priority: 0,
      },
    ],
    onNoMatch: "clarify",
    maxDelegates: 2,
  } as const;
  const coordinator = agentConfig({
    routing,
    agents: [agentUse("finops"), agentUse("cluster")],
    refusals: [
      {
        name: "no-deletes",
        match: { phrase: "delete all pods" },
        message: "Destructive requests are refused.",
      },
    ],
  });
  const answers = (text: string) =>
    [{ kind: "result", state: "completed", parts: [{ text }] }] as const;

  it("asks the agent of the matching rule, without any model call", async () => {
    const model = new ScriptedModel();
    const world = outside({ agent: () => answers("2 pods fail") });
    const talk = new Conversation(coordinator, model, world);
    assert.equal((await talk.send("which pods fail?")).state, "completed");
    assert.equal(model.requests.length, 0);
    assert.equal(talk.answer, "2 pods fail");
    const routed = talk.bodies.find((b) => b.type === "routing");
    assert.deepEqual(routed, {
      type: "routing",
      outcome: "rule",
      rules: ["pods"],
      agents: ["kagent/cluster"],
      matched: { pods: ["pods"] },
      scores: { pods: 1 },
    });
  });

  it("keeps one context for each root context and agent, and tells the lineage", async () => {
    const world = outside({ agent: () => answers("x") });
    const talk = new Conversation(coordinator, new ScriptedModel(), world);
    await talk.send("pods?", { taskId: "1" });
    await talk.send("pods again?", { taskId: "2" });
    await talk.send("pods?", { taskId: "3", rootContextId: "other" });
    const [a, b, c] = world.agentCalls.map(({ contextId }) => contextId);
    assert.equal(a, b);
    assert.notEqual(a, c);
    assert.equal(world.agentCalls[0]?.headers["x-kagent-root-context-id"], "root");
    assert.equal(world.agentCalls[0].headers["x-kagent-parent-context-id"], "context");
    assert.equal(world.agentCalls[0].headers["x-user-id"], "ana");
  });

  it("stays with the last route when nothing matches, and asks back when there is none", async () => {
    const world = outside({ agent: () => answers("x") });
    const talk = new Conversation(coordinator, new ScriptedModel(), world);
    await talk.send("hello", { taskId: "1" });
    assert.equal(world.agentCalls.length, 0);
    assert.match(talk.answer, /could not tell which agent/);
    await talk.send("pods?", { taskId: "2" });
    await talk.send("and why?", { taskId: "3" });
    assert.equal(world.agentCalls.length, 2);
  });

  it("answers with what came when one of two agents fails", async () => {
    const world = outside({
      agent: (call) =>
        call.url.includes("finops")
          ? [
              {
                kind: "result",
                state: "failed",
                parts: [],
                error: { code: "MODEL_ERROR", message: "no model" },
              },
            ]
          : answers("pods are fine"),
    });
    const talk = new Conversation(coordinator, new ScriptedModel(), world);
    const outcome = await talk.send("cost of the pods?");
    assert.equal(outcome.state, "completed");
    assert.match(talk.answer, /no model/);
    assert.match(talk.answer, /pods are fine/);
  });

  it("fails when every agent does", async () => {
    const talk = new Conversation(coordinator, new ScriptedModel(), outside());
    const outcome = await talk.send("pods?");
    assert.equal(outcome.error?.code, "DELEGATE_FAILED");
  });

  it("refuses before it routes, and names the layer and the rule", async () => {
    const world = outside();
    const model = new ScriptedModel();
    const talk = new Conversation(coordinator, model, world);
    const outcome = await talk.send("please delete all pods, whatever they cost");
    assert.equal(outcome.state, "rejected");
    assert.equal(world.agentCalls.length + model.requests.length, 0);
    assert.deepEqual(types(talk.bodies), ["message", "refusal", "message", "status"]);
    assert.match(talk.answer, /layer agent, rule no-deletes/);
  });

  it("asks delegates for envelopes and renders them where the agent says so", async () => {
    const envelope = {
      schema_version: "2",
      agent: "cluster",
      status: "ok",
      summary: "Two pods fail",
      severity: "critical",
      data: {
        scope: { cluster: "c1" },
        resources: {},
        issues: [
          {
            resource_kind: "Pod",
            resource_name: "web-1",
            severity: "critical",
            message: "OOMKilled",
          },
        ],
      },
    };
    const world = outside({
      agent: () => [
        {
          kind: "result",
          state: "completed",
          parts: [
            { text: "x" },
            { data: envelope, mediaType: "application/vnd.kagent.envelope+json" },
          ],
        },
      ],
    });
    const talk = new Conversation(
      agentConfig({ ...coordinator, envelope: "render" }),
      new ScriptedModel(),
      world,
    );
    await talk.send("pods?");
    assert.equal(world.agentCalls[0]?.metadata[META.output], "envelope");
    assert.match(talk.answer, /Two pods fail/);
    assert.match(talk.answer, /web-1/);
  });
});

describe("runtime/worker/runTurn with delegates that wait for people", () => {
  const inner: PendingCall = {
    confirmationId: "c",
    callId: "inner",
    kind: "approval",
    name: "github_create_branch",
    args: { branch: "agent/x" },
    hint: "approve?",
  };
  const waits: AgentUpdate[] = [
    { kind: "task", taskId: "child-task", contextId: "child-context" },
    { kind: "result", state: "input-required", parts: [], pending: [inner] },
  ];
  const done: AgentUpdate[] = [
    { kind: "result", state: "completed", parts: [{ text: "branch made" }] },
  ];
  const routed = agentConfig({
    agents: [agentUse("git")],
    routing: {
      rules: [
        {
          name: "git",
          keywords: ["branch"],
          agent: { namespace: "kagent", name: "git" },
          priority: 0,
        },
      ],
      onNoMatch: "clarify",
      maxDelegates: 1,
    },
  });
  const approve = [{ data: { decision_type: "approve" } }];
  const world = () => outside({ agent: (call) => (call.taskId === undefined ? waits : done) });

  it("asks about their calls and hands the decision to the task that waits", async () => {
    const outsideWorld = world();
    const talk = new Conversation(routed, new ScriptedModel(), outsideWorld);
    assert.equal((await talk.send("make a branch")).state, "input-required");
    const asked = talk.bodies.find((b) => b.type === "approval-requested");
    assert.deepEqual(
      asked?.type === "approval-requested" &&
        asked.pending.map(({ callId, delegate }) => [callId, delegate?.agent]),
      [["inner", "kagent/git"]],
    );
    assert.equal((await talk.send("yes please")).state, "input-required", "text approves nothing");
    assert.equal(outsideWorld.agentCalls.length, 1);
    assert.equal((await talk.send(approve)).state, "completed");
    const second = outsideWorld.agentCalls[1];
    assert.equal(second?.taskId, "child-task");
    assert.equal(second.contextId, "child-context");
    assert.deepEqual(second.parts, [
      { data: { decision_type: "batch", decisions: { inner: "approve" } } },
    ]);
    assert.equal(talk.answer, "branch made");
    assert.equal(talk.bodies.filter((b) => b.type === "tool-call").length, 1);
  });

  it("asks again when the agent waits again", async () => {
    let rounds = 0;
    const again = outside({ agent: () => (++rounds < 3 ? waits : done) });
    const talk = new Conversation(routed, new ScriptedModel(), again);
    assert.equal((await talk.send("make a branch")).state, "input-required");
    assert.equal((await talk.send(approve)).state, "input-required");
    assert.equal((await talk.send(approve)).state, "completed");
  });

  it("hands on a rejection with its reason", async () => {
    const outsideWorld = world();
    const talk = new Conversation(routed, new ScriptedModel(), outsideWorld);
    await talk.send("make a branch");
    await talk.send([{ data: { decision_type: "reject", rejection_reason: "not now" } }]);
    assert.deepEqual(outsideWorld.agentCalls[1]?.parts, [
      {
        data: {
          decision_type: "batch",
          decisions: { inner: "reject" },
          rejection_reasons: { inner: "not now" },
        },
      },
    ]);
  });

  it("goes on with its own model once an agent it called has answered", async () => {
    const model = new ScriptedModel(
      { calls: [["kagent__NS__git", { request: "make a branch" }]] },
      { text: "it is made" },
    );
    const talk = new Conversation(agentConfig({ agents: [agentUse("git")] }), model, world());
    assert.equal((await talk.send("go")).state, "input-required");
    assert.equal((await talk.send(approve)).state, "completed");
    assert.match(JSON.stringify(model.requests[1]?.messages), /branch made/);
    assert.equal(talk.answer, "it is made");
  });
});

describe("runtime/worker/runTurn envelope", () => {
  const asks = { metadata: { [META.output]: "envelope" }, source: "agent" as const };
  const answer = JSON.stringify({
    summary: "one pod fails",
    severity: "error",
    data: { scope: {} },
  });
  const envelopeOf = (talk: Conversation) => {
    const body = talk.bodies.findLast((b) => b.type === "message" && b.role === "agent");
    const part = body?.type === "message" ? body.parts.find((p) => "data" in p) : undefined;
    return part !== undefined && "data" in part
      ? (part.data as Record<string, unknown>)
      : undefined;
  };

  it("comes from one last call without tools, with evidence of the runtime's own", async () => {
    const model = new ScriptedModel(
      { calls: [["k8s_get", {}]] },
      { text: "a pod fails" },
      { text: answer },
    );
    const talk = new Conversation(withTools, model, outside());
    await talk.send("go", asks);
    assert.deepEqual(model.requests[2]?.tools, []);
    assert.equal(model.requests[2].format?.["type"], "object");
    const envelope = envelopeOf(talk);
    assert.equal(envelope?.["summary"], "one pod fails");
    assert.deepEqual((envelope["evidence"] as { tool: string }[])[0]?.tool, "k8s_get");
    assert.equal(talk.answer, "a pod fails");
    assert.equal(talk.partials.join(""), "a pod fails");
  });

  it("is repaired once", async () => {
    const model = new ScriptedModel(
      { text: "a pod fails" },
      { text: "{not json" },
      { text: answer },
    );
    const talk = new Conversation(agentConfig(), model);
    await talk.send("go", asks);
    assert.equal(envelopeOf(talk)?.["summary"], "one pod fails");
  });

  it("wraps the free text when the model cannot do it, so nothing is lost", async () => {
    const model = new ScriptedModel({ text: "a pod fails" }, { text: "no" }, { text: "no" });
    const talk = new Conversation(agentConfig(), model);
    assert.equal((await talk.send("go", asks)).state, "completed");
    assert.match(JSON.stringify(envelopeOf(talk)), /a pod fails/);
  });
});
