import assert from "node:assert/strict";
import { afterEach, describe, it } from "mocha";
import type { Caller } from "../../../runtime/a2a/task-service.ts";
import { approvalInbox, type InboxDeps } from "../../../runtime/controller/approval-inbox.ts";
import { agentConfig, agentUse, serverUse } from "../../support/agent-config.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { Outside } from "../worker/turn-harness.ts";
import { ana, ben, closeWorkers, TestWorker } from "../worker/worker-fixture.ts";

const git = { namespace: "kagent", name: "git" };
const root = { namespace: "kagent", name: "root" };
const sre: Caller = { user: "sia", headers: {}, groups: ["sre"] };

/** A request of ana's in an agent with these approvers, asked directly and through another agent. */
async function asked(approvers: readonly string[]): Promise<{ w: TestWorker; deps: InboxDeps }> {
  const policy = { mode: "listed", timeoutMs: 60_000, approvers } as const;
  const deploy = (n: number) => ({ calls: [["deploy", { n }]] as const });
  const w = await TestWorker.open({
    agents: [
      agentConfig({
        ref: git,
        model: { ref: git, provider: "Ollama", model: "git" },
        toolServers: [serverUse({ requireApproval: ["deploy"] })],
        approval: policy,
      }),
      agentConfig({
        ref: root,
        model: { ref: git, provider: "Ollama", model: "root" },
        agents: [agentUse("git")],
      }),
    ],
    models: {
      git: new ScriptedModel(deploy(1), deploy(2)),
      root: new ScriptedModel({ calls: [["kagent__NS__git", { request: "x" }]] }),
    },
    outside: Object.assign(new Outside(), { tools: ["deploy"] }),
  });
  await w.send(git, "a secret request");
  await w.clock.advance(1);
  await w.send(root, "a secret request");
  const approversOf: InboxDeps["approvers"] = ({ name }) => (name === "git" ? approvers : []);
  const { approvals, sessions } = w.store;
  return { w, deps: { approvals, sessions, approvers: approversOf } };
}
const seen = async (deps: InboxDeps, caller: Caller) =>
  (await approvalInbox(deps, caller, "pending")).map(
    ({ agent, args, mayDecide }) => `${agent.name} ${JSON.stringify(args)} ${mayDecide}`,
  );

describe("runtime/controller/approvalInbox", () => {
  afterEach(closeWorkers);

  it("shows owners what they are asked, once, where they began", async () => {
    const { deps } = await asked([]);
    assert.deepEqual(await seen(deps, ana), ['root {"n":2} true', 'git {"n":1} true']);
    assert.deepEqual(await seen(deps, ben), []);
    const [entry] = await approvalInbox(deps, ana, "pending");
    assert.match(entry?.hint ?? "", /requires approval/);
    assert.ok(entry?.expiresAt !== undefined);
  });

  it("shows approvers what waits for them, of whoever it is, also below", async () => {
    const { deps } = await asked(["group:sre"]);
    assert.deepEqual(await seen(deps, sre), ['root {"n":2} true', 'git {"n":1} true']);
    assert.deepEqual(await seen(deps, ana), ['root {"n":2} false', 'git {"n":1} false']);
    assert.deepEqual(await seen(deps, ben), []);
    assert.doesNotMatch(JSON.stringify(await approvalInbox(deps, sre)), /secret/);
  });

  it("keeps what was decided for the owner, and for nobody else", async () => {
    const { w, deps } = await asked(["ben"]);
    const [waiting] = (await approvalInbox(deps, ben, "pending")).filter(
      ({ agent }) => agent.name === "git",
    );
    await w.send(git, { decision_type: "reject" }, { taskId: waiting?.taskId ?? "" }, ben);
    const all = await approvalInbox(deps, ana);
    const done = all.find(({ taskId }) => taskId === waiting?.taskId);
    assert.deepEqual([done?.state, done?.approver, done?.args], ["reject", "ben", undefined]);
    assert.deepEqual(await seen(deps, ben), ['root {"n":2} true']);
    assert.equal((await approvalInbox(deps, ana, "reject")).length, 1);
    assert.equal((await approvalInbox(deps, ben, "reject")).length, 0);
  });
});
