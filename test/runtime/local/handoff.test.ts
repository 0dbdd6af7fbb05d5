import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { textOf } from "../../../runtime/api/events.ts";
import { defaultSettings } from "../../../stacks/agents/settings.ts";
import { activitiesOf, askAgent } from "../../support/ask-agent.ts";
import { startPlatform, type TestPlatform } from "../../support/local-platform.ts";
import { definitions } from "./handoff-definitions.ts";

const APPROVE = [{ data: { decision_type: "approve" } }];
/** Makes the agent's answer begin with these words. */
const printing = (words: string) => `\`\`\`python\nprint(${JSON.stringify(words)})\n\`\`\``;

describe("runtime/local/Platform with hand-offs", function () {
  this.timeout(60_000);
  let test: TestPlatform;
  before(async () => {
    const { href } = new URL("./handoff-definitions.ts", import.meta.url);
    test = await startPlatform({ definitionsUrl: href });
    const agents = definitions(defaultSettings).filter(({ kind }) => kind === "Agent");
    assert.deepEqual(test.report.broken, []);
    assert.equal(test.report.agents.length, agents.length);
  });
  after(() => test.stop());

  it("ends with its own answer where no condition holds", async () => {
    const answer = await askAgent(test, "desk-agent", printing("all quiet"));
    assert.match(answer.text, /^all quiet/);
    assert.deepEqual(activitiesOf(answer, "handoff"), []);
  });

  it("waits with the other agent for people, and answers with its answer", async () => {
    const words = "set the cpu limit of cart to 750m";
    const first = await askAgent(test, "desk-agent", printing(words));
    assert.equal(first.result.state, "input-required", first.text);
    assert.equal(activitiesOf(first, "handoff")[0]?.agent, "kagent/git-agent");
    let { result } = first;
    const approved: string[] = [];
    for (let round = 0; result.state === "input-required" && round < 6; round++) {
      approved.push(...(result.pending ?? []).map(({ name }) => name));
      const next = [test, "desk-agent", APPROVE, first.contextId, first.taskId] as const;
      ({ result } = await askAgent(...next));
    }
    assert.equal(result.state, "completed", textOf(result.parts));
    assert.equal(approved.length, 3);
    assert.match(textOf(result.parts), /^A draft pull request sets cpu to 750m/);
  });

  it("leaves an agent that it does not wait for to itself, and that one comes to its end", async () => {
    const answer = await askAgent(test, "desk-agent", printing("which pods are failing?"));
    assert.equal(answer.result.state, "completed");
    assert.match(answer.text, /^which pods are failing\?/);
    const [handoff] = activitiesOf(answer, "handoff");
    assert.deepEqual([handoff?.agent, handoff?.wait], ["kagent/cluster-agent", false]);
    const started = activitiesOf(answer, "tool-result").find(
      ({ childContextId }) => childContextId,
    );
    const id = /Task (\S+) of/.exec(textOf(started?.parts ?? []))?.[1] ?? "";
    const text = await finished(test, "cluster-agent", id);
    assert.match(text, /CrashLoopBackOff/);
  });

  it("tells behind its own answer that the other agent refuses", async () => {
    const answer = await askAgent(test, "desk-agent", printing("knock at the closed door"));
    assert.equal(answer.result.state, "completed");
    assert.match(answer.text, /^knock at the closed door/);
    assert.match(answer.text, /Handing over to kagent\/closed-agent failed: .*stays closed/);
  });
});

/** Text of a task once it is over; each look is a request, so nothing is waited for by the clock. */
async function finished(test: TestPlatform, agent: string, id: string): Promise<string> {
  for (;;) {
    const response = await fetch(`${test.report.urls.api}/api/a2a/kagent/${agent}/`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tasks/get", params: { id } }),
    });
    const text = await response.text();
    const { result } = JSON.parse(text) as { result?: { status: { state: string } } };
    assert.ok(result, text);
    assert.notEqual(result.status.state, "canceled");
    if (result.status.state === "completed") return text;
  }
}
