import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { AgentConfig } from "../../../runtime/api/agent-config.ts";
import { refKey } from "../../../runtime/api/names.ts";
import type { Agent } from "../../../runtime/api/objects.ts";
import { type AgentReferences, resolveAgent } from "../../../runtime/controller/resolve-agent.ts";
import {
  callsTo,
  DEFAULT_MODEL,
  object,
  parsedAgent,
  written,
  writtenServer,
} from "./kagent-objects.ts";

const MODELS = new Map(
  [DEFAULT_MODEL, written("ModelConfig", "other", { provider: "Ollama", model: "m" })]
    .map((input) => object("ModelConfig", input))
    .map((model) => [`kagent/${model.metadata.name}`, model]),
);
const SERVERS = new Map(
  [
    writtenServer("plain"),
    writtenServer("headed", {
      timeout: "5s",
      headersFrom: [
        { name: "X-Own", value: "own" },
        { name: "X-Both", value: "server" },
        { name: "Authorization", valueFrom: { type: "Secret", name: "token", key: "header" } },
      ],
    }),
  ]
    .map((input) => object("RemoteMCPServer", input))
    .map((server) => [`kagent/${server.metadata.name}`, server]),
);
const AGENTS = new Map([["kagent/helper", parsedAgent("helper")]]);
const VALUES = new Map([
  ["kagent Secret token header", "Bearer s3cret"],
  ["kagent ConfigMap prompts main", "From a map."],
]);

const references: AgentReferences = {
  modelConfig: (ref) => MODELS.get(refKey(ref)),
  toolServer: (ref) => SERVERS.get(refKey(ref)),
  agent: (ref) => AGENTS.get(refKey(ref)),
  value: (namespace, { type, name, key }) => VALUES.get(`${namespace} ${type} ${name} ${key}`),
  agentUrl: (ref) => `http://agents/${refKey(ref)}/`,
};

function resolved(agent: Agent): AgentConfig {
  const checked = resolveAgent(agent, references);
  assert.ok(checked.ok, JSON.stringify(checked));
  return checked.value;
}

function violations(agent: Agent): readonly string[] {
  const checked = resolveAgent(agent, references);
  return checked.ok ? [] : checked.violations.map(({ path, message }) => `${path}: ${message}`);
}

const server = (name: string, more: object = {}) => ({
  type: "McpServer",
  mcpServer: { kind: "RemoteMCPServer", name, ...more },
});

describe("runtime/controller/resolve-agent", () => {
  it("gives an Agent that names nothing the default model and the default budgets", () => {
    const config = resolved(parsedAgent("a"));
    assert.deepEqual(config.model.ref, { namespace: "kagent", name: "default-model-config" });
    assert.equal(config.model.ollama?.numCtx, 8192, "the context window sizes the prompt");
    assert.deepEqual(config.limits, {
      maxModelCalls: 50,
      maxToolCalls: 100,
      maxDurationMs: 30 * 60_000,
      maxParallelTools: 8,
      repeatedCalls: "allow",
    });
    assert.deepEqual(config.retry, { maxAttempts: 3, initialDelayMs: 1_000, maxDelayMs: 30_000 });
    assert.deepEqual(config.approval, { mode: "listed", timeoutMs: 3_600_000, approvers: [] });
    assert.equal(config.toolResultMaxBytes, 16_384);
    assert.equal(config.instruction, "You test.");
  });

  it("takes model and limits from the Agent", () => {
    const limits = { maxModelCalls: 3, maxTokens: 1000, maxDelegations: 2, maxDuration: "90s" };
    const config = resolved(parsedAgent("a", { modelConfig: "other", limits }));
    assert.equal(config.model.model, "m");
    assert.deepEqual(config.limits, {
      maxModelCalls: 3,
      maxToolCalls: 100,
      maxTokens: 1000,
      maxDelegations: 2,
      maxDurationMs: 90_000,
      maxParallelTools: 8,
      repeatedCalls: "allow",
    });
  });

  it("gives a server its own headers and those of the tool, which win; names in lower case", () => {
    const tool = {
      ...server("headed", { toolNames: ["t_read", "t_write"], requireApproval: ["t_write"] }),
      headersFrom: [{ name: "x-both", value: "tool" }],
    };
    const [use] = resolved(parsedAgent("a", { tools: [tool] })).toolServers;
    assert.deepEqual(use?.server.headers, {
      "x-own": "own",
      "x-both": "tool",
      authorization: "Bearer s3cret",
    });
    assert.equal(use.server.timeoutMs, 5_000);
    assert.equal(use.server.url, "http://headed/mcp");
    assert.deepEqual(use.toolNames, ["t_read", "t_write"]);
    assert.deepEqual(use.requireApproval, ["t_write"]);
  });

  it("resolves another Agent to its address and its description", () => {
    const [use] = resolved(parsedAgent("a", callsTo("helper"))).agents;
    assert.deepEqual(use, {
      ref: { namespace: "kagent", name: "helper" },
      description: "Is helper.",
      url: "http://agents/kagent/helper/",
      isolateSessions: false,
      headers: {},
    });
  });

  it("reads a system message from a ConfigMap", () => {
    const systemMessageFrom = { type: "ConfigMap", name: "prompts", key: "main" };
    const agent = parsedAgent("a", { systemMessage: undefined, systemMessageFrom });
    assert.equal(resolved(agent).instruction, "From a map.");
  });

  it("has equal hashes for what behaves alike, and for nothing else", () => {
    const { hash } = resolved(parsedAgent("a"));
    assert.equal(resolved(parsedAgent("a")).hash, hash);
    assert.notEqual(resolved(parsedAgent("a", { systemMessage: "Other." })).hash, hash);
  });

  const rows: readonly (readonly [string, Agent, RegExp])[] = [
    [
      "model",
      parsedAgent("a", { modelConfig: "gone" }),
      /^spec\.declarative\.modelConfig: ModelConfig kagent\/gone does not exist$/,
    ],
    [
      "tool server",
      parsedAgent("a", { tools: [server("plain"), server("gone")] }),
      /^spec\.declarative\.tools\[1\]\.mcpServer: RemoteMCPServer kagent\/gone does not exist$/,
    ],
    [
      "agent",
      parsedAgent("a", callsTo("helper", "gone")),
      /^spec\.declarative\.tools\[1\]\.agent: Agent kagent\/gone does not exist$/,
    ],
    [
      "agent of another namespace",
      parsedAgent("a", {
        tools: [{ type: "Agent", agent: { name: "helper", namespace: "other" } }],
      }),
      /^spec\.declarative\.tools\[0\]\.agent: Agent other\/helper does not exist$/,
    ],
    [
      "system message",
      parsedAgent("a", {
        systemMessage: undefined,
        systemMessageFrom: { type: "Secret", name: "prompts", key: "gone" },
      }),
      /^spec\.declarative\.systemMessageFrom: Secret kagent\/prompts has no key gone$/,
    ],
    [
      "header",
      parsedAgent("a", {
        tools: [
          {
            ...server("plain"),
            headersFrom: [
              { name: "a", value: "b" },
              { name: "c", valueFrom: { type: "Secret", name: "token", key: "gone" } },
            ],
          },
        ],
      }),
      /^spec\.declarative\.tools\[0\]\.headersFrom\[1\]: Secret kagent\/token has no key gone$/,
    ],
  ];
  for (const [what, agent, says] of rows)
    it(`names a missing ${what} with its path`, () => {
      const found = violations(agent);
      assert.equal(found.length, 1, found.join("; "));
      assert.match(found[0] ?? "", says);
    });

  it("names everything that is missing at once, and no secret", () => {
    const agent = parsedAgent("a", {
      modelConfig: "gone",
      tools: [server("headed"), server("gone"), { type: "Agent", agent: { name: "gone" } }],
    });
    const found = violations(agent);
    assert.equal(found.length, 3);
    assert.doesNotMatch(found.join(), /s3cret/);
  });
});
