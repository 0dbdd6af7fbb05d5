import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { textOf } from "../../../runtime/api/events.ts";
import { type AgentAnswer, activitiesOf, askAgent } from "../../support/ask-agent.ts";
import { startPlatform, type TestPlatform } from "../../support/local-platform.ts";

const COORDINATOR = "coordinator-agent";
const WRITES = ["create_branch", "create_or_update_file", "create_pull_request"].map(
  (name) => `github_${name}`,
);

describe("runtime/local/Platform changes", function () {
  this.timeout(60_000);
  let test: TestPlatform;
  before(async () => {
    test = await startPlatform();
  });
  after(() => test.stop());

  /** Approves whatever waits until nothing does. */
  async function approveAll(first: AgentAnswer) {
    let { result } = first;
    const approved: string[] = [];
    const seen: string[] = [];
    for (let round = 0; result.state === "input-required" && round < 6; round++) {
      approved.push(...(result.pending ?? []).map(({ name }) => name));
      seen.push(
        ...(result.pending ?? []).map(({ hint, args }) => `${hint} ${String(args["body"])}`),
      );
      const parts = [{ data: { decision_type: "approve" } }];
      ({ result } = await askAgent(test, COORDINATOR, parts, first.contextId, first.taskId));
    }
    return { result, approved, seen: seen.join("\n") };
  }
  const callers = (answer: AgentAnswer) =>
    answer.activities.flatMap(({ author, body }) =>
      body.type === "tool-call" && body.target.kind === "agent"
        ? [`${author} -> ${body.target.ref}`]
        : [],
    );

  it("reads the state first, then opens a draft with it, each write approved at the root", async () => {
    const request = "increase the memory limit of payment-gateway to 512Mi";
    const first = await askAgent(test, COORDINATOR, request);
    assert.equal(first.result.state, "input-required", first.text);
    assert.deepEqual(callers(first), [
      "kagent/coordinator-agent -> kagent/cluster-agent",
      "kagent/coordinator-agent -> kagent/git-agent",
    ]);
    const { result, approved, seen } = await approveAll(first);
    assert.equal(result.state, "completed", textOf(result.parts));
    assert.deepEqual(approved, WRITES);
    assert.match(seen, /-\s+memory: 256Mi\n\s*\+\s+memory: 512Mi/);
    assert.match(textOf(result.parts), /draft pull request/i);
    assert.match(textOf(result.parts), /offline/);
    assert.match(seen, /Evidence:\n- Pod .*OOMKilled/, "in the text of the pull request");
    assert.match(seen, /offline \(stand-in, no language model\)/);
  });

  it("hands a proposed change of finops-agent over to git-agent at once", async () => {
    const first = await askAgent(test, COORDINATOR, "right-size the requests of catalog");
    assert.equal(first.result.state, "input-required", first.text);
    assert.deepEqual(activitiesOf(first, "handoff"), [
      { type: "handoff", agent: "kagent/git-agent", when: "follow_up_agent", wait: true },
    ]);
    const { result, approved, seen } = await approveAll(first);
    assert.equal(result.state, "completed", textOf(result.parts));
    assert.deepEqual(approved, WRITES);
    assert.match(seen, /apps\/shop\/catalog\/deployment\.yaml/);
    assert.match(textOf(result.parts), /cpu: 288m/);
  });

  it("ends without a pull request when a person rejects, and says so", async () => {
    const first = await askAgent(test, COORDINATOR, "increase the memory limit of cart to 1Gi");
    assert.equal(first.result.state, "input-required", first.text);
    const parts = [{ data: { decision_type: "reject", rejection_reason: "too dear" } }];
    const ended = await askAgent(test, COORDINATOR, parts, first.contextId, first.taskId);
    assert.equal(ended.result.state, "completed");
    assert.match(ended.text, /ended before its pull request/);
    assert.match(ended.text, /too dear/);
  });

  it("reads a question about the repository from the repository alone", async () => {
    const answer = await askAgent(test, COORDINATOR, "list the open pull requests");
    assert.deepEqual(callers(answer), ["kagent/coordinator-agent -> kagent/git-agent"]);
  });

  it("calculates in the sandbox, with the expression of the question", async () => {
    const answer = await askAgent(test, COORDINATOR, "calculate 17 % of 4200");
    assert.match(answer.text, /714\.0/);
    const [code] = answer.activities.flatMap(({ body }) =>
      body.type === "tool-call" && body.name.endsWith("execute_python") ? [body.args["code"]] : [],
    );
    assert.equal(code, "print(17 * 4200 / 100)");
  });
});
