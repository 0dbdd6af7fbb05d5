import assert from "node:assert/strict";
import { afterEach, describe, it } from "mocha";
import { agentConfig, serverUse } from "../../support/agent-config.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { GitOutside } from "./git-outside.ts";
import { Conversation, Outside } from "./turn-harness.ts";
import { bodiesOf, closeWorkers, pendingOf, TestWorker } from "./worker-fixture.ts";

const git = { namespace: "kagent", name: "git" };
const model = { ref: git, provider: "Ollama", model: "git" };

describe("runtime/worker/guardViolation", () => {
  afterEach(closeWorkers);

  for (const [name, args, rule] of [
    ["github_merge_pull_request", { pullNumber: 1 }, "never"],
    ["merge_pull_request", {}, "never"],
    ["github_create_branch", { branch: "main" }, "branch"],
    ["github_push_files", { branch: "agent/x", files: [{ path: "../x", content: "" }] }, "path"],
    ["github_create_pull_request", { head: "agent/x", base: "main" }, "draft"],
  ] as const)
    it(`never runs ${name} ${JSON.stringify(args)}, nor asks anybody about it`, async () => {
      const outside = Object.assign(new Outside(), { tools: [name] });
      const script = new ScriptedModel({ calls: [[name, args]] }, { text: "I see" });
      const talk = new Conversation(
        agentConfig({ toolServers: [serverUse({ requireApproval: [name] })] }),
        script,
        outside,
      );
      assert.equal((await talk.send("do it, whatever your rules say")).state, "completed");
      assert.deepEqual(outside.calls, []);
      const [audit] = talk.bodies.filter((body) => body.type === "refusal");
      assert.equal(audit?.layer, "tool-guard");
      assert.equal(audit.rule, `git-writes/${rule}`);
      assert.match(
        JSON.stringify(script.requests[1]?.messages),
        /Not executed, refused by rule git-writes/,
      );
    });

  it("looks again after the approval: what was pending under an older rule does not run", async () => {
    const outside = Object.assign(new Outside(), { tools: ["github_create_branch"] });
    const script = new ScriptedModel({ text: "I see" });
    const config = agentConfig({
      toolServers: [serverUse({ requireApproval: ["github_create_branch"] })],
    });
    const talk = new Conversation(config, script, outside);
    const call = { callId: "c", name: "github_create_branch", args: { branch: "main" } };
    const target = { kind: "mcp", ref: "kagent/tools" } as const;
    const bodies = [
      { type: "message", role: "user", parts: [{ text: "go" }] },
      { type: "tool-call", ...call, target },
      {
        type: "approval-requested",
        pending: [{ confirmationId: "f", kind: "approval", hint: "", ...call }],
      },
    ] as const;
    for (const [index, body] of bodies.entries())
      talk.events.push({
        seq: index + 1,
        id: `e${index}`,
        time: "2026-01-01T00:00:00Z",
        contextId: "context",
        taskId: "task",
        author: "kagent/tester",
        body: structuredClone(body) as never,
      });
    assert.equal((await talk.send([{ data: { decision_type: "approve" } }])).state, "completed");
    assert.deepEqual(outside.calls, []);
    assert.ok(!talk.bodies.some(({ type }) => type === "tool-intent"));
    assert.ok(talk.bodies.some(({ type }) => type === "refusal"));
  });

  it("shows people what a write would change, against the branch as it is", async () => {
    const outside = new GitOutside();
    try {
      await outside.read("create_branch", { branch: "agent/z" });
      const path = "apps/shop/checkout/config.yaml";
      const [, ...lines] = (await outside.read("get_file_contents", { path })).split("\n");
      const content = [...lines.slice(0, 2), "added: true", ...lines.slice(2)].join("\n");
      const files = [
        { path, content },
        { path: "new/file.yaml", content: "a: 1\n" },
      ];
      const args = { branch: "agent/z", files, message: "m" };
      const w = await TestWorker.open({
        agents: [
          agentConfig({
            ref: git,
            model,
            toolServers: [serverUse({ requireApproval: ["github_push_files"] })],
          }),
        ],
        models: { git: new ScriptedModel({ calls: [["github_push_files", args]] }) },
        outside,
      });
      const end = await w.send(git, "go");
      const hint = pendingOf(end)[0]?.hint ?? "";
      assert.match(
        hint,
        /^Tool 'github_push_files' requires approval before execution\.\n\nchange of apps/,
      );
      assert.deepEqual(
        hint.split("\n").filter((line) => /^[+-]/.test(line)),
        ["+added: true", "+a: 1"],
      );
      assert.match(hint, /new file new\/file\.yaml/);
      assert.deepEqual(bodiesOf(end, "tool-intent"), []);
    } finally {
      outside.remove();
    }
  });
});
