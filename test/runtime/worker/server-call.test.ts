import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ToolServerError } from "../../../runtime/mcp/tool-server-error.ts";
import { agentConfig, serverUse } from "../../support/agent-config.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { Conversation, Outside } from "./turn-harness.ts";

const READ = "k8s-tools-services-amer_k8s_get_resources";
const WRITE = "k8s-tools-services-amer_k8s_scale";
const RETRY = { maxAttempts: 3, initialDelayMs: 1_000, maxDelayMs: 30_000 };

function failure(retryable: boolean): ToolServerError {
  const ref = { namespace: "kagent", name: "tools" };
  return new ToolServerError(ref, { code: "unreachable", reason: "no connection", retryable });
}

describe("runtime/worker/server-call", () => {
  async function calls(tool: string, fails: number, retryable = true): Promise<Outside> {
    const outside = new Outside();
    outside.tools = [tool];
    outside.answer = () =>
      outside.calls.length <= fails
        ? Promise.reject(failure(retryable))
        : Promise.resolve({ ok: true, parts: [{ text: "three pods" }] });
    const model = new ScriptedModel({ calls: [[tool, {}]] }, { text: "done" });
    const config = agentConfig({ toolServers: [serverUse()], retry: RETRY });
    const turn = new Conversation(config, model, outside).send("go");
    for (let waits = 0; waits < 4; waits += 1) await outside.clock.advance(10_000);
    assert.equal((await turn).state, "completed");
    return outside;
  }

  it("calls a reading tool again after passing failures, as often as the agent says", async () => {
    assert.equal((await calls(READ, 2)).calls.length, 3);
    assert.equal((await calls(READ, 9)).calls.length, 3);
  });

  it("does not call it again after a failure that stays", async () => {
    assert.equal((await calls(READ, 9, false)).calls.length, 1);
  });

  it("never calls a writing tool again", async () => {
    assert.equal((await calls(WRITE, 9)).calls.length, 1);
  });
});

describe("apiKeyPassthrough of a ModelConfig", () => {
  it("has the model called with the caller's own bearer token", async () => {
    const keys: (string | undefined)[] = [];
    const model = new ScriptedModel({ text: "a" }, { text: "b" });
    const outside = new Outside();
    const deps = outside.deps.bind(outside);
    outside.deps = (scripted) => ({
      ...deps(scripted),
      model: (settings) => {
        keys.push(settings.apiKey);
        return Promise.resolve(scripted);
      },
    });
    const ref = { namespace: "kagent", name: "m" };
    const passing = { ref, provider: "OpenAI", model: "m", apiKeyPassthrough: true };
    const conversation = new Conversation(agentConfig({ model: passing }), model, outside);
    await conversation.send("one", { headers: { authorization: "Bearer token-of-ana" } });
    await conversation.send("two", { taskId: "t2" });
    assert.deepEqual(keys, ["token-of-ana", undefined]);
  });
});
