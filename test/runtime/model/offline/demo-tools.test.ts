import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { offlineModel } from "../../../../runtime/model/offline.ts";
import { PODS } from "../../../../runtime/toolservers/demo/demo-pods.ts";
import { playTurn } from "./agent-turn.ts";
import { builtInTools } from "./built-in-tools.ts";

describe("runtime/model/offline over the built-in tools", () => {
  const play = (question: string) => playTurn(offlineModel(), question, builtInTools());

  it("names the failing pods of the demo cluster and no other", async () => {
    const { text } = await play("which pods are failing and why?");
    for (const { name, fault } of PODS)
      assert.equal(text.includes(name), fault !== undefined, name);
    for (const cause of [
      /PAYMENTS_API_URL is not set/,
      /limit of \d+Mi/,
      /manifest unknown/,
      /Insufficient memory/,
    ])
      assert.match(text, cause);
    assert.match(text, /Data: demo cluster "services-amer" \(stand-in data, not a real cluster\)/);
  });

  it("finds what Flux could not apply in the demo cluster", async () => {
    const { text } = await play("is Flux synced?");
    assert.match(text, /^Flux is not in sync/);
    assert.match(text, /Kustomization `flux-system\/payments-apps`/);
    assert.match(text, /HelmRelease `platform\/analytics-batch`/);
  });

  for (const [question, expected] of [
    ["which Helm releases failed?", /1 not deployed: analytics-batch/],
    ["why does the checkout deployment restart?", /^2 of 2 pods need attention/],
    ["show the last events in namespace shop", /^\d+ events, [1-9]\d* warnings among them/],
    ["describe node worker-1", /^Description of amer-worker-1/],
    ["which namespaces exist?", /^\d+ Namespace objects[^]*\| payments \| Active \|/],
    ["list the services in namespace payments", /^3 Service objects/],
    ["is storefront healthy?", /^shop\/storefront-[^]* run and are ready/],
  ] as const)
    it(`answers ${JSON.stringify(question)}`, async () => {
      assert.match((await play(question)).text, expected);
    });
});
