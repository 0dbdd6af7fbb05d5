import assert from "node:assert/strict";
import { type Message, type Part, Role, TaskState } from "@a2a-js/sdk";
import { AgentEvent, type AgentExecutor, type ExecutionEventBus } from "@a2a-js/sdk/server";
import { describe, it } from "mocha";
import { type AgentCall, AgentCallError, callAgent } from "../../../runtime/a2a/client.ts";
import { serveApp } from "../../support/a2a-server.ts";
import { resultOf } from "../../support/agent-results.ts";
import { foreignAgent } from "../../support/foreign-agent.ts";
import { readAll } from "../../support/read-all.ts";

const signal = new AbortController().signal;

function textPart(value: string): Part {
  return { content: { $case: "text", value }, metadata: undefined, filename: "", mediaType: "" };
}

interface Turn {
  readonly bus: ExecutionEventBus;
  readonly message: (parts: Part[]) => Message;
  readonly status: (state: TaskState, parts?: Part[], metadata?: Record<string, unknown>) => void;
  readonly artifact: (parts: Part[], more?: { append?: boolean; lastChunk?: boolean }) => void;
}

/** An executor whose turns are what `work` does; a task unless it answers with a bare message. */
function executor(work: (turn: Turn) => void, kind: "task" | "message" = "task"): AgentExecutor {
  return {
    execute: async ({ taskId, contextId, userMessage }, bus) => {
      const message = (parts: Part[]): Message => ({
        messageId: crypto.randomUUID(),
        contextId,
        taskId,
        role: Role.ROLE_AGENT,
        parts,
        metadata: undefined,
        extensions: [],
        referenceTaskIds: [],
      });
      const status = (state: TaskState, parts?: Part[], metadata?: Record<string, unknown>) => {
        const said = parts === undefined ? undefined : message(parts);
        const now = { state, message: said, timestamp: new Date().toISOString() };
        bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status: now, metadata }));
      };
      if (kind === "task") {
        const now = { state: TaskState.TASK_STATE_SUBMITTED, message: undefined, timestamp: "" };
        const task = { id: taskId, contextId, status: now, artifacts: [], metadata: undefined };
        bus.publish(AgentEvent.task({ ...task, history: [userMessage] }));
      }
      work({
        bus,
        message,
        status,
        artifact: (parts, { append = false, lastChunk = true } = {}) => {
          const artifact = {
            artifactId: "a1",
            name: "",
            description: "",
            parts,
            metadata: undefined,
            extensions: [],
          };
          const metadata = undefined;
          bus.publish(
            AgentEvent.artifactUpdate({ taskId, contextId, artifact, append, lastChunk, metadata }),
          );
        },
      });
      bus.finished();
    },
    cancelTask: async () => {},
  };
}

for (const version of ["1.0", "0.3"] as const) {
  describe(`runtime/a2a/client with somebody else's agent in A2A ${version}`, () => {
    const call = async (
      agent: AgentExecutor,
      seen: (headers: Headers, method: string) => void = () => {},
    ) => {
      const server = await serveApp(foreignAgent(version, agent, seen));
      const asked: AgentCall = { url: `${server.url}/`, parts: [{ text: "hi" }], card: "read" };
      try {
        return await readAll(callAgent(asked, signal));
      } finally {
        await server.close();
      }
    };

    it("speaks the version of the card to the address it was given", async () => {
      const seen: string[][] = [];
      await call(
        executor(({ status }) => {
          status(TaskState.TASK_STATE_COMPLETED);
        }),
        (headers, method) => seen.push([headers.get("a2a-version") ?? "", method]),
      );
      const method = version === "1.0" ? "SendStreamingMessage" : "message/stream";
      assert.deepEqual(seen, [[version, method]]);
    });

    it("reads a turn of kagent", async () => {
      const kagent = { kagent_app_name: "kagent__NS__helper", kagent_author: "helper" };
      const updates = await call(
        executor(({ status, artifact }) => {
          const working = TaskState.TASK_STATE_WORKING;
          status(working);
          status(working, [textPart("two ")], { ...kagent, kagent_partial: true });
          const data = { id: "c1", name: "get_pods", args: { namespace: "dev" } };
          const metadata = { kagent_type: "function_call" };
          const content = { $case: "data", value: data } as const;
          status(working, [{ content, metadata, filename: "", mediaType: "" }], kagent);
          status(working, [textPart("two pods")], kagent);
          artifact([textPart("two pods")]);
          const usage = { promptTokenCount: 7, candidatesTokenCount: 2, totalTokenCount: 9 };
          status(TaskState.TASK_STATE_COMPLETED, undefined, { kagent_usage_metadata: usage });
        }),
      );
      assert.deepEqual(updates.slice(1), [
        { kind: "partial", text: "two ", thought: false },
        {
          kind: "activity",
          author: "helper",
          body: {
            type: "tool-call",
            callId: "c1",
            name: "get_pods",
            args: { namespace: "dev" },
            target: { kind: "mcp", ref: "" },
          },
        },
        {
          kind: "activity",
          author: "helper",
          body: { type: "message", role: "agent", parts: [{ text: "two pods" }] },
        },
        {
          kind: "result",
          state: "completed",
          parts: [{ text: "two pods" }],
          usage: { inputTokens: 7, outputTokens: 2, cachedTokens: 0, modelCalls: 0, toolCalls: 0 },
        },
      ]);
    });

    it("puts an answer in chunks together, and tells them as they come", async () => {
      const updates = await call(
        executor(({ artifact, status }) => {
          artifact([textPart("one ")], { lastChunk: false });
          artifact([textPart("two")], { append: true });
          status(TaskState.TASK_STATE_COMPLETED);
        }),
      );
      assert.deepEqual(
        updates.flatMap((update) => (update.kind === "partial" ? [update.text] : [])),
        ["one ", "two"],
      );
      assert.deepEqual(resultOf(updates).parts, [{ text: "one " }, { text: "two" }]);
    });

    it("takes a final status message as the answer when there is no artifact", async () => {
      const updates = await call(
        executor(({ status }) => {
          status(TaskState.TASK_STATE_COMPLETED, [textPart("done")]);
        }),
      );
      assert.deepEqual(resultOf(updates).parts, [{ text: "done" }]);
    });

    it("takes a bare message as the answer", async () => {
      const updates = await call(
        executor(({ bus, message }) => {
          bus.publish(AgentEvent.message(message([textPart("hello")])));
        }, "message"),
      );
      assert.deepEqual(updates, [
        { kind: "result", state: "completed", parts: [{ text: "hello" }] },
      ]);
    });

    it("tells that the agent failed, in the agent's words", async () => {
      const { state, error } = resultOf(
        await call(
          executor(({ status }) => {
            status(TaskState.TASK_STATE_FAILED, [textPart("LLM error: 1")]);
          }),
        ),
      );
      assert.equal(state, "failed");
      assert.deepEqual(error, { code: "DELEGATE_FAILED", message: "LLM error: 1" });
    });

    it("gives up on an agent that wants credentials", async () => {
      const asked = call(
        executor(({ status }) => {
          status(TaskState.TASK_STATE_AUTH_REQUIRED);
        }),
      );
      await assert.rejects(asked, (error) => {
        assert.ok(error instanceof AgentCallError);
        assert.equal(error.code, "failed");
        return true;
      });
    });
  });
}
