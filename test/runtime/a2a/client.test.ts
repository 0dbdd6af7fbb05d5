import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { type AgentCall, callAgent } from "../../../runtime/a2a/client.ts";
import type { Envelope } from "../../../runtime/api/envelope.ts";
import { ENVELOPE_MEDIA_TYPE } from "../../../runtime/api/names.ts";
import { serveAgents, type TestServer } from "../../support/a2a-server.ts";
import { resultOf } from "../../support/agent-results.ts";
import { readAll } from "../../support/read-all.ts";
import { type Script, ScriptedTasks } from "../../support/scripted-tasks.ts";
import { agent, STANDARD_AGENTS } from "../../support/standard-agents.ts";

const signal = new AbortController().signal;

const ENVELOPE: Envelope = {
  schema_version: "2",
  agent: "answers",
  status: "ok",
  summary: "one pod fails",
  severity: "warning",
  data: {
    scope: { cluster: "dev", namespace: "", operation_class: "" },
    resources: {},
    issues: [],
    proposed_change: null,
    tool_calls_made: 1,
  },
  recommended_action: "",
  raw_data_truncated: false,
  follow_up_agent: null,
  evidence: [],
};

const answersEnvelope: Script = (turn) => {
  const data = { ...ENVELOPE, summary: String(turn.request.metadata["kagent.dev/output"]) };
  const structured = { data, mediaType: ENVELOPE_MEDIA_TYPE };
  turn.emit({ type: "message", role: "agent", parts: [structured, { text: data.summary }] });
};

for (const card of ["none", "read"] as const) {
  describe(`runtime/a2a/client with an agent of ours, card ${card}`, () => {
    let tasks: ScriptedTasks;
    let server: TestServer;
    before(async () => {
      tasks = new ScriptedTasks({ ...STANDARD_AGENTS, "kagent/two-words": answersEnvelope });
      server = await serveAgents(tasks);
    });
    after(() => server.close());

    const call = (name: string, more: Partial<AgentCall> = {}) =>
      readAll(
        callAgent(
          { url: `${server.url}/api/a2a/kagent/${name}/`, parts: [{ text: "hi" }], card, ...more },
          signal,
        ),
      );

    it("tells the task first, then text on its way, what was done, and the result", async () => {
      const updates = await call("works", { contextId: "ctx-1" });
      const [first] = updates;
      assert.ok(first?.kind === "task");
      assert.equal(first.contextId, "ctx-1");
      const { events } = await tasks.get(agent("works"), first.taskId, {
        user: "ann",
        headers: {},
      });
      const done = updates.flatMap((update) => (update.kind === "activity" ? [update] : []));
      assert.deepEqual(
        done.filter(({ author }) => author === "kagent/works").map(({ body }) => body),
        events
          .map(({ body }) => body)
          .filter((body) => body.type !== "status" && !("role" in body && body.role === "user")),
      );
      assert.deepEqual(
        done.filter(({ author }) => author !== "kagent/works"),
        [
          {
            kind: "activity",
            author: "kagent/helper-agent",
            body: {
              type: "tool-call",
              callId: "nested-1",
              name: "inner_tool",
              args: {},
              target: { kind: "mcp", ref: "kagent/other" },
            },
          },
        ],
      );
      assert.deepEqual(
        updates.filter(({ kind }) => kind === "partial"),
        [{ kind: "partial", text: "one pod", thought: false }],
      );
      assert.deepEqual(resultOf(updates), {
        kind: "result",
        state: "completed",
        parts: [{ text: "one pod is failing" }],
        usage: { inputTokens: 12, outputTokens: 5, cachedTokens: 3, modelCalls: 2, toolCalls: 1 },
      });
    });

    it("tells thoughts from text", async () => {
      const partials = (await call("answers")).filter(({ kind }) => kind === "partial");
      assert.deepEqual(partials, [
        { kind: "partial", text: "4", thought: true },
        { kind: "partial", text: "forty-", thought: false },
        { kind: "partial", text: "two", thought: false },
      ]);
    });

    it("hands over metadata, and the envelope that was asked for with it", async () => {
      const metadata = { "kagent.dev/output": "envelope" };
      const { envelope, parts } = resultOf(await call("two-words", { metadata }));
      assert.deepEqual(envelope, { ...ENVELOPE, summary: "envelope" });
      assert.equal(parts.length, 2);
    });

    it("tells what people are asked, and brings their answer", async () => {
      const updates = await call("asks");
      const waiting = resultOf(updates);
      assert.equal(waiting.state, "input-required");
      assert.deepEqual(waiting.parts, []);
      assert.deepEqual(waiting.pending, [
        {
          confirmationId: "confirm-1",
          callId: "call-1",
          kind: "approval",
          name: "delete_file",
          args: { path: "a.txt" },
          hint: "Tool 'delete_file' requires approval before execution.",
        },
      ]);
      const [first] = updates;
      assert.ok(first?.kind === "task");
      const { taskId } = first;
      const answer = [{ data: { decision_type: "approve" } }];
      const rest = await call("asks", { taskId, parts: answer });
      assert.deepEqual(resultOf(rest).parts, [{ text: "deleted" }]);
      const again = rest.filter(({ kind }) => kind === "activity");
      assert.equal(again.length, 1); // what happened before the answer is not told again
    });

    it("tells failures and refusals with their reasons", async () => {
      const failed = resultOf(await call("fails"));
      assert.equal(failed.state, "failed");
      assert.deepEqual(failed.error, { code: "MODEL_UNAVAILABLE", message: "the model is away" });
      const refused = resultOf(await call("refuses"));
      assert.equal(refused.state, "rejected");
      assert.deepEqual(refused.error, {
        code: "INVALID_INPUT",
        message: "I do not delete clusters.",
      });
      const limited = resultOf(await call("limited"));
      assert.equal(limited.error?.code, "LIMIT_EXCEEDED");
      assert.deepEqual(limited.parts, [{ text: "so far: half" }]);
    });

    it("sends its headers with every request", async () => {
      const updates = await call("answers", { headers: { "x-user-id": "bob" } });
      const [first] = updates;
      assert.ok(first?.kind === "task");
      const bob = { user: "bob", headers: {} };
      assert.equal((await tasks.get(agent("answers"), first.taskId, bob)).state, "completed");
    });

    it("uses its connections again", async () => {
      const fresh = await serveAgents(tasks);
      for (let n = 0; n < 5; n += 1)
        await call("answers", { url: `${fresh.url}/api/a2a/kagent/answers/` });
      assert.ok(fresh.connections() <= 2); // a stream may still be ending when the next call begins
      await fresh.close();
    });

    it("cancels nothing when its reader has seen enough", async () => {
      const url = `${server.url}/api/a2a/kagent/hangs/`;
      let taskId = "";
      for await (const update of callAgent({ url, parts: [{ text: "hi" }], card }, signal)) {
        assert.ok(update.kind === "task");
        taskId = update.taskId;
        break;
      }
      while (tasks.readers > 0) await new Promise((resolve) => setImmediate(resolve));
      const ann = { user: "ann", headers: {} };
      assert.equal((await tasks.get(agent("hangs"), taskId, ann)).state, "working");
      await tasks.cancel(agent("hangs"), taskId, ann);
    });
  });
}
