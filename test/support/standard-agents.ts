import type { ObjectRef } from "../../runtime/api/names.ts";
import type { Script } from "./scripted-tasks.ts";

/** An agent of the namespace `kagent`. */
export function agent(name: string): ObjectRef {
  return { namespace: "kagent", name };
}

const USAGE = { inputTokens: 12, outputTokens: 5, cachedTokens: 3, modelCalls: 2, toolCalls: 1 };

/** Agents for tests of whatever calls one, by what they do. */
export const STANDARD_AGENTS: Readonly<Record<string, Script>> = {
  "kagent/answers": (turn) => {
    turn.partial("4", true);
    turn.partial("forty-");
    turn.partial("two");
    turn.say("forty-two");
    turn.emit({ type: "status", state: "completed", usage: USAGE });
  },
  "kagent/slow": async (turn) => {
    for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve));
    turn.say("at last");
  },
  "kagent/hangs": ({ signal }) =>
    new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        resolve();
      });
    }),
  "kagent/asks": (turn) => {
    if (turn.round > 1) {
      turn.say("deleted");
      return;
    }
    const pending = {
      confirmationId: "confirm-1",
      callId: "call-1",
      kind: "approval",
      name: "delete_file",
      args: { path: "a.txt" },
      hint: "Tool 'delete_file' requires approval before execution.",
    } as const;
    turn.emit({ type: "approval-requested", pending: [pending] });
    turn.emit({ type: "status", state: "input-required" });
  },
  "kagent/fails": (turn) => {
    const error = { code: "MODEL_UNAVAILABLE", message: "the model is away" } as const;
    turn.emit({ type: "status", state: "failed", usage: USAGE, error });
  },
  "kagent/works": (turn) => {
    const callId = "call-7";
    const name = "k8s-tools-dev_k8s_get_resources";
    turn.emit({
      type: "routing",
      outcome: "rule",
      rules: ["pods"],
      agents: ["kagent/works"],
      matched: { pods: ["pods"] },
      scores: { pods: 1 },
    });
    turn.emit({
      type: "message",
      role: "agent",
      parts: [{ text: "let me see", metadata: { thought: true } }, { text: "looking" }],
    });
    turn.emit({
      type: "tool-call",
      callId,
      name,
      args: { resource_type: "pods" },
      target: { kind: "mcp", ref: "kagent/k8s-tools-federated" },
    });
    turn.activity("kagent/helper-agent", {
      type: "tool-call",
      callId: "nested-1",
      name: "inner_tool",
      args: {},
      target: { kind: "mcp", ref: "kagent/other" },
    });
    turn.emit({
      type: "tool-result",
      callId,
      name,
      ok: true,
      parts: [{ text: "web-1 CrashLoopBackOff" }],
      ms: 12,
    });
    turn.partial("one pod");
    turn.emit({
      type: "message",
      role: "agent",
      parts: [{ text: "hm", metadata: { thought: true } }, { text: "one pod is failing" }],
    });
    turn.emit({ type: "status", state: "completed", usage: USAGE });
  },
  "kagent/refuses": (turn) => {
    turn.emit({
      type: "refusal",
      layer: "agent",
      rule: "no-delete",
      message: "I do not delete clusters.",
    });
    turn.emit({ type: "status", state: "rejected" });
  },
  "kagent/limited": (turn) => {
    turn.say("so far: half");
    turn.emit({ type: "limit", limit: "maxToolCalls", value: 3 });
    const error = { code: "LIMIT_EXCEEDED", message: "stopped by maxToolCalls (3)" } as const;
    turn.emit({ type: "status", state: "failed", error });
  },
};
