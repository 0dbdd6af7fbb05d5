import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { AgentConfig } from "../../../runtime/api/agent-config.ts";
import { META } from "../../../runtime/api/names.ts";
import { messagesTokens } from "../../../runtime/worker/context/token-estimate.ts";
import { outputOf } from "../../../runtime/worker/final-answer.ts";
import { agentConfig, serverUse } from "../../support/agent-config.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { modelOf } from "./context/worlds.ts";
import { Conversation, Outside } from "./turn-harness.ts";

const schema = {
  type: "object",
  required: ["verdict"],
  properties: {
    verdict: { enum: ["incident", "noise"] },
    pods: { type: "array", items: { type: "string" } },
  },
  additionalProperties: false,
};

let hashes = 0;
function talkWith(model: ScriptedModel, over: Partial<AgentConfig> = {}): Conversation {
  const config = agentConfig({
    hash: `final-answer-${++hashes}`,
    toolServers: [serverUse()],
    responseSchema: schema,
    ...over,
  });
  return new Conversation(config, model, Object.assign(new Outside(), { tools: ["k8s_get"] }));
}
const output = (talk: Conversation): unknown => {
  const body = talk.bodies.findLast((each) => each.type === "message" && each.role === "agent");
  return body?.type === "message" ? outputOf(body.parts) : undefined;
};

describe("runtime/worker/final-answer", () => {
  it("puts the answer into the schema by one last call without tools", async () => {
    const value = { verdict: "incident", pods: ["web-1"] };
    const model = new ScriptedModel(
      { calls: [["k8s_get", {}]] },
      { text: "an incident" },
      { text: JSON.stringify(value) },
    );
    const talk = talkWith(model);
    const outcome = await talk.send("triage");
    assert.equal(outcome.state, "completed");
    assert.equal(outcome.usage.modelCalls, 3);
    assert.deepEqual(output(talk), value);
    assert.equal(talk.answer, "an incident");
    assert.equal(talk.partials.join(""), "an incident", "bare JSON is not streamed");
    const [, , last] = model.requests;
    assert.deepEqual(last?.tools, []);
    assert.deepEqual(last.format, schema);
    assert.deepEqual(
      last.messages.slice(-2).map(({ role }) => role),
      ["assistant", "user"],
    );
  });

  it("asks once more with the paths of what was wrong", async () => {
    const model = new ScriptedModel(
      { text: "noise" },
      { text: '{"verdict":"maybe","pods":["a",1]}' },
      { text: '{"verdict":"noise"}' },
    );
    const talk = talkWith(model);
    await talk.send("triage");
    assert.deepEqual(output(talk), { verdict: "noise" });
    const repair = model.requests[2]?.messages.at(-1)?.text ?? "";
    assert.match(repair, /output\.verdict: must be equal to one of/);
    assert.match(repair, /output\.pods\[1\]: must be string/);
  });

  it("fails with the paths when the second answer is wrong too, and keeps the text", async () => {
    const model = new ScriptedModel({ text: "noise" }, { text: "no JSON" }, { text: "{}" });
    const talk = talkWith(model);
    const { state, error } = await talk.send("triage");
    assert.equal(state, "failed");
    assert.equal(error?.code, "INVALID_OUTPUT");
    assert.match(error.message, /output: must have required property 'verdict'/);
    assert.equal(talk.answer, "noise");
    assert.equal(output(talk), undefined);
  });

  it("tells of a schema that is none before it asks any model, each time", async () => {
    for (const [responseSchema, path] of [
      [{ type: "objct" }, /spec\.declarative\.responseSchema\.type: must be/],
      [
        { properties: { a: { minimum: "x" } } },
        /responseSchema\.properties\.a\.minimum: must be number/,
      ],
      [{ $ref: "http://elsewhere/schema" }, /responseSchema: can't resolve reference/],
    ] as const) {
      const model = new ScriptedModel();
      const talk = talkWith(model, { responseSchema });
      for (const taskId of ["one", "two"]) {
        const { error } = await talk.send("triage", { taskId });
        assert.equal(error?.code, "INVALID_OUTPUT");
        assert.match(error.message, path);
      }
      assert.equal(model.requests.length, 0);
    }
  });

  it("gives the envelope as well when the caller asks for it", async () => {
    const envelope = { summary: "noise", severity: "info", data: { scope: {} } };
    const model = new ScriptedModel(
      { text: "noise" },
      { text: '{"verdict":"noise"}' },
      { text: JSON.stringify(envelope) },
    );
    const talk = talkWith(model);
    await talk.send("triage", { metadata: { [META.output]: "envelope" }, source: "agent" });
    assert.deepEqual(output(talk), { verdict: "noise" });
    assert.match(JSON.stringify(talk.bodies), /vnd\.kagent\.envelope\+json/);
  });

  it("stays within the model's context, question and answer in it", async () => {
    const long = "the pod web-1 failed its probe again and again\n".repeat(400);
    const model = new ScriptedModel(
      { calls: [["k8s_get", {}]] },
      { text: "an incident. ".repeat(300) },
      { text: '{"verdict":"incident"}' },
    );
    const talk = talkWith(model, { model: modelOf(3_000) });
    talk.outside.answer = () => Promise.resolve({ ok: true, parts: [{ text: long }] });
    assert.equal((await talk.send("triage this")).state, "completed");
    const { messages = [] } = model.requests[2] ?? {};
    assert.ok(messages.some(({ text }) => text === "triage this"));
    assert.ok(messages.some(({ text }) => text.startsWith("an incident.")));
    assert.ok(messagesTokens(messages) <= 2_250, `${messagesTokens(messages)}`);
  });
});
