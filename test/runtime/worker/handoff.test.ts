import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { AgentConfig } from "../../../runtime/api/agent-config.ts";
import type { EventBody, EventOf, PendingCall } from "../../../runtime/api/events.ts";
import { ENVELOPE_MEDIA_TYPE, META } from "../../../runtime/api/names.ts";
import type { AgentCall, AgentUpdate } from "../../../runtime/worker/turn-context.ts";
import { agentConfig, agentUse } from "../../support/agent-config.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { Conversation, Outside } from "./turn-harness.ts";

const SCHEMA = {
  type: "object",
  properties: { verdict: { type: "string" } },
  required: ["verdict"],
};
const rule = (over: { when?: string; wait?: boolean; to?: string } = {}) => ({
  when: over.when ?? "output.verdict == 'incident'",
  use: agentUse(over.to ?? "orchestrator"),
  wait: over.wait ?? false,
});
let hashes = 0;
/** An agent whose answers are verdicts. */
const triage = (over: Partial<AgentConfig> = {}) =>
  agentConfig({
    hash: `triage-${++hashes}`,
    responseSchema: SCHEMA,
    handoffs: [rule()],
    ...over,
  });
const verdict = (word: string) =>
  new ScriptedModel({ text: "judged" }, { text: JSON.stringify({ verdict: word }) });

function outside(agent: (call: AgentCall) => readonly AgentUpdate[]): Outside {
  const made = new Outside();
  made.agent = agent;
  return made;
}

const started: AgentUpdate = { kind: "task", taskId: "child-task", contextId: "child-context" };
const answered = (text: string): readonly AgentUpdate[] => [
  started,
  { kind: "result", state: "completed", parts: [{ text }] },
];
const failed = (state: "failed" | "rejected", message: string): readonly AgentUpdate[] => [
  {
    kind: "result",
    state,
    parts: [],
    error: { code: "DELEGATE_FAILED", message },
  },
];

function only<T extends EventBody["type"]>(talk: Conversation, type: T): readonly EventOf<T>[] {
  return talk.bodies.filter((body): body is EventOf<T> => body.type === type);
}

describe("runtime/worker/runTurn hand-offs", () => {
  it("does not hand over an answer of which no condition holds", async () => {
    const world = outside(() => answered("never"));
    const talk = new Conversation(triage(), verdict("noise"), world);
    assert.equal((await talk.send("alert")).state, "completed");
    assert.deepEqual(world.agentCalls, []);
    assert.deepEqual(only(talk, "handoff"), []);
  });

  it("starts the other agent with the answer and ends with its own, without wait", async () => {
    let read = 0;
    const world = outside(() => [started]);
    world.agent = function* () {
      read = 1;
      yield started;
      read = 2;
      yield* answered("much later");
    } as unknown as Outside["agent"];
    const talk = new Conversation(triage(), verdict("incident"), world);
    assert.equal((await talk.send("alert")).state, "completed");
    assert.equal(read, 1, "nothing is read once the task is known");
    assert.deepEqual(world.cancelled, []);
    assert.deepEqual(only(talk, "handoff"), [
      {
        type: "handoff",
        agent: "kagent/orchestrator",
        when: "output.verdict == 'incident'",
        wait: false,
      },
    ]);
    const [call] = world.agentCalls;
    assert.deepEqual(call?.parts, [
      { text: "judged" },
      { data: { verdict: "incident" }, mediaType: "application/json" },
    ]);
    assert.equal(call.headers["x-kagent-parent-context-id"], "context");
    assert.equal(call.headers["x-kagent-root-context-id"], "root");
    assert.notEqual(call.contextId, "context");
    const [result] = only(talk, "tool-result");
    assert.equal(result?.ok, true);
    assert.equal(result.childContextId, call.contextId);
    assert.equal(talk.answer, "judged");
  });

  it("answers with the other agent's answer where it waits, and takes the first rule that holds", async () => {
    const world = outside((call) => answered(`from ${call.url.split("/").at(-2) ?? ""}`));
    const handoffs = [
      rule({ when: "output.gone == 1", wait: true, to: "a" }),
      rule({ wait: true, to: "b" }),
      rule({ when: "true", wait: true, to: "c" }),
    ];
    const talk = new Conversation(triage({ handoffs }), verdict("incident"), world);
    assert.equal((await talk.send("alert")).state, "completed");
    assert.equal(world.agentCalls.length, 1);
    assert.equal(talk.answer, "from b");
  });

  it("judges text where no structure is asked for, and the envelope where there is one", async () => {
    const envelope = JSON.stringify({
      summary: "disk full",
      severity: "critical",
      data: { scope: {} },
    });
    const handoffs = [rule({ when: "envelope.severity == 'critical' && output == 'bad'" })];
    const config = () => agentConfig({ hash: `text-${++hashes}`, handoffs });
    const world = outside(() => [started]);
    const asked = { metadata: { [META.output]: "envelope" } };
    const talk = new Conversation(
      config(),
      new ScriptedModel({ text: "bad" }, { text: envelope }),
      world,
    );
    await talk.send("look", asked);
    const parts = world.agentCalls[0]?.parts ?? [];
    assert.ok(parts.some((part) => "data" in part && part.mediaType === ENVELOPE_MEDIA_TYPE));
    const plain = outside(() => [started]);
    await new Conversation(config(), new ScriptedModel({ text: "bad" }), plain).send("look");
    assert.deepEqual(plain.agentCalls, [], "without an envelope the condition cannot hold");
  });

  for (const wait of [true, false])
    for (const state of ["failed", "rejected"] as const)
      it(`tells a hand-over that ${state} behind its own answer, ${wait ? "with" : "without"} wait`, async () => {
        const world = outside(() => failed(state, "no room left"));
        const config = triage({ handoffs: [rule({ wait })] });
        const talk = new Conversation(config, verdict("incident"), world);
        assert.equal((await talk.send("alert")).state, "completed");
        assert.match(
          talk.answer,
          /^judged\n\nHanding over to kagent\/orchestrator failed: .*no room left/,
        );
        const last = talk.bodies.findLast((body) => body.type === "message");
        assert.ok(
          last?.type === "message" &&
            last.parts.some((part) => "data" in part && part.mediaType === "application/json"),
          "the structured answer is still there",
        );
      });

  it("tells a hand-over that could not be made in its envelope too", async () => {
    const world = outside(() => {
      throw new Error("connection refused");
    });
    const model = new ScriptedModel(
      { text: "bad" },
      { text: JSON.stringify({ summary: "disk full", severity: "error", data: { scope: {} } }) },
    );
    const config = agentConfig({ hash: "refused", handoffs: [rule({ when: "true" })] });
    const talk = new Conversation(config, model, world);
    await talk.send("look", { metadata: { [META.output]: "envelope" } });
    const last = talk.bodies.findLast((body) => body.type === "message");
    const part = last?.type === "message" ? last.parts.find((each) => "data" in each) : undefined;
    const data = part !== undefined && "data" in part ? (part.data as Record<string, string>) : {};
    assert.equal(data["status"], "partial");
    assert.match(data["summary"] ?? "", /^disk full\n\nHanding over .* connection refused/);
  });

  it("tells of a limit that forbids the hand-over instead of losing the answer to it", async () => {
    const world = outside(() => answered("never"));
    const limits = { ...agentConfig().limits, maxDelegations: 0 };
    for (const wait of [true, false]) {
      const config = triage({ limits, handoffs: [rule({ wait })] });
      const talk = new Conversation(config, verdict("incident"), world);
      assert.equal((await talk.send("alert")).state, "completed");
      assert.match(talk.answer, /^judged\n\n.*reached its limit maxDelegations \(0\)/);
    }
    assert.deepEqual(world.agentCalls, []);
  });

  it("is skipped, not fatal, where a condition of a foreign file is none", async () => {
    const handoffs = [rule({ when: "output ==" }), rule({ when: "true", wait: true })];
    const talk = new Conversation(
      triage({ handoffs }),
      verdict("noise"),
      outside(() => answered("second rule")),
    );
    await talk.send("alert");
    assert.equal(talk.answer, "second rule");
  });

  it("goes after an answer that agents gave by a route", async () => {
    const world = outside((call) => answered(call.url.includes("pods") ? "all broken" : "paged"));
    const config = agentConfig({
      agents: [agentUse("pods")],
      routing: {
        rules: [],
        onNoMatch: { namespace: "kagent", name: "pods" },
        maxDelegates: 1,
      },
      handoffs: [rule({ when: "output.contains('broken')", wait: true })],
    });
    const talk = new Conversation(config, new ScriptedModel(), world);
    await talk.send("pods?");
    assert.equal(talk.answer, "paged");
  });
});

describe("runtime/worker/runTurn hand-offs that wait for people", () => {
  const inner: PendingCall = {
    confirmationId: "c",
    callId: "inner",
    kind: "approval",
    name: "github_create_branch",
    args: {},
    hint: "approve?",
  };
  const waits: readonly AgentUpdate[] = [
    started,
    { kind: "result", state: "input-required", parts: [], pending: [inner] },
  ];
  const approve = [{ data: { decision_type: "approve" } }];
  const config = () => triage({ handoffs: [rule({ wait: true })] });

  it("asks about the other agent's calls and ends with its answer once they are decided", async () => {
    const world = outside((call) => (call.taskId === undefined ? waits : answered("paged")));
    const model = verdict("incident");
    const talk = new Conversation(config(), model, world);
    assert.equal((await talk.send("alert")).state, "input-required");
    const [asked] = only(talk, "approval-requested");
    assert.equal(asked?.pending[0]?.delegate?.agent, "kagent/orchestrator");
    assert.equal((await talk.send(approve)).state, "completed");
    assert.equal(world.agentCalls[1]?.taskId, "child-task");
    assert.equal(talk.answer, "paged");
    assert.equal(model.requests.length, 2, "no model is asked after the hand-over");
    assert.equal(only(talk, "handoff").length, 1);
  });

  it("waits again when the other agent does, and tells its failure in the end", async () => {
    let rounds = 0;
    const world = outside(() => (++rounds < 3 ? waits : failed("failed", "gone")));
    const talk = new Conversation(config(), verdict("incident"), world);
    assert.equal((await talk.send("alert")).state, "input-required");
    assert.equal((await talk.send(approve)).state, "input-required");
    assert.equal((await talk.send(approve)).state, "completed");
    assert.match(talk.answer, /^judged\n\nHanding over to kagent\/orchestrator failed: .*gone/);
  });
});
