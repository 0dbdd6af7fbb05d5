import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { EnvelopeAnswer } from "../../../../runtime/api/envelope.ts";
import { envelopeAnswerJsonSchema } from "../../../../runtime/api/envelope-markdown.ts";
import { applyPatch } from "../../../../runtime/model/offline/manifest-patch.ts";
import { offlineModel } from "../../../../runtime/model/offline.ts";
import { seedCommits } from "../../../../runtime/toolservers/git/seed-content.ts";
import { readAll, textIn } from "../chat-model-contract.ts";
import { playTurn } from "./agent-turn.ts";
import { builtInTools } from "./built-in-tools.ts";

/** Files as the local repository has them. */
const FILES = new Map(
  seedCommits("services-amer").flatMap(({ files }) =>
    files.map(({ path, content }) => [path, content] as const),
  ),
);

/** What an agent with these tools answers as an envelope. */
async function envelope(question: string, tools = builtInTools()): Promise<EnvelopeAnswer> {
  const model = offlineModel();
  const { messages } = await playTurn(model, question, tools);
  const request = {
    messages: [...messages, { role: "user" as const, text: "Answer as one JSON object." }],
    tools: [],
    format: envelopeAnswerJsonSchema(),
  };
  const text = textIn(await readAll(model.chat(request, new AbortController().signal)));
  return EnvelopeAnswer.parse(JSON.parse(text));
}

describe("runtime/model/offline/skills/workload-change", () => {
  it("proposes a change of the file in Git that the workload comes from, and the change fits it", async () => {
    const answer = await envelope("Increase the memory limit of payment-gateway to 512Mi");
    const { proposed_change: change, issues } = answer.data;
    assert.equal(change?.file_path, "apps/payments/payment-gateway/deployment.yaml");
    assert.equal(answer.follow_up_agent, "git-agent");
    assert.match(answer.summary, /has memory limit 256Mi.*OOMKilled.*offline \(stand-in/s);
    assert.equal(issues[0]?.resource_kind, "Pod");
    const patched = applyPatch(FILES.get(change.file_path) ?? "", change.yaml_diff);
    assert.deepEqual(patched?.settings, ["memory: 512Mi"]);
    assert.match(patched.content, /limits:\n\s+cpu: "1"\n\s+memory: 512Mi/);
    assert.match(patched.content, /requests:\n\s+cpu: 500m\n\s+memory: 256Mi/);
  });

  it("says of a value that it made up that nobody named it", async () => {
    const named = await envelope("raise the memory limit of checkout to 1Gi");
    const derived = await envelope("raise the memory limit of checkout");
    assert.doesNotMatch(named.data.proposed_change?.rationale ?? "", /names no value/);
    assert.match(derived.data.proposed_change?.rationale ?? "", /names no value/);
    assert.match(derived.data.proposed_change?.yaml_diff ?? "", /\+\s+memory: 1024Mi/);
  });

  it("mends what ran out of memory when asked to, and no failure of which it does not know the cure", async () => {
    const mended = await envelope("fix payment-gateway");
    assert.match(mended.data.proposed_change?.yaml_diff ?? "", /\+\s+memory: 512Mi/);
    const other = await envelope("fix checkout");
    assert.equal(other.data.proposed_change, null);
    assert.match(other.summary, /CrashLoopBackOff.*not mended by one value/);
  });

  for (const [what, question, why] of [
    [
      "a workload whose file the cluster does not tell",
      "scale analytics-batch to 2 replicas",
      /does not tell from which file/,
    ],
    ["a value that is there already", "scale checkout to 2 replicas", /has that value already/],
    ["no value at all", "change the replicas of checkout", /names no new value/],
    ["a workload that is not there", "scale nothing-like-it to 2 replicas", /Not exactly one/],
    ["several workloads", "scale car to 2 replicas in namespace shop", /Not exactly one/],
  ] as const)
    it(`proposes nothing for ${what}, and says so`, async () => {
      const answer = await envelope(question);
      assert.equal(answer.data.proposed_change, null);
      assert.equal(answer.follow_up_agent, null);
      assert.match(answer.summary, why);
    });

  it("proposes nothing to whoever only asks", async () => {
    for (const question of [
      "which pods are failing and why?",
      "why does payment-gateway restart?",
      "what is the memory limit of payment-gateway set to?",
    ])
      assert.equal((await envelope(question)).data.proposed_change, null, question);
  });

  it("shows the change in prose too, labelled", async () => {
    const { text } = await playTurn(
      offlineModel(),
      "Increase the memory limit of payment-gateway to 512Mi",
      builtInTools(),
    );
    assert.match(text, /Proposed change of apps\/payments\/payment-gateway\/deployment\.yaml/);
    assert.match(text, /offline \(stand-in, no language model\)/);
  });
});

describe("runtime/model/offline/skills/costs, right-sizing", () => {
  it("proposes requests for each pod that fit its use, in the file the workload comes from", async () => {
    const { data } = await envelope("right-size the requests of catalog");
    assert.equal(data.proposed_change?.file_path, "apps/shop/catalog/deployment.yaml");
    const file = FILES.get(data.proposed_change.file_path) ?? "";
    const patched = applyPatch(file, data.proposed_change.yaml_diff);
    // 0.24 cores and 640 MiB each, times 1.2; the tool's own figures are rounded
    assert.match(patched?.content ?? "", /requests:\n\s+cpu: "288m"\n\s+memory: (?:768|799)Mi/);
    assert.match(patched?.content ?? "", /limits:\n\s+cpu: "4"\n\s+memory: 4Gi/);
  });

  it("trusts no figures of a workload that does not run", async () => {
    const answer = await envelope("right-size the requests of checkout");
    assert.equal(answer.data.proposed_change, null);
    assert.match(answer.summary, /0 of 2 pods of shop\/checkout are ready/);
  });

  it("proposes nothing for what fits, and nothing for many at once", async () => {
    for (const question of [
      "right-size the requests of storefront",
      "which deployments are over-provisioned?",
      "right-size everything",
    ])
      assert.equal((await envelope(question)).data.proposed_change, null, question);
  });
});
