import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { RefusalRule } from "../../../runtime/api/agent-config.ts";
import { type Agent, parseObject } from "../../../runtime/api/objects.ts";
import { compileRefusals } from "../../../runtime/api/refusal.ts";
import { compileRouting, route } from "../../../runtime/api/routing.ts";
import { lintObjects } from "../../../runtime/api/rules/lint.ts";
import { routingTable } from "../../../runtime/api/rules/routing.ts";
import { splitTool, toolAccess } from "../../../runtime/api/tool-catalogue.ts";
import { definitions } from "../../../stacks/agents/index.ts";
import { type DefinitionSettings, defaultSettings } from "../../../stacks/agents/settings.ts";
import { ATTACKS } from "../../runtime/api/refusal/attacks.ts";
import { HARMLESS } from "../../runtime/api/refusal/harmless.ts";

const TWO_CLUSTERS: DefinitionSettings = {
  ...defaultSettings,
  namespace: "agents",
  clusters: [{ name: "services-amer" }, { name: "edge-emea" }],
};
const ALL = { defaults: defaultSettings, "two clusters": TWO_CLUSTERS };

function agentsOf(settings: DefinitionSettings): ReadonlyMap<string, Agent> {
  const agents = new Map<string, Agent>();
  for (const input of definitions(settings)) {
    const object = parseObject(input);
    assert.ok(object.ok, JSON.stringify(object));
    if (object.value.kind === "Agent") agents.set(object.value.metadata.name, object.value);
  }
  return agents;
}

const agents = agentsOf(defaultSettings);
const coordinator = agents.get("coordinator-agent")!;
const table = compileRouting(routingTable(coordinator, defaultSettings.namespace)!);
const refuse = compileRefusals(
  coordinator.spec.declarative!.refusal!.rules.map(({ name, match, message = "" }) => ({
    name,
    match: match as RefusalRule["match"],
    message,
  })),
);
const agentFor = (text: string) => route(text, table).agents.map(({ name }) => name);

/** The ten questions of every day, with the agent that answers them. */
const QUESTIONS: readonly (readonly [string, string])[] = [
  ["which pods are failing and why?", "cluster-agent"],
  ["is Flux synced?", "cluster-agent"],
  ["why does checkout restart all the time?", "cluster-agent"],
  ["compare error rates across clusters", "observability-agent"],
  ["show the Grafana dashboard for checkout", "observability-agent"],
  ["open a PR that raises the memory limit of checkout", "git-agent"],
  ["upgrade the image of checkout to 1.4.2 by pull request", "git-agent"],
  ["what does namespace shop cost?", "finops-agent"],
  ["calculate 17% of 4200", "code-agent"],
  ["remember that checkout belongs to team payments", "code-agent"],
  ["hello", "cluster-agent"],
];

/** First match wins (reference-platform.md section 2), however many words of a later rule match. */
const PRECEDENCE: readonly (readonly [string, string])[] = [
  [
    "open a PR with a commit that changes the alert for the pod and its cost",
    "observability-agent",
  ],
  ["scale the pods of the deployment in the namespace and calculate the cost", "git-agent"],
  ["calculate in python the cost of the pods", "finops-agent"],
  ["write a script that lists pods, services, nodes and namespaces", "code-agent"],
];

describe("stacks/agents: definitions", () => {
  for (const [name, settings] of Object.entries(ALL)) {
    it(`break no rule for ${name}`, () => {
      const findings = lintObjects(definitions(settings), {
        namespace: settings.namespace,
        clusters: settings.clusters.map((cluster) => cluster.name),
      });
      assert.deepEqual(
        findings.filter(({ severity, rule }) => severity === "error" || rule !== "model-budget"),
        [],
      );
    });

    it(`put every object of ${name} into its namespace and every server behind its gateway`, () => {
      for (const input of definitions(settings)) {
        assert.equal(input.metadata.namespace, settings.namespace);
        if (input.kind === "RemoteMCPServer")
          assert.ok(input.spec.url.startsWith(`${settings.gatewayUrl}/mcp/`), input.spec.url);
      }
    });
  }

  it("are the agents, models and servers of the platform", () => {
    assert.deepEqual([...agents.keys()].sort(), [
      "cluster-agent",
      "code-agent",
      "coordinator-agent",
      "diagnosis-agent",
      "finops-agent",
      "git-agent",
      "investigation-agent",
      "observability-agent",
      "reporting-agent",
      "triage-agent",
    ]);
    const names = (kind: string) =>
      definitions(defaultSettings).flatMap((each) =>
        each.kind === kind ? [each.metadata.name] : [],
      );
    assert.deepEqual(names("ModelConfig"), ["default-model-config", "fast-model-config"]);
    assert.deepEqual(names("RemoteMCPServer").sort(), [
      "code-tools-mcp-server",
      "github-mcp-server",
      "helm-tools-federated",
      "k8s-tools-federated",
      "kagent-grafana-mcp",
      "opencost-mcp-server",
    ]);
  });

  it("are plain data, equal each time they are made", () => {
    const once = definitions(defaultSettings);
    assert.deepEqual(JSON.parse(JSON.stringify(once)), once);
    assert.deepEqual(definitions(defaultSettings), once);
  });

  it("make a cluster-agent for each cluster, each with the tools of its own", () => {
    const twins = agentsOf(TWO_CLUSTERS);
    for (const [name, cluster] of [
      ["cluster-agent", "services-amer"],
      ["cluster-agent-edge-emea", "edge-emea"],
    ] as const) {
      const clusters = twins
        .get(name)!
        .spec.declarative!.tools!.flatMap(({ mcpServer }) => mcpServer?.toolNames ?? [])
        .flatMap((tool) => splitTool(tool)?.cluster ?? []);
      assert.deepEqual(new Set(clusters), new Set([cluster]));
    }
    const routing = routingTable(twins.get("coordinator-agent")!, TWO_CLUSTERS.namespace)!;
    assert.equal(
      route("list the pods of edge-emea", routing).agents[0]?.name,
      "cluster-agent-edge-emea",
    );
    assert.equal(route("list the pods of services-amer", routing).agents[0]?.name, "cluster-agent");
  });

  for (const [name, { spec }] of agents) {
    const { declarative } = spec;
    it(`let ${name} say what it does: description, instructions, skills with three examples each`, () => {
      assert.ok((spec.description ?? "").length > 20);
      assert.ok((declarative?.systemMessage ?? "").length > 200);
      const skills = declarative?.a2aConfig?.skills ?? [];
      assert.ok(skills.length > 0);
      for (const { id, tags = [], examples = [], description } of skills) {
        assert.ok(id !== undefined && description !== undefined);
        assert.ok(tags.length > 0 && examples.length >= 3, id);
      }
    });

    it(`bound ${name}: budgets, compaction, and no write without a person`, () => {
      assert.ok((declarative?.limits?.maxToolCalls ?? 99) <= 15);
      assert.notEqual(declarative?.limits?.maxDuration, "30m");
      const { compaction } = declarative?.context ?? {};
      assert.equal(compaction?.summarizer?.modelConfig, "fast-model-config");
      assert.ok(
        compaction.tokenThreshold !== undefined && compaction.eventRetentionSize !== undefined,
      );
      for (const { mcpServer } of declarative?.tools ?? [])
        for (const tool of mcpServer?.toolNames ?? [])
          if (toolAccess(tool) !== "read") {
            assert.equal(name, "git-agent", tool);
            assert.ok(mcpServer?.requireApproval?.includes(tool), tool);
          }
    });
  }
});

describe("stacks/agents: routing of the coordinator", () => {
  for (const name of [
    "cluster-agent",
    "observability-agent",
    "git-agent",
    "finops-agent",
    "code-agent",
  ])
    for (const { examples = [] } of agents.get(name)!.spec.declarative!.a2aConfig!.skills!)
      for (const example of examples)
        it(`sends ${name}'s example to it: ${JSON.stringify(example)}`, () => {
          assert.equal(refuse(example), undefined);
          assert.deepEqual(agentFor(example), [name]);
        });

  for (const { examples = [] } of coordinator.spec.declarative!.a2aConfig!.skills!)
    for (const example of examples)
      it(`refuses none of its own examples: ${JSON.stringify(example)}`, () => {
        assert.equal(refuse(example), undefined);
      });

  for (const [text, agent] of [...QUESTIONS, ...PRECEDENCE])
    it(`sends ${JSON.stringify(text)} to ${agent}`, () => {
      assert.equal(refuse(text), undefined);
      assert.deepEqual(agentFor(text), [agent]);
    });

  it("reads the state before a change, and only then", () => {
    const readers = (text: string) =>
      Object.values(route(text, table).readFirst ?? {}).map(({ name }) => name);
    for (const text of ["increase the memory limit of checkout", "open a PR that scales checkout"])
      assert.deepEqual(readers(text), ["cluster-agent"], text);
    for (const text of ["list the open pull requests", "which pods fail?", "what does shop cost?"])
      assert.deepEqual(readers(text), [], text);
  });

  it("never asks back and never leaves a route to a model", () => {
    for (const text of ["", "?", "hello", "\u{1F600}", "lorem ipsum"])
      assert.deepEqual(agentFor(text), ["cluster-agent"]);
  });

  it("refuses every attack of the corpus before a route is looked for, and nothing harmless", () => {
    assert.deepEqual(
      Object.values(ATTACKS)
        .flat()
        .filter((text) => refuse(text) === undefined),
      [],
    );
    assert.deepEqual(
      HARMLESS.filter((text) => refuse(text) !== undefined),
      [],
    );
  });
});
