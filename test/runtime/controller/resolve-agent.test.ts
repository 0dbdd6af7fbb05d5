import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { AgentConfig } from "../../../runtime/api/agent-config.ts";
import type { KubeObject } from "../../../runtime/api/cluster-reader.ts";
import { refKey } from "../../../runtime/api/names.ts";
import type { Agent } from "../../../runtime/api/objects.ts";
import { resolveAgent } from "../../../runtime/controller/resolve-agent.ts";
import {
  type AgentReferences,
  trackedReferences,
} from "../../../runtime/controller/resolve-references.ts";
import {
  callsTo,
  DEFAULT_MODEL,
  object,
  parsedAgent,
  written,
  writtenAgent,
  writtenServer,
} from "./kagent-objects.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n";
const OPENAI = written("ModelConfig", "openai", {
  provider: "OpenAI",
  model: "gpt-4o",
  apiKeySecret: "keys",
  apiKeySecretKey: "openai",
});

const MODELS = new Map(
  [
    DEFAULT_MODEL,
    OPENAI,
    written("ModelConfig", "other", { provider: "Ollama", model: "m" }),
    written("ModelConfig", "gemini", { provider: "Gemini", model: "g" }),
  ]
    .map((input) => object("ModelConfig", input))
    .map((model) => [`kagent/${model.metadata.name}`, model]),
);
const elsewhere = (input: object) => ({
  ...input,
  metadata: { name: "shared", namespace: "other" },
});
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
    writtenServer("secured", {
      url: "https://secured/mcp",
      protocol: "SSE",
      sseReadTimeout: "1m",
      terminateOnClose: false,
      tls: { caCertSecretRef: "ca", caCertSecretKey: "crt", disableSystemCAs: true },
    }),
    writtenServer("broken", {
      url: "https://broken/mcp",
      tls: { caCertSecretRef: "ca", caCertSecretKey: "no-pem" },
      headersFrom: [{ name: "a", valueFrom: { type: "Secret", name: "token", key: "gone" } }],
    }),
    elsewhere(
      writtenServer("shared", {
        headersFrom: [{ name: "a", valueFrom: { type: "Secret", name: "token", key: "header" } }],
        allowedNamespaces: { from: "Selector", selector: { matchLabels: { team: "a" } } },
      }),
    ),
  ]
    .map((input) => object("RemoteMCPServer", input))
    .map((server) => [`${server.metadata.namespace ?? ""}/${server.metadata.name}`, server]),
);
const shared = (name: string, allowedNamespaces?: object) =>
  object("Agent", {
    ...writtenAgent(name, {}, allowedNamespaces === undefined ? {} : { allowedNamespaces }),
    metadata: { name, namespace: "other" },
  });
const AGENTS = new Map<string, Agent>([
  ["kagent/helper", parsedAgent("helper")],
  ["other/open", shared("open", { from: "All" })],
  ["other/closed", shared("closed")],
  ["other/team", shared("team", { from: "Selector", selector: { matchLabels: { team: "b" } } })],
]);
const VALUES = new Map([
  ["kagent Secret token header", "Bearer s3cret"],
  ["other Secret token header", "Bearer other"],
  ["kagent Secret keys openai", "sk-s3cret"],
  ["kagent Secret ca crt", PEM],
  ["kagent Secret ca no-pem", "s3cret"],
  ["kagent Secret prompts main", "From a Secret."],
  ["kagent ConfigMap prompts main", "From a map."],
  ["kagent ConfigMap prompts template", "{{.AgentName}} has {{.ToolNames}}."],
  ["kagent ConfigMap prompts tone", "Be {{brief}}."],
  ["kagent ConfigMap more tone", "Be long."],
  ["kagent ConfigMap kagent-builtin-prompts safety-guardrails", "Ours."],
]);
const service = (metadata: object, ports: readonly object[]) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name: "svc",
    namespace: "kagent",
    labels: { "kagent.dev/mcp-service": "true" },
    ...metadata,
  },
  spec: { ports },
});
let SERVICES = new Map<string, KubeObject>([["kagent/svc", service({}, [{ port: 80 }])]]);
const LABELS = new Map([["kagent", { team: "a" }]]);

const references: AgentReferences = {
  modelConfig: (ref) => MODELS.get(refKey(ref)),
  toolServer: (ref) => SERVERS.get(refKey(ref)),
  agent: (ref) => AGENTS.get(refKey(ref)),
  value: (namespace, { type, name, key }) => VALUES.get(`${namespace} ${type} ${name} ${key}`),
  service: (ref) => SERVICES.get(refKey(ref)),
  namespaceLabels: (namespace) => LABELS.get(namespace),
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

  it("reads a system message from a ConfigMap or a Secret", () => {
    for (const [type, text] of [
      ["ConfigMap", "From a map."],
      ["Secret", "From a Secret."],
    ] as const) {
      const systemMessageFrom = { type, name: "prompts", key: "main" };
      const agent = parsedAgent("a", { systemMessage: undefined, systemMessageFrom });
      assert.equal(resolved(agent).instruction, text);
    }
  });

  describe("with data sources", () => {
    const templated = (systemMessage: string, dataSources: readonly object[], more: object = {}) =>
      parsedAgent("a", { systemMessage, promptTemplate: { dataSources }, ...more });
    const PROMPTS = [{ kind: "ConfigMap", name: "prompts" }];

    it("expands the system message, and no fragment", () => {
      const message =
        '{{.AgentNamespace}}/{{.AgentName}}: {{.Description}} {{include "prompts/tone"}}';
      assert.equal(
        resolved(templated(message, PROMPTS)).instruction,
        "kagent/a: Is a. Be {{brief}}.",
      );
    });

    it("leaves a message without them as it is", () => {
      assert.equal(resolved(templated("{{.AgentName}}", [])).instruction, "{{.AgentName}}");
      assert.equal(resolved(parsedAgent("a", { systemMessage: "{{ x" })).instruction, "{{ x");
    });

    it("expands a message of a ConfigMap too", () => {
      const agent = templated("", PROMPTS, {
        systemMessage: undefined,
        systemMessageFrom: { type: "ConfigMap", name: "prompts", key: "template" },
        tools: [
          server("secured", { toolNames: ["s"] }),
          server("plain", { toolNames: ["p", "q"] }),
        ],
      });
      assert.equal(resolved(agent).instruction, "a has [p q s].");
    });

    it("finds fragments by alias", () => {
      const sources = [
        { name: "prompts", alias: "mine" },
        { name: "more", alias: "other" },
      ];
      const agent = templated('{{include "other/tone"}} {{include "mine/main"}}', sources);
      assert.equal(resolved(agent).instruction, "Be long. From a map.");
    });

    it("has the platform's own fragments, which a ConfigMap of that name replaces key by key", () => {
      const agent = templated(
        '{{include "b/safety-guardrails"}}{{include "b/tool-usage-best-practices"}}',
        [{ name: "kagent-builtin-prompts", alias: "b" }],
      );
      assert.match(resolved(agent).instruction, /^Ours\.## Tools\n/);
    });

    it("knows the names of skills", () => {
      const skills = {
        refs: ["ghcr.io/org/skill-k8s:v1", "ghcr.io:80/org/skill-helm@sha256:ab"],
        gitRefs: [
          { url: "https://github.com/org/my-skills.git?ref=main#sub" },
          { url: "https://github.com/org/x", name: "named" },
        ],
        s3Refs: [{ uri: "s3://bucket/folder/pack.tar.gz" }, { uri: "s3://bucket/zip.zip" }],
      };
      const agent = parsedAgent(
        "a",
        { systemMessage: "{{.SkillNames}}", promptTemplate: { dataSources: PROMPTS } },
        { skills },
      );
      assert.equal(resolved(agent).instruction, "[skill-k8s skill-helm my-skills named pack zip]");
    });

    it("says line and column of what is wrong, all of it at once", () => {
      const message = 'a\n {{include "prompt/tone"}} {{include "prompts/gone"}} {{.Nam}}';
      assert.deepEqual(violations(templated(message, PROMPTS)), [
        'spec.declarative.systemMessage: line 2, column 2: include "prompt/tone": there is no data source prompt; did you mean "prompts"?',
        'spec.declarative.systemMessage: line 2, column 28: include "prompts/gone": ConfigMap kagent/prompts has no key gone',
        "spec.declarative.systemMessage: line 2, column 55: unknown action {{.Nam}}; there are include, .AgentName, .AgentNamespace, .Description, .ToolNames, .SkillNames",
      ]);
    });

    it("takes fragments of ConfigMaps only, and each from one", () => {
      const sources = [
        { kind: "Secret", name: "token" },
        { apiGroup: "apps", name: "x" },
        { name: "prompts", alias: "p" },
        { name: "more", alias: "p" },
      ];
      assert.deepEqual(violations(templated('{{include "p/tone"}}', sources)), [
        "spec.declarative.promptTemplate.dataSources[0].kind: Secret holds no fragments of prompts; use a ConfigMap",
        "spec.declarative.promptTemplate.dataSources[1].apiGroup: must be empty for a ConfigMap",
        'spec.declarative.systemMessage: line 1, column 1: include "p/tone": ConfigMap kagent/prompts, ConfigMap kagent/more all have it',
      ]);
    });
  });

  it("reads the certificates of a server, and its limits", () => {
    const [use] = resolved(parsedAgent("a", { tools: [server("secured")] })).toolServers;
    assert.deepEqual(use?.server, {
      ref: { namespace: "kagent", name: "secured" },
      url: "https://secured/mcp",
      protocol: "SSE",
      timeoutMs: 30_000,
      sseReadTimeoutMs: 60_000,
      terminateOnClose: false,
      headers: {},
      tls: { verify: true, caPem: PEM, systemCas: false },
    });
  });

  it("says what is wrong with a server in the words of the server, at the tool", () => {
    assert.deepEqual(violations(parsedAgent("a", { tools: [server("broken")] })), [
      "spec.declarative.tools[0].mcpServer: RemoteMCPServer kagent/broken: spec.headersFrom[0]: Secret kagent/token has no key gone",
      "spec.declarative.tools[0].mcpServer: RemoteMCPServer kagent/broken: spec.tls.caCertSecretRef: Secret kagent/ca has no certificate in key no-pem",
    ]);
  });

  describe("of other namespaces", () => {
    const calls = (name: string) =>
      parsedAgent("a", { tools: [{ type: "Agent", agent: { name, namespace: "other" } }] });

    it("uses what admits the Agent's namespace, with headers of its own namespace", () => {
      assert.equal(resolved(calls("open")).agents[0]?.url, "http://agents/other/open/");
      const tools = [server("shared", { namespace: "other" })];
      const [use] = resolved(parsedAgent("a", { tools })).toolServers;
      assert.deepEqual(use?.server.headers, { a: "Bearer other" });
    });

    it("does not use what does not, for tools and hand-offs alike", () => {
      const why = "may not be used from namespace kagent: see its spec.allowedNamespaces";
      assert.deepEqual(violations(calls("closed")), [
        `spec.declarative.tools[0].agent: Agent other/closed ${why}`,
      ]);
      const handoffs = [{ when: "true", agent: { name: "team", namespace: "other" } }];
      assert.deepEqual(violations(parsedAgent("a", { handoffs })), [
        `spec.declarative.handoffs[0].agent: Agent other/team ${why}`,
      ]);
    });

    it("does not use what depends on labels that are not known", () => {
      const blind = { ...references, namespaceLabels: () => undefined };
      const agent = parsedAgent("a", { tools: [server("shared", { namespace: "other" })] });
      const checked = resolveAgent(agent, blind);
      assert.ok(!checked.ok);
      assert.match(checked.violations[0]?.message ?? "", /the namespace's labels are not known$/);
    });
  });

  describe("a Service as MCP server", () => {
    const use = (more: object = {}) => ({
      type: "McpServer",
      mcpServer: { kind: "Service", name: "svc", toolNames: ["t"], ...more },
    });
    const found = (metadata: object, ports: readonly object[]) => {
      SERVICES = new Map([["kagent/svc", service(metadata, ports)]]);
      const agent = parsedAgent("a", { tools: [use()] });
      const checked = resolveAgent(agent, references);
      return checked.ok ? checked.value.toolServers[0]?.server : checked.violations;
    };
    const MANY = [{ port: 80 }, { port: 8084, appProtocol: "MCP" }];

    it("is reached by its only port", () => {
      assert.deepEqual(found({}, [{ port: 80 }]), {
        ref: { namespace: "kagent", name: "svc" },
        url: "http://svc.kagent:80/mcp",
        protocol: "STREAMABLE_HTTP",
        timeoutMs: 30_000,
        sseReadTimeoutMs: 300_000,
        terminateOnClose: true,
        headers: {},
      });
    });

    it("is reached by its annotations, or by the port that says mcp", () => {
      const annotations = {
        "kagent.dev/mcp-service-port": "9000",
        "kagent.dev/mcp-service-path": "/sse",
        "kagent.dev/mcp-service-protocol": "SSE",
      };
      const annotated = found({ annotations }, MANY) as { url: string; protocol: string };
      assert.deepEqual([annotated.url, annotated.protocol], ["http://svc.kagent:9000/sse", "SSE"]);
      assert.equal((found({}, MANY) as { url: string }).url, "http://svc.kagent:8084/mcp");
    });

    for (const [what, metadata, ports, message] of [
      [
        "without the label",
        { labels: {} },
        [{ port: 80 }],
        /metadata\.labels: is no MCP server: it has no label kagent\.dev\/mcp-service=true$/,
      ],
      [
        "with a choice of ports",
        {},
        [{ port: 1 }, { port: 2 }],
        /metadata\.annotations: the port is not known/,
      ],
      [
        "with a port that is none",
        { annotations: { "kagent.dev/mcp-service-port": "http" } },
        [{ port: 80 }],
        /the port is not known/,
      ],
    ] as const) {
      it(`is refused ${what}`, () => {
        const [violation] = found(metadata, ports) as readonly { path: string; message: string }[];
        assert.equal(violation?.path, "spec.declarative.tools[0].mcpServer");
        assert.match(violation.message, message);
      });
    }

    it("is looked for in the Agent's namespace and nowhere else", () => {
      const tools = [use({ name: "gone" }), use({ namespace: "other" }), use({ apiGroup: "apps" })];
      assert.deepEqual(violations(parsedAgent("a", { tools })), [
        "spec.declarative.tools[0].mcpServer: Service kagent/gone does not exist",
        "spec.declarative.tools[1].mcpServer: a Service of another namespace cannot be used",
        'spec.declarative.tools[2].mcpServer.apiGroup: must be empty or "core" for a Service',
      ]);
    });
  });

  it("refuses kinds that are not served by name", () => {
    const tools = [
      { type: "McpServer", mcpServer: { name: "x" } },
      { type: "McpServer", mcpServer: { kind: "RemoteMCPServer", name: "plain", apiGroup: "x" } },
      { type: "Agent", agent: { kind: "SandboxAgent", name: "helper" } },
      { type: "Agent", agent: { apiGroup: "x", name: "helper" } },
    ];
    assert.deepEqual(violations(parsedAgent("a", { tools })), [
      "spec.declarative.tools[0].mcpServer.kind: MCPServer kagent/x is not served by this platform; use a RemoteMCPServer or a Service",
      'spec.declarative.tools[1].mcpServer.apiGroup: must be "kagent.dev" for a RemoteMCPServer',
      "spec.declarative.tools[2].agent.kind: SandboxAgent is not served by this platform; use an Agent",
      'spec.declarative.tools[3].agent.apiGroup: must be "kagent.dev" for an Agent',
    ]);
  });

  it("hands over to a tool the way it calls the tool", () => {
    const helper = { name: "helper" };
    const tool = {
      type: "Agent",
      agent: helper,
      isolateSessions: true,
      headersFrom: [{ name: "X-Team", value: "ops" }],
    };
    const handoffs = [{ when: "true", agent: helper }];
    const config = resolved(parsedAgent("a", { tools: [tool], handoffs }));
    assert.deepEqual(config.handoffs[0]?.use.headers, { "x-team": "ops" });
    assert.deepEqual(config.handoffs[0].use, config.agents[0]);
  });

  it("takes the agents that a route reads from first from its rules", () => {
    const rule = { name: "r", keywords: ["scale"], agent: { name: "helper" } };
    const routing = { rules: [{ ...rule, readFirst: { name: "open", namespace: "other" } }] };
    const [found] = resolved(parsedAgent("a", { routing })).routing?.rules ?? [];
    assert.deepEqual(found?.readFirst, { namespace: "other", name: "open" });
  });

  it("takes compaction, memory, hand-offs, schema, approval, sandbox and access from the Agent", () => {
    const agent = object("Agent", {
      ...writtenAgent(
        "a",
        {
          context: {
            compaction: {
              tokenThreshold: 9_000,
              eventRetentionSize: 4,
              toolResultMaxBytes: 300,
              summarizer: { modelConfig: "openai", promptTemplate: "Shorter." },
            },
          },
          memory: { modelConfig: "other" },
          handoffs: [{ when: "true", agent: { name: "helper" }, wait: true }],
          responseSchema: { type: "object" },
          approval: { mode: "all", timeout: "5m", approvers: ["group:ops"] },
        },
        { sandbox: { network: { allowedDomains: ["*.example.com"] } } },
      ),
      metadata: {
        name: "a",
        namespace: "kagent",
        annotations: { "kagent.dev/allowed-users": "ann, bob", "kagent.dev/allowed-groups": "ops" },
      },
    });
    const config = resolved(agent);
    assert.deepEqual(config.compaction, {
      interval: 5,
      overlap: 2,
      tokenThreshold: 9_000,
      eventRetention: 4,
      summarizer: {
        model: {
          ref: { namespace: "kagent", name: "openai" },
          provider: "OpenAI",
          model: "gpt-4o",
          apiKey: "sk-s3cret",
          openAI: { apiFormat: "chatCompletions" },
        },
        prompt: "Shorter.",
      },
    });
    assert.equal(config.toolResultMaxBytes, 300);
    assert.equal(config.memory?.embedding.ref.name, "other");
    assert.equal(config.memory.ttlDays, 15);
    assert.deepEqual(config.handoffs, [
      {
        when: "true",
        use: {
          ref: { namespace: "kagent", name: "helper" },
          description: "Is helper.",
          url: "http://agents/kagent/helper/",
          isolateSessions: false,
          headers: {},
        },
        wait: true,
      },
    ]);
    assert.deepEqual(config.responseSchema, { type: "object" });
    assert.deepEqual(config.approval, {
      mode: "all",
      timeoutMs: 300_000,
      approvers: ["group:ops"],
    });
    assert.deepEqual(config.allowedDomains, ["*.example.com"]);
    assert.deepEqual(config.access, { users: ["ann", "bob"], groups: ["ops"] });
  });

  it("summarises with the Agent's own model unless another one is named, and not at all by default", () => {
    const compaction = (spec: object) => parsedAgent("a", { context: { compaction: spec } });
    const own = resolved(compaction({ summarizer: {} })).compaction;
    assert.equal(own?.summarizer?.model.ref.name, "default-model-config");
    assert.equal(own.summarizer.prompt, undefined);
    assert.deepEqual(resolved(compaction({})).compaction, { interval: 5, overlap: 2 });
    assert.equal(resolved(parsedAgent("a")).compaction, undefined);
    assert.equal(resolved(parsedAgent("a")).memory, undefined);
  });

  it("takes the default model that the platform names", () => {
    const checked = resolveAgent(parsedAgent("a"), { ...references, defaultModelConfig: "other" });
    assert.ok(checked.ok);
    assert.equal(checked.value.model.ref.name, "other");
  });

  it("says what is wrong with each model in the words of the model", () => {
    const agent = parsedAgent("a", {
      modelConfig: "gemini",
      memory: { modelConfig: "gone" },
      context: { compaction: { summarizer: { modelConfig: "gemini" } } },
    });
    const served = "spec.provider: Gemini is not served by this platform; use Ollama or OpenAI";
    assert.deepEqual(violations(agent), [
      `spec.declarative.modelConfig: ModelConfig kagent/gemini: ${served}`,
      `spec.declarative.context.compaction.summarizer.modelConfig: ModelConfig kagent/gemini: ${served}`,
      "spec.declarative.memory.modelConfig: ModelConfig kagent/gone does not exist",
    ]);
  });

  it("remembers what was asked for, found or not, each once", () => {
    const { references: tracked, used } = trackedReferences(references);
    const agent = parsedAgent("a", {
      modelConfig: "openai",
      tools: [
        server("headed"),
        server("headed"),
        server("shared", { namespace: "other" }),
        { type: "Agent", agent: { name: "gone" } },
        { type: "McpServer", mcpServer: { kind: "Service", name: "svc" } },
      ],
      systemMessage: '{{include "prompts/tone"}}',
      promptTemplate: { dataSources: [{ name: "prompts" }] },
    });
    resolveAgent(agent, tracked);
    assert.deepEqual(
      used().map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`),
      [
        "ModelConfig/kagent/openai",
        "Secret/kagent/keys",
        "RemoteMCPServer/kagent/headed",
        "Secret/kagent/token",
        "RemoteMCPServer/other/shared",
        "Namespace//kagent",
        "Secret/other/token",
        "Agent/kagent/gone",
        "Service/kagent/svc",
        "ConfigMap/kagent/prompts",
      ],
    );
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
