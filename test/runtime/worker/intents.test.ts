import assert from "node:assert/strict";
import { after, afterEach, describe, it } from "mocha";
import type { Event } from "../../../runtime/api/events.ts";
import type { SessionStore } from "../../../runtime/store/session-store.ts";
import { openIntents } from "../../../runtime/worker/intents.ts";
import { agentConfig, serverUse } from "../../support/agent-config.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { GitOutside } from "./git-outside.ts";
import { Outside } from "./turn-harness.ts";
import {
  ana,
  bodiesOf,
  closeWorkers,
  pendingOf,
  TestWorker,
  type TurnEnd,
  type WorkerOptions,
} from "./worker-fixture.ts";

const git = { namespace: "kagent", name: "git" };
const WRITES = [
  "github_create_branch",
  "github_create_or_update_file",
  "github_push_files",
  "github_create_pull_request",
  "deploy",
];
const config = agentConfig({
  ref: git,
  model: { ref: git, provider: "Ollama", model: "git" },
  toolServers: [serverUse({ requireApproval: WRITES })],
});
const approve = { decision_type: "approve" };

/** A process that can be killed: nothing of it reaches the store any more. */
class Life {
  dead = false;
  /** Writes that still succeed. */
  left = Number.POSITIVE_INFINITY;

  store = (sessions: SessionStore): SessionStore => ({
    ...sessions,
    append: async (contextId, events) => {
      if (this.left === 0) this.dead = true;
      if (this.dead) throw new Error("killed");
      this.left -= 1;
      return await sessions.append(contextId, events);
    },
  });

  /** Ends the process in the middle of a call. */
  die = async (): Promise<never> => {
    this.dead = true;
    throw new Error("killed");
  };
}

interface Killed {
  readonly after: TestWorker;
  readonly contextId: string;
  /** Whether the call reached its tool. */
  readonly ran: boolean;
  readonly model: ScriptedModel;
}

/** Asks, approves, kills the worker on the way, starts another one, and sends a message to the same session. */
async function kill(
  outside: Outside,
  call: readonly [string, Record<string, unknown>],
  at: { readonly writes: number } | "in the call",
  afterwards: ScriptedModel,
  /** What the call still does before it is killed. */
  half: () => Promise<unknown> = () => Promise.resolve(),
): Promise<{ readonly killed: Killed; readonly end: TurnEnd }> {
  const life = new Life();
  const options: WorkerOptions = { agents: [config], models: {}, outside };
  const before = await TestWorker.open({
    ...options,
    models: { git: new ScriptedModel({ calls: [call] }, { text: "done" }) },
    sessions: life.store,
  });
  const { taskId, contextId } = await before.send(git, "go");
  outside.calls.length = 0;
  if (at === "in the call" && outside instanceof GitOutside)
    outside.instead = async () => {
      await half();
      return await life.die();
    };
  else if (at === "in the call") outside.answer = life.die;
  else life.left = at.writes;
  // the one that is killed tells nobody how it ended
  await before.send(git, approve, { taskId }).catch(() => undefined);
  assert.ok(life.dead, "it was to be killed");
  await before.close("keep");
  if (outside instanceof GitOutside) outside.instead = undefined;
  else outside.answer = async () => ({ ok: true, parts: [{ text: "ran" }] });
  const ran = outside.calls.splice(0).length > 0;
  const worker = await TestWorker.open({
    ...options,
    models: { git: afterwards },
    store: before.store,
  });
  await worker.tasks.recover();
  const view = await worker.tasks.get(git, taskId, ana);
  assert.ok(["failed", "input-required"].includes(view.state), view.state);
  const end = await worker.send(git, "and now?", { contextId });
  return { killed: { after: worker, contextId, ran, model: afterwards }, end };
}

describe("runtime/worker/settleIntents", function () {
  this.timeout(20_000);
  const repositories: GitOutside[] = [];
  const repository = (): GitOutside => {
    const made = new GitOutside();
    repositories.push(made);
    return made;
  };
  afterEach(closeWorkers);
  after(() => {
    for (const each of repositories) each.remove();
  });

  const lastPrompt = (model: ScriptedModel): string =>
    JSON.stringify(model.requests.at(-1)?.messages ?? []);

  describe("after a kill at any write of the turn that runs an approved call", () => {
    // message, working, decided, intent, result, answer, completed: the last two say nothing about the call
    for (let writes = 0; writes <= 4; writes += 1)
      it(`runs a branch's creation once and tells the model what became of it (${writes} writes)`, async () => {
        const outside = repository();
        const branch = `agent/x-${writes}`;
        const { killed, end } = await kill(
          outside,
          ["github_create_branch", { branch }],
          { writes },
          new ScriptedModel({ text: "I see" }),
        );
        const exists = (await outside.read("list_branches", {})).includes(`"${branch}"`);
        assert.equal(killed.ran, writes >= 4, "it runs after its intent is stored, not before");
        assert.equal(exists, killed.ran);
        assert.deepEqual(killed.after.ran(), [], "nothing is run again by itself");
        assert.equal(end.view?.state, "completed");
        const [result] = bodiesOf(end, "tool-result");
        assert.equal(result?.ok, killed.ran ? true : undefined);
        if (killed.ran)
          assert.match(lastPrompt(killed.model), /Read back since then: it was executed/);
      });

    it("says that a call which had only been announced did not run", async () => {
      const outside = repository();
      const { killed, end } = await kill(
        outside,
        ["github_create_branch", { branch: "agent/y" }],
        "in the call",
        new ScriptedModel({ text: "I see" }),
      );
      assert.equal(killed.ran, false);
      assert.equal(bodiesOf(end, "tool-result")[0]?.ok, false);
      assert.match(lastPrompt(killed.model), /it was not executed\. Propose it again/);
      assert.deepEqual(killed.after.ran(), []);
    });
  });

  describe("reads back", () => {
    const file = "apps/shop/checkout/config.yaml";
    const content = "new: content\n";

    async function prepared(): Promise<GitOutside> {
      const outside = repository();
      await outside.read("create_branch", { branch: "agent/z" });
      return outside;
    }
    const fileCall = async (outside: GitOutside) => {
      const head = await outside.read("get_file_contents", { path: file, ref: "agent/z" });
      const sha = /\(sha ([0-9a-f]{40})/.exec(head)?.[1] ?? "";
      return [
        "github_create_or_update_file",
        { path: file, content, message: "m", branch: "agent/z", sha },
      ] as const;
    };

    for (const [what, at, ok] of [
      ["a file that was written", { writes: 4 }, true],
      ["a file that was not", "in the call", false],
    ] as const)
      it(what, async () => {
        const outside = await prepared();
        const { killed, end } = await kill(
          outside,
          await fileCall(outside),
          at,
          new ScriptedModel({ text: "I see" }),
        );
        assert.equal(killed.ran, ok);
        assert.equal(bodiesOf(end, "tool-result")[0]?.ok, ok);
      });

    for (const [what, at, ok] of [
      ["files that were pushed", { writes: 4 }, true],
      ["files that were not", "in the call", false],
    ] as const)
      it(what, async () => {
        const outside = await prepared();
        const files = [
          { path: "a.yaml", content },
          { path: "b.yaml", content },
        ];
        const call = ["github_push_files", { branch: "agent/z", files, message: "m" }] as const;
        const { end } = await kill(outside, call, at, new ScriptedModel({ text: "I see" }));
        assert.equal(bodiesOf(end, "tool-result")[0]?.ok, ok);
      });

    for (const [what, at, ok] of [
      ["a pull request that was opened", { writes: 4 }, true],
      ["a pull request that was not", "in the call", false],
    ] as const)
      it(what, async () => {
        const outside = await prepared();
        await outside.read("push_files", {
          branch: "agent/z",
          files: [{ path: "a.yaml", content }],
          message: "m",
        });
        const args = { title: "T", body: "", head: "agent/z", base: "main", draft: true };
        const { end } = await kill(
          outside,
          ["github_create_pull_request", args],
          at,
          new ScriptedModel({ text: "I see" }),
        );
        assert.equal(bodiesOf(end, "tool-result")[0]?.ok, ok);
      });

    it("nothing when only some of the files are there: people are asked", async () => {
      const outside = await prepared();
      const files = [
        { path: "a.yaml", content },
        { path: "b.yaml", content },
      ];
      const call = ["github_push_files", { branch: "agent/z", files, message: "m" }] as const;
      const push = { branch: "agent/z", files: [files[0]], message: "half" };
      const half = () => outside.read("push_files", push);
      const { end } = await kill(outside, call, "in the call", new ScriptedModel(), half);
      assert.equal(end.view?.state, "input-required");
      assert.match(pendingOf(end)[0]?.hint ?? "", /^outcome unknown/);
    });
  });

  describe("where nothing can be read back", () => {
    const deploy = ["deploy", { n: 1 }] as const;
    const tools = () => Object.assign(new Outside(), { tools: ["deploy"] });
    const killedDeploy = (model = new ScriptedModel({ text: "going on" })) =>
      kill(tools(), deploy, "in the call", model);

    it("asks people with the doubt in front, and runs nothing by itself", async () => {
      const { killed, end } = await killedDeploy();
      assert.equal(end.view?.state, "input-required");
      const [pending] = pendingOf(end);
      assert.match(pending?.hint ?? "", /^outcome unknown: .*may have been executed already/);
      assert.deepEqual(pending?.args, { n: 1 });
      assert.deepEqual(killed.after.ran(), []);
      assert.equal(killed.model.requests.length, 0, "it is settled before anything else is done");
    });

    it("runs it on an approval and then serves the message that came meanwhile", async () => {
      const { killed, end } = await killedDeploy();
      const done = await killed.after.send(git, approve, { taskId: end.taskId });
      assert.equal(done.view?.state, "completed");
      assert.deepEqual(killed.after.ran(), [["deploy", { n: 1 }]]);
      assert.match(lastPrompt(killed.model), /and now\?/);
      assert.match(lastPrompt(killed.model), /"ran"/);
    });

    it("does not run it on a rejection, and says that it may have run before", async () => {
      const { killed, end } = await killedDeploy();
      const reject = { decision_type: "reject", rejection_reason: "no" };
      const done = await killed.after.send(git, reject, { taskId: end.taskId });
      assert.equal(done.view?.state, "completed");
      assert.deepEqual(killed.after.ran(), []);
      assert.match(lastPrompt(killed.model), /earlier attempt was executed is not known/);
    });

    it("asks once, however many messages come before the answer", async () => {
      const model = new ScriptedModel({ text: "one" }, { text: "two" }, { text: "three" });
      const { killed, end } = await killedDeploy(model);
      const other = await killed.after.send(git, "hello?", { contextId: killed.contextId });
      assert.equal(other.view?.state, "completed");
      await killed.after.send(git, approve, { taskId: end.taskId });
      assert.equal(killed.after.ran().length, 1);
      const last = await killed.after.send(git, "again", { contextId: killed.contextId });
      assert.equal(last.view?.state, "completed");
      assert.deepEqual(killed.after.ran(), []);
    });

    it("asks again when the task that asked is cancelled", async () => {
      const { killed, end } = await killedDeploy();
      await killed.after.tasks.cancel(git, end.taskId, ana);
      const next = await killed.after.send(git, "hello?", { contextId: killed.contextId });
      assert.equal(next.view?.state, "input-required");
      assert.deepEqual(killed.after.ran(), []);
    });

    it("survives a kill while the repeated call runs", async () => {
      const { killed, end } = await killedDeploy();
      const life = new Life();
      const outside = tools();
      outside.answer = life.die;
      const second = await TestWorker.open({
        agents: [config],
        models: { git: new ScriptedModel() },
        store: killed.after.store,
        sessions: life.store,
        outside,
      });
      await second.send(git, approve, { taskId: end.taskId }).catch(() => undefined);
      await second.close("keep");
      const third = await TestWorker.open({
        agents: [config],
        models: { git: new ScriptedModel({ text: "x" }) },
        store: killed.after.store,
        outside: tools(),
      });
      await third.tasks.recover();
      const next = await third.send(git, "and?", { contextId: killed.contextId });
      assert.equal(next.view?.state, "input-required");
      assert.match(pendingOf(next)[0]?.hint ?? "", /^outcome unknown/);
      assert.deepEqual(third.ran(), []);
    });
  });

  it("finds intents without a result, and none that people are asked about", () => {
    const event = (seq: number, taskId: string, body: Event["body"]): Event => ({
      seq,
      id: `e${seq}`,
      time: "2026-01-01T00:00:00Z",
      contextId: "c",
      taskId,
      author: "kagent/git",
      body,
    });
    const intent = { type: "tool-intent", callId: "a", name: "deploy", argsHash: "h" } as const;
    const open = [event(1, "t", intent)];
    assert.equal(openIntents(open).length, 1);
    const result: Event["body"] = {
      type: "tool-result",
      callId: "a",
      name: "deploy",
      ok: true,
      parts: [],
      ms: 0,
    };
    assert.equal(openIntents([...open, event(2, "t", result)]).length, 0);
    assert.equal(openIntents([...open, event(2, "t", result), event(3, "u", intent)]).length, 1);
  });
});
