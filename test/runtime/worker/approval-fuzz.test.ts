import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import type { Caller, RunningTask } from "../../../runtime/a2a/task-service.ts";
import { canonical } from "../../../runtime/api/approval-decision.ts";
import { openRequest } from "../../../runtime/api/approval-request.ts";
import { refKey } from "../../../runtime/api/names.ts";
import type { ChatModel } from "../../../runtime/model/chat-model.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { Tasks } from "../../../runtime/worker/tasks.ts";
import { agentConfig, agentUse, serverUse } from "../../support/agent-config.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { SeededRandom } from "../../support/seeded-random.ts";
import { ModelStore } from "../store/model-store.ts";
import { agentsInProcess } from "./agents-in-process.ts";
import { randomDecision, SPOILED } from "./random-decisions.ts";

const DECISIONS = 10_000;
const root = { namespace: "kagent", name: "root" };
const ana: Caller = { user: "ana", headers: {} };

const DEPLOY = {
  type: "object",
  properties: { id: { type: "string" }, replicas: { type: "integer", minimum: 0 } },
  required: ["id"],
  additionalProperties: false,
};
const BRANCH = {
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  properties: { branch: { type: "string" }, files: { type: "array" } },
  required: ["branch"],
  additionalProperties: false,
};
const TOOLS = [
  ["deploy", DEPLOY],
  ["restart", DEPLOY],
  ["github_create_branch", BRANCH],
  ["github_merge_pull_request", {}],
  ["look", {}],
] as const;
/** What waits for people; one of them nobody may ever approve. */
const GATED = ["deploy", "restart", "github_create_branch", "github_merge_pull_request"];

/** Executions, and the model that asks for them: two own calls and two of an agent below. */
class World {
  readonly ran: { readonly name: string; readonly args: string }[] = [];
  #ids = 0;

  model(agent: string): ChatModel {
    const calls = () =>
      this.#steps(agent).map(([name, args]) => ({ id: `c${++this.#ids}`, name, args }));
    return {
      label: "fuzz",
      async *chat({ messages }) {
        await Promise.resolve();
        if (messages.at(-1)?.role === "user")
          for (const call of calls()) yield { type: "tool-call", call };
        else yield { type: "text", text: "done" };
        yield { type: "done", inputTokens: 1, outputTokens: 1, cachedTokens: 0, stop: "end" };
      },
    };
  }

  #steps(agent: string): readonly (readonly [string, Record<string, unknown>])[] {
    const id = `${agent}-${++this.#ids}`;
    if (agent === "root")
      return [
        ["deploy", { id }],
        ["github_create_branch", { branch: `agent/${id}` }],
        ["github_merge_pull_request", { pullNumber: this.#ids }],
        ["kagent__NS__child", { request: "help" }],
        ["look", {}],
      ];
    return [
      ["restart", { id, replicas: 1 }],
      ["github_create_branch", { branch: "main" }],
      ["github_create_branch", { branch: `agent/${id}` }],
    ];
  }
}

describe("runtime/worker/Tasks under random decisions", () => {
  // The model of a store hands out copies, which take longer than all of the rest; nothing here changes an event.
  const { structuredClone } = globalThis;
  before(() => {
    globalThis.structuredClone = <T>(value: T): T => value;
  });
  after(() => {
    globalThis.structuredClone = structuredClone;
  });

  it(`runs nothing that was not approved, in ${DECISIONS} of them`, async function () {
    this.timeout(60_000); // 10 s where nothing else runs
    const random = new SeededRandom(20_260_101);
    const world = new World();
    const clock = new FakeClock();
    let ids = 0;
    const newId = () => `id-${++ids}`;
    const sessions = new ModelStore({ clock, newId });
    const use = serverUse({ requireApproval: GATED });
    const configOf = (name: string) =>
      agentConfig({
        ref: { namespace: "kagent", name },
        model: { ref: root, provider: "Ollama", model: name },
        toolServers: [use],
        agents: name === "root" ? [agentUse("child")] : [],
        stream: false,
      });
    const configs = new Map(["root", "child"].map((name) => [`kagent/${name}`, configOf(name)]));
    const tasks: Tasks = new Tasks({
      model: ({ model }) => Promise.resolve(world.model(model)),
      tools: {
        listTools: async () =>
          TOOLS.map(([name, inputSchema]) => ({ name, description: name, inputSchema })),
        callTool: async ({ name, args }) => {
          if (name !== "look") world.ran.push({ name, args: canonical(args) });
          return { ok: true, parts: [{ text: "ok" }] };
        },
      },
      agents: agentsInProcess(() => tasks),
      clock,
      newId,
      random: () => 0,
      log: silentLog,
      sessions,
      config: (ref) => configs.get(refKey(ref)),
    });

    const finished = async ({ updates }: RunningTask): Promise<string> => {
      let state = "submitted";
      for await (const update of updates)
        if (update.kind === "event" && update.event.body.type === "status")
          state = update.event.body.state;
      return state;
    };
    const ask = async () => {
      const message = { agent: root, messageId: "m", parts: [{ text: "go" }], metadata: {} };
      const running = await tasks.send(message, ana);
      await finished(running);
      const { taskId, contextId } = running;
      const { events } = await tasks.get(root, taskId, ana);
      const pending = openRequest(events, taskId)?.body.pending ?? [];
      return { taskId, contextId, pending, tries: 0 };
    };

    const seen = new Map<string, number>();
    let task: Awaited<ReturnType<typeof ask>> | undefined;
    for (let n = 0; n < DECISIONS; n += 1) {
      if (task === undefined) {
        task = await ask();
        assert.equal(task.pending.length, 4);
        assert.deepEqual(world.ran.splice(0), [], "something ran that nobody was asked about");
      }
      const { taskId, pending } = task;
      const sent = randomDecision(random, pending);
      seen.set(sent.label, (seen.get(sent.label) ?? 0) + 1);
      const request = { agent: root, messageId: "m", parts: sent.parts, metadata: {}, taskId };
      const state = await finished(await tasks.send(request, ana));
      const expected = [...sent.grants].map(([callId, args]) => ({
        name: pending.find((call) => call.callId === callId)?.name ?? "",
        args: canonical(args),
      }));
      const order = (a: { args: string }, b: { args: string }) => (a.args < b.args ? -1 : 1);
      const what = `${sent.label}: ${JSON.stringify(sent.parts).slice(0, 500)}`;
      assert.deepEqual(world.ran.splice(0).sort(order), expected.sort(order), what);
      assert.equal(state, sent.decides ? "completed" : "input-required", what);
      task.tries += 1;
      if (!sent.decides && task.tries < 6) continue;
      if (!sent.decides) await tasks.cancel(root, taskId, ana);
      await sessions.deleteSession(task.contextId, "ana"); // a long log would be copied again and again
      task = undefined;
    }
    for (const label of [...SPOILED, "approve", "approve-edited", "reject", "batch"])
      assert.ok((seen.get(label) ?? 0) > 50, `${label} was hardly tried`);
    await tasks.close();
  });
});
