import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { envelopeAnswerJsonSchema } from "../../../../runtime/api/envelope-markdown.ts";
import { offlineModel } from "../../../../runtime/model/offline.ts";
import { readAll, textIn } from "../chat-model-contract.ts";
import { playTurn, type TestTool, testTool } from "./agent-turn.ts";

const PATH = "apps/shop/checkout/deployment.yaml";
const SHA = "0123456789abcdef0123456789abcdef01234567";
const CONTENT = "kind: Deployment\nmetadata:\n  name: checkout\nspec:\n  replicas: 2\n";
const text = { type: "string" };

function repository(answers: Partial<Record<string, string>> = {}): readonly TestTool[] {
  const tool = (name: string, answer: string, keys: readonly string[]) =>
    testTool(
      `github_${name}`,
      answers[name] ?? answer,
      Object.fromEntries(keys.map((key) => [key, text])),
    );
  return [
    tool("search_code", JSON.stringify({ items: [{ path: "README.md" }, { path: PATH }] }), [
      "query",
    ]),
    tool("get_file_contents", `file ${PATH} (sha ${SHA}, 60 bytes)\n${CONTENT}`, ["path"]),
    tool("create_branch", "created", ["branch"]),
    tool("create_or_update_file", "committed", ["path", "content", "message", "branch", "sha"]),
    tool("create_pull_request", "draft pull request 7 is open", ["title", "body", "head", "base"]),
  ];
}

const REQUEST = "Scale the checkout deployment to 5 replicas";
const play = (tools: readonly TestTool[], question = REQUEST) =>
  playTurn(offlineModel(), question, tools);
const namesOf = (calls: readonly { readonly name: string }[]) =>
  calls.map(({ name }) => name.slice("github_".length));

describe("runtime/model/offline/skills/git-change", () => {
  it("reads, then proposes branch, commit and pull request, each after the one before", async () => {
    const { steps, text: answer } = await play(repository());
    assert.deepEqual(steps.map(namesOf), [
      ["search_code"],
      ["get_file_contents"],
      ["create_branch"],
      ["create_or_update_file"],
      ["create_pull_request"],
    ]);
    assert.deepEqual(steps[3]?.[0]?.args, {
      path: PATH,
      content: CONTENT.replace("replicas: 2", "replicas: 5"),
      message: "Set replicas of checkout to 5",
      branch: "agent/checkout-replicas-5",
      sha: SHA,
    });
    assert.equal(steps[4]?.[0]?.args["head"], "agent/checkout-replicas-5");
    assert.match(answer, /^A draft pull request sets replicas to 5/);
  });

  for (const [tool, steps] of [
    ["create_branch", 3],
    ["create_or_update_file", 4],
    ["create_pull_request", 5],
  ] as const)
    it(`stops when ${tool} is rejected and says so`, async () => {
      const rejected = "Tool call was rejected by user. Reason: not now";
      const turn = await play(repository({ [tool]: rejected }));
      assert.equal(turn.steps.length, steps);
      assert.match(turn.text, /ended before its pull request/);
      assert.match(turn.text, /not now/);
    });

  it("never writes back a file that was cut on its way", async () => {
    const cut = `file ${PATH} (sha ${SHA}, 9000 bytes)\n${CONTENT}\n[... 8000 bytes left out ...]\nend`;
    const { calls, text: answer } = await play(repository({ get_file_contents: cut }));
    assert.deepEqual(namesOf(calls), ["search_code", "get_file_contents"]);
    assert.match(answer, /nothing was proposed/);
  });

  it("shows the value there is when the request names none", async () => {
    const { calls, text: answer } = await play(repository(), "Change the replicas of checkout");
    assert.deepEqual(namesOf(calls), ["search_code", "get_file_contents"]);
    assert.match(answer, /replicas is 2; the request names no other value/);
  });

  it("marks a value that it derived from the current one", async () => {
    const { calls } = await play(repository(), "Increase the replicas of checkout");
    assert.match(String(calls.at(-1)?.args["body"]), /names no value/);
  });

  it("leaves questions about changes to the reading skills", async () => {
    const list = testTool("github_list_pull_requests", "[]", { state: text });
    const { calls, text: answer } = await play(
      [...repository(), list],
      "List the open pull requests",
    );
    assert.deepEqual(namesOf(calls), ["list_pull_requests"]);
    assert.match(answer, /^0 pull requests found/);
  });

  describe("with what another agent proposed", () => {
    const DIFF = "@@\n   spec:\n-    replicas: 2\n+    replicas: 6";
    const asked = (file_path: string, yaml_diff: string, request = "Make checkout bigger") => {
      const issue = {
        resource_kind: "Pod",
        resource_name: "checkout-1",
        severity: "error",
        message: "OOMKilled",
      };
      const found = {
        summary: "it is too small",
        severity: "error",
        data: {
          scope: {},
          issues: [issue],
          proposed_change: { file_path, yaml_diff, rationale: "Two are not enough." },
        },
      };
      const text = `${request}\n\nFindings of kagent/cluster-agent: it is too small\n\nscale storefront to 9 replicas`;
      return `${text}\n${JSON.stringify(found)}`;
    };

    it("makes that change to the file it names, with reason, evidence and label", async () => {
      const { steps } = await play(repository(), asked(PATH, DIFF));
      assert.deepEqual(steps.map(namesOf), [
        ["get_file_contents"],
        ["create_branch"],
        ["create_or_update_file"],
        ["create_pull_request"],
      ]);
      assert.equal(steps[1]?.[0]?.args["branch"], "agent/checkout-replicas-6");
      assert.deepEqual(steps[2]?.[0]?.args, {
        path: PATH,
        content: CONTENT.replace("replicas: 2", "replicas: 6"),
        message: "Set replicas: 6 of checkout",
        branch: "agent/checkout-replicas-6",
        sha: SHA,
      });
      const body = String(steps[3]?.[0]?.args["body"]);
      assert.match(body, /^Asked for: Make checkout bigger\n\nTwo are not enough\./);
      assert.match(body, /Pod checkout-1: OOMKilled/);
      assert.match(body, /offline \(stand-in, no language model\)/);
    });

    it("does what the request says where the proposal does not fit the file", async () => {
      const question = asked(PATH, DIFF.replace("2", "4"), REQUEST);
      const { steps } = await play(repository(), question);
      assert.deepEqual(steps.map(namesOf)[0], ["get_file_contents"]);
      const written = steps.flat().find(({ name }) => name.endsWith("create_or_update_file"));
      assert.equal(written?.args["content"], CONTENT.replace("replicas: 2", "replicas: 5"));
    });

    it("proposes nothing where neither fits, and says so", async () => {
      const { calls, text: answer } = await play(repository(), asked(PATH, "no diff"));
      assert.deepEqual(namesOf(calls), ["get_file_contents"]);
      assert.match(answer, /does not fit the file as it is in Git/);
    });

    it("does not read what was found as if it had been asked for", async () => {
      const { calls } = await play(repository(), asked("apps/other.yaml", "no diff", "thanks"));
      assert.ok(!namesOf(calls).includes("create_branch"), namesOf(calls).join());
    });
  });

  it("still knows what it did when a rejection is put into an envelope", async () => {
    const rejected = "Tool call was rejected by user. Reason: not now";
    const { messages } = await play(repository({ create_branch: rejected }));
    const ask = { role: "user" as const, text: "Answer as one JSON object." };
    const format = envelopeAnswerJsonSchema();
    const request = { messages: [...messages, ask], tools: [], format };
    const chunks = await readAll(offlineModel().chat(request, new AbortController().signal));
    assert.match(textIn(chunks), /ended before its pull request.*not now/);
  });
});
