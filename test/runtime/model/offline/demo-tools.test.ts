import assert from "node:assert/strict";
import { describe, it } from "mocha";
import * as z from "zod";
import type { ToolDefinition } from "../../../../runtime/api/tool.ts";
import { offlineModel } from "../../../../runtime/model/offline.ts";
import { demoCluster } from "../../../../runtime/toolservers/demo/demo-cluster.ts";
import { PODS } from "../../../../runtime/toolservers/demo/demo-pods.ts";
import { helmTools } from "../../../../runtime/toolservers/helm/helm-tools.ts";
import { kubernetesTools } from "../../../../runtime/toolservers/kubernetes/kubernetes-tools.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { playTurn, type TestTool } from "./agent-turn.ts";

const signal = new AbortController().signal;

/** A built-in tool as an agent has it: under its target's name, its answers cut at 16 KiB. */
function asTool(target: string, tool: ToolDefinition): TestTool {
  return {
    name: `${target}_${tool.name}`,
    description: tool.description,
    inputSchema: z.toJSONSchema(tool.inputSchema, { io: "input" }),
    answer: async (args) => {
      const { text, isError } = await tool.call(args, { signal, user: "someone" });
      const whole = `${isError === true ? "Error: " : ""}${text}`;
      if (whole.length <= 16_384) return whole;
      return `${whole.slice(0, 9_830)}\n[... ${whole.length - 16_384} bytes left out ...]\n${whole.slice(-6_554)}`;
    },
  };
}

function tools(): readonly TestTool[] {
  const clock = new FakeClock();
  const deps = { cluster: demoCluster({ clock, name: "services-amer" }), clock };
  return [
    ...kubernetesTools(deps).map((tool) => asTool("k8s-tools-services-amer", tool)),
    ...helmTools(deps).map((tool) => asTool("helm-tools-services-amer", tool)),
  ];
}

describe("runtime/model/offline over the built-in tools", () => {
  const play = (question: string) => playTurn(offlineModel(), question, tools());

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
