import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { AgentConfig } from "../../../runtime/api/agent-config.ts";
import type { EventBody, EventOf, PendingCall } from "../../../runtime/api/events.ts";
import { textOf } from "../../../runtime/api/events.ts";
import { ENVELOPE_MEDIA_TYPE, META } from "../../../runtime/api/names.ts";
import type { AgentCall, AgentUpdate } from "../../../runtime/worker/turn-context.ts";
import { agentConfig, agentUse } from "../../support/agent-config.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { Conversation, Outside } from "./turn-harness.ts";

const ref = (name: string) => ({ namespace: "kagent", name });
const CHANGE = {
  file_path: "apps/shop/checkout/deployment.yaml",
  yaml_diff: "-  memory: 256Mi\n+  memory: 512Mi",
  rationale: "it runs out of memory",
};

function envelope(agent: string, over: object = {}, change: unknown = null) {
  return {
    schema_version: "2",
    agent,
    status: "ok",
    summary: `${agent} looked`,
    severity: "info",
    data: { scope: {}, issues: [], proposed_change: change },
    evidence: [{ tool: "k8s_get", cluster: "", excerpt: "long excerpt" }],
    ...over,
  };
}

/** What agents answer, by name; each is called at most once unless it is resumed. */
function world(answers: Readonly<Record<string, (call: AgentCall) => readonly AgentUpdate[]>>) {
  const made = new Outside();
  made.agent = (call) => answers[nameOf(call)]?.(call) ?? [];
  return made;
}
const nameOf = (call: AgentCall) => call.url.split("/").at(-2) ?? "";
const names = (outside: Outside) => outside.agentCalls.map(nameOf);
const says = (text: string, data?: object) => (): readonly AgentUpdate[] => [
  {
    kind: "result",
    state: "completed",
    parts: [{ text }, ...(data === undefined ? [] : [{ data, mediaType: ENVELOPE_MEDIA_TYPE }])],
  },
];
const ends = (state: "failed" | "rejected", message: string) => (): readonly AgentUpdate[] => [
  { kind: "result", state, parts: [], error: { code: "DELEGATE_FAILED", message } },
];

/** The platform's front door in small. */
function coordinator(over: Partial<AgentConfig> = {}): AgentConfig {
  return agentConfig({
    agents: ["cluster-agent", "git-agent", "finops-agent", "code-agent"].map((name) =>
      agentUse(name),
    ),
    envelope: "render",
    routing: {
      rules: [
        {
          name: "change",
          keywords: ["increase"],
          agent: ref("git-agent"),
          readFirst: ref("cluster-agent"),
          priority: 1,
        },
        { name: "cost", keywords: ["right-size"], agent: ref("finops-agent"), priority: 0 },
      ],
      onNoMatch: ref("cluster-agent"),
      maxDelegates: 1,
    },
    ...over,
  });
}

function only<T extends EventBody["type"]>(talk: Conversation, type: T): readonly EventOf<T>[] {
  return talk.bodies.filter((body): body is EventOf<T> => body.type === type);
}

const inner: PendingCall = {
  confirmationId: "c",
  callId: "inner",
  kind: "approval",
  name: "github_create_branch",
  args: { branch: "agent/x" },
  hint: "approve?",
};
const waits = (): readonly AgentUpdate[] => [
  { kind: "task", taskId: "child-task", contextId: "child-context" },
  { kind: "result", state: "input-required", parts: [], pending: [inner] },
];
const waitsOnce =
  (then: () => readonly AgentUpdate[]) =>
  (call: AgentCall): readonly AgentUpdate[] =>
    call.taskId === undefined ? waits() : then();
const approve = [{ data: { decision_type: "approve" } }];

describe("runtime/worker/runTurn proposed changes", () => {
  const finops = says("3 are too large", envelope("finops-agent", {}, CHANGE));

  it("hands an envelope with a changed file to git-agent at once, whose answer is the answer", async () => {
    const outside = world({ "finops-agent": finops, "git-agent": says("draft 7 is open") });
    const talk = new Conversation(coordinator(), new ScriptedModel(), outside);
    assert.equal((await talk.send("right-size checkout")).state, "completed");
    assert.deepEqual(names(outside), ["finops-agent", "git-agent"]);
    assert.deepEqual(only(talk, "handoff"), [
      { type: "handoff", agent: "kagent/git-agent", when: "follow_up_agent", wait: true },
    ]);
    assert.equal(talk.answer, "draft 7 is open");
    const parts = outside.agentCalls[1]?.parts ?? [];
    assert.match(textOf(parts), /^right-size checkout\n\nFindings of kagent\/finops-agent: finops/);
    const data = parts.flatMap((part) => ("data" in part ? [part.data] : []));
    assert.deepEqual(
      (data as { data: { proposed_change: unknown } }[]).map((each) => each.data.proposed_change),
      [CHANGE],
    );
    assert.doesNotMatch(JSON.stringify(data), /long excerpt/);
    assert.equal(outside.agentCalls[1]?.metadata[META.output], "envelope");
  });

  it("shows the findings before it asks people, and ends with git-agent's answer after", async () => {
    const outside = world({ "finops-agent": finops, "git-agent": waitsOnce(says("draft 7")) });
    const talk = new Conversation(coordinator(), new ScriptedModel(), outside);
    assert.equal((await talk.send("right-size checkout")).state, "input-required");
    assert.match(talk.answer, /finops-agent looked/);
    const [asked] = only(talk, "approval-requested");
    assert.equal(asked?.pending[0]?.delegate?.agent, "kagent/git-agent");
    assert.equal((await talk.send(approve)).state, "completed");
    assert.equal(talk.answer, "draft 7");
    assert.deepEqual(names(outside), ["finops-agent", "git-agent", "git-agent"]);
    assert.equal(only(talk, "handoff").length, 1);
  });

  it("follows the agent that the envelope names, by name or with its namespace", async () => {
    for (const follow_up_agent of ["code-agent", "kagent/code-agent"]) {
      const outside = world({
        "finops-agent": says("x", envelope("finops-agent", { follow_up_agent }, CHANGE)),
        "code-agent": says("done"),
      });
      const talk = new Conversation(coordinator(), new ScriptedModel(), outside);
      await talk.send("right-size checkout");
      assert.deepEqual(names(outside), ["finops-agent", "code-agent"]);
    }
  });

  it("falls back to git-agent where the envelope names nobody it may call", async () => {
    const stranger = envelope("finops-agent", { follow_up_agent: "root-agent" }, CHANGE);
    const outside = world({ "finops-agent": says("x", stranger), "git-agent": says("done") });
    await new Conversation(coordinator(), new ScriptedModel(), outside).send("right-size it");
    assert.deepEqual(names(outside), ["finops-agent", "git-agent"]);
  });

  it("keeps the answer where nobody can make the change, and where no file is named", async () => {
    const few = { agents: [agentUse("finops-agent"), agentUse("cluster-agent")] };
    const cases: readonly [Partial<AgentConfig>, unknown][] = [
      [few, CHANGE],
      [{}, { ...CHANGE, file_path: "  " }],
      [{}, null],
    ];
    for (const [over, change] of cases) {
      const answer = says("x", envelope("finops-agent", { follow_up_agent: "git-agent" }, change));
      const outside = world({ "finops-agent": answer });
      const talk = new Conversation(coordinator(over), new ScriptedModel(), outside);
      assert.equal((await talk.send("right-size it")).state, "completed");
      assert.deepEqual(names(outside), ["finops-agent"]);
      assert.match(talk.answer, /finops-agent looked/);
    }
  });

  it("makes one hop a turn, whatever the next envelope proposes", async () => {
    const again = { follow_up_agent: "code-agent" };
    const outside = world({
      "finops-agent": finops,
      "git-agent": says("opened", envelope("git-agent", again, CHANGE)),
    });
    await new Conversation(coordinator(), new ScriptedModel(), outside).send("right-size it");
    assert.deepEqual(names(outside), ["finops-agent", "git-agent"]);
  });

  it("tells a hand-over that fails behind the findings", async () => {
    const outside = world({ "finops-agent": finops, "git-agent": ends("failed", "no model") });
    const talk = new Conversation(coordinator(), new ScriptedModel(), outside);
    assert.equal((await talk.send("right-size it")).state, "completed");
    assert.match(talk.answer, /finops-agent looked.*Handing over to kagent\/git-agent failed/s);
    assert.match(talk.answer, /no model/);
  });
});

describe("runtime/worker/runTurn change requests", () => {
  const request = "increase the memory limit of checkout";
  const found = says("state", envelope("cluster-agent", {}, CHANGE));

  it("asks the agent that knows the state first, then the other with its findings", async () => {
    const outside = world({ "cluster-agent": found, "git-agent": says("draft 7") });
    const talk = new Conversation(coordinator(), new ScriptedModel(), outside);
    assert.equal((await talk.send(request)).state, "completed");
    assert.deepEqual(names(outside), ["cluster-agent", "git-agent"]);
    assert.deepEqual(only(talk, "routing")[0]?.readFirst, {
      "kagent/git-agent": "kagent/cluster-agent",
    });
    assert.deepEqual(outside.agentCalls[0]?.parts, [{ text: request }]);
    assert.equal(outside.agentCalls[0].metadata[META.output], "envelope");
    assert.match(textOf(outside.agentCalls[1]?.parts ?? []), /Findings of kagent\/cluster-agent/);
    assert.equal(talk.answer, "draft 7");
    assert.deepEqual(only(talk, "handoff"), [], "the rule said where it goes, not the envelope");
  });

  it("asks for findings as an envelope even where answers are text", async () => {
    const outside = world({ "cluster-agent": says("as text"), "git-agent": says("draft 7") });
    const config = coordinator({ envelope: "none" });
    const talk = new Conversation(config, new ScriptedModel(), outside);
    await talk.send(request);
    assert.equal(outside.agentCalls[0]?.metadata[META.output], "envelope");
    assert.equal(outside.agentCalls[1]?.metadata[META.output], undefined);
    assert.match(textOf(outside.agentCalls[1]?.parts ?? []), /as text$/);
    assert.equal(talk.answer, "draft 7");
  });

  it("asks people where the second agent does, and does not read again after", async () => {
    const outside = world({ "cluster-agent": found, "git-agent": waitsOnce(says("draft 7")) });
    const talk = new Conversation(coordinator(), new ScriptedModel(), outside);
    assert.equal((await talk.send(request)).state, "input-required");
    assert.equal((await talk.send(approve)).state, "completed");
    assert.deepEqual(names(outside), ["cluster-agent", "git-agent", "git-agent"]);
    assert.equal(talk.answer, "draft 7");
  });

  it("goes on to the change once people have let the first agent read", async () => {
    const outside = world({ "cluster-agent": waitsOnce(found), "git-agent": says("draft 7") });
    const talk = new Conversation(coordinator(), new ScriptedModel(), outside);
    assert.equal((await talk.send(request)).state, "input-required");
    assert.equal((await talk.send(approve)).state, "completed");
    assert.deepEqual(names(outside), ["cluster-agent", "cluster-agent", "git-agent"]);
    assert.equal(talk.answer, "draft 7");
  });

  for (const [what, answer, state] of [
    ["fails", ends("failed", "no such cluster"), "failed"],
    ["refuses", ends("rejected", "not for you"), "rejected"],
  ] as const)
    it(`proposes nothing and says so when reading ${what}`, async () => {
      const outside = world({ "cluster-agent": answer, "git-agent": says("draft 7") });
      const talk = new Conversation(coordinator(), new ScriptedModel(), outside);
      const outcome = await talk.send(request);
      assert.equal(outcome.state, state);
      assert.deepEqual(names(outside), ["cluster-agent"]);
      assert.match(talk.answer, /No change was proposed: kagent\/cluster-agent had to be asked/);
      assert.match(talk.answer, /no such cluster|not for you/);
      if (state === "failed")
        assert.match(outcome.error?.message ?? "", /No change was proposed/, "callers read this");
    });

  it("proposes nothing when the findings are themselves a failure", async () => {
    for (const status of ["error", "refused"]) {
      const answer = says("cannot tell", envelope("cluster-agent", { status }));
      const outside = world({ "cluster-agent": answer, "git-agent": says("draft 7") });
      const talk = new Conversation(coordinator(), new ScriptedModel(), outside);
      await talk.send(request);
      assert.deepEqual(names(outside), ["cluster-agent"], status);
      assert.match(talk.answer, /No change was proposed.*cannot tell/);
    }
  });

  it("asks an agent once that is both asked and read from", async () => {
    const rules = [
      ...(coordinator().routing?.rules ?? []),
      { name: "pods", keywords: ["pods"], agent: ref("cluster-agent"), priority: 0 },
    ];
    const routing = { rules, onNoMatch: "clarify", maxDelegates: 2 } as const;
    const outside = world({ "cluster-agent": found, "git-agent": says("draft 7") });
    const talk = new Conversation(coordinator({ routing }), new ScriptedModel(), outside);
    await talk.send("increase the memory of the pods");
    assert.deepEqual(names(outside), ["cluster-agent", "git-agent"]);
    assert.match(talk.answer, /cluster-agent looked.*draft 7/s);
  });
});
