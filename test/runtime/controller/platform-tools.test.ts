import assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import { AgentDirectory } from "../../../runtime/controller/agent-directory.ts";
import { platformTools } from "../../../runtime/controller/platform-tools.ts";
import type {
  CallContext,
  ToolProgress,
  ToolProvider,
} from "../../../runtime/mcp/tool-provider.ts";
import { ScriptedTasks } from "../../support/scripted-tasks.ts";
import { callsTo, DEFAULT_MODEL, writtenAgent } from "./kagent-objects.ts";

describe("runtime/controller/platform-tools", () => {
  let tools: ToolProvider;
  let callers: string[];
  let started: PromiseWithResolvers<undefined>;
  let stopped: PromiseWithResolvers<undefined>;
  let progress: ToolProgress[];
  beforeEach(() => {
    callers = [];
    progress = [];
    started = Promise.withResolvers();
    stopped = Promise.withResolvers();
    const directory = new AgentDirectory({ value: () => undefined, agentUrl: () => "http://a/" });
    directory.load([
      DEFAULT_MODEL,
      ...["answers", "fails", "hangs"].map((name) => writtenAgent(name)),
      writtenAgent("broken", callsTo("nobody")),
    ]);
    const tasks = new ScriptedTasks({
      "kagent/answers": (turn) => {
        callers.push(turn.caller.user);
        turn.say("forty-two");
      },
      "kagent/fails": () => {
        throw new Error("no model");
      },
      "kagent/hangs": async ({ signal }) => {
        signal.addEventListener("abort", () => {
          stopped.resolve(undefined);
        });
        started.resolve(undefined);
        await stopped.promise;
      },
    });
    tools = platformTools({ directory, tasks, defaultUser: "someone" });
  });

  const context = (over: Partial<CallContext> = {}): CallContext => ({
    user: "",
    headers: {},
    signal: new AbortController().signal,
    progress: (step) => {
      progress.push(step);
    },
    ...over,
  });
  const invoke = (args: Readonly<Record<string, unknown>>, over: Partial<CallContext> = {}) =>
    tools.callTool("invoke_agent", args, context(over));

  it("offers list_agents and invoke_agent, arguments described", async () => {
    const offered = await tools.listTools(context());
    assert.deepEqual(
      offered.map(({ name }) => name),
      ["list_agents", "invoke_agent"],
    );
    const { required } = offered[1]?.inputSchema as { required?: unknown };
    assert.deepEqual(required, ["agent", "task"]);
  });

  it("lists the agents that answer, not those that are broken", async () => {
    const { structured } = await tools.callTool("list_agents", {}, context());
    assert.deepEqual(structured, {
      agents: ["answers", "fails", "hangs"].map((name) => ({
        ref: `kagent/${name}`,
        description: `Is ${name}.`,
      })),
    });
  });

  it("asks an agent on behalf of the caller, in a conversation that goes on", async () => {
    const first = await invoke({ agent: "kagent/answers", task: "6 * 7?" }, { user: "ana" });
    assert.equal(first.isError, false);
    const { text, context_id } = first.structured as { text: string; context_id: string };
    assert.equal(text, "forty-two");
    assert.ok(progress.length > 0);
    assert.deepEqual(
      progress.map((step) => step.progress),
      progress.map((_, index) => index + 1),
    );
    const next = await invoke({ agent: "answers", task: "again", context_id }, { user: "ana" });
    assert.equal((next.structured as { context_id: string }).context_id, context_id);
    await invoke({ agent: "answers", task: "and I?" });
    assert.deepEqual(callers, ["ana", "ana", "someone"]);
  });

  it("says of a task that failed why", async () => {
    const failed = await invoke({ agent: "kagent/fails", task: "x" });
    assert.equal(failed.isError, true);
    assert.match(failed.text, /no model/);
  });

  const rows: readonly (readonly [string, Readonly<Record<string, unknown>>, RegExp])[] = [
    ["an agent that is not there", { agent: "nobody", task: "x" }, /no agent kagent\/nobody/],
    ["an agent that is broken", { agent: "kagent/broken", task: "x" }, /no agent kagent\/broken/],
    ["no task", { agent: "answers" }, /^task: /],
    ["an empty task", { agent: "answers", task: "" }, /^task: /],
    ["a task that is too long", { agent: "answers", task: "x".repeat(100_001) }, /^task: /],
    ["an argument that is none", { agent: "answers", task: "x", user: "root" }, /user/],
  ];
  for (const [what, args, says] of rows)
    it(`answers ${what} with an error`, async () => {
      const refused = await invoke(args);
      assert.equal(refused.isError, true);
      assert.match(refused.text, says);
      assert.deepEqual(callers, []);
    });

  it("names its tools to who asks for another", async () => {
    const { isError, text } = await tools.callTool("delete_agent", {}, context());
    assert.equal(isError, true);
    assert.match(text, /no tool delete_agent; tools: list_agents, invoke_agent/);
  });

  it("cancels the task when the client goes away", async () => {
    const client = new AbortController();
    const answer = invoke({ agent: "hangs", task: "x" }, { signal: client.signal });
    await started.promise;
    client.abort();
    await stopped.promise;
    const { isError, text } = await answer;
    assert.equal(isError, true);
    assert.match(text, /canceled/);
  });
});
