import assert from "node:assert/strict";
import { describe, it } from "mocha";
import * as z from "zod";
import { customResourceDefinitions, toStructuralSchema } from "../../../runtime/api/crd.ts";

/** What the annotation of `kubectl apply` holds (decisions 2). */
const MAX_BYTES = 262_144;

type Json = Readonly<Record<string, unknown>>;

const CRDS = customResourceDefinitions();

/** What stands at a path such as `spec.names.kind` of the CRD of `kind`. */
function at(kind: string, path: string): unknown {
  const crd = CRDS.find((definition) => get(definition, "spec.names.kind") === kind);
  return get(crd, path);
}

function get(node: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (value as Json | undefined)?.[key], node);
}

/** Schema of a field of `spec` or `status`, `tools[]` being an item of tools. */
function schemaAt(kind: string, path: string): Json {
  let node = at(kind, "spec.versions.0.schema.openAPIV3Schema") as Json;
  for (const part of path.split(".")) {
    const name = part.replace("[]", "");
    node = get(node, `properties.${name}`) as Json;
    if (part.endsWith("[]")) node = node["items"] as Json;
  }
  return node;
}

function rulesAt(kind: string, path: string): readonly string[] {
  const rules = schemaAt(kind, path)["x-kubernetes-validations"] as readonly { rule: string }[];
  return rules.map(({ rule }) => rule);
}

/** Every object in a CRD, however deep. */
function nodes(value: unknown): readonly Json[] {
  if (typeof value !== "object" || value === null) return [];
  const here = Array.isArray(value) ? [] : [value as Json];
  return [...here, ...Object.values(value).flatMap(nodes)];
}

/** Rules of kagent-api.md sections 1.1 to 1.4, to the letter. */
const ONE_VALUE = [
  "(has(self.value) && !has(self.valueFrom)) || (!has(self.value) && has(self.valueFrom))",
];
const ONE_ACCOUNT = ["!(has(self.serviceAccountName) && has(self.serviceAccountConfig))"];
const SELECTOR = ["!(self.from == 'Selector' && !has(self.selector))"];
const TLS = [
  "!(has(self.caCertSecretKey) && size(self.caCertSecretKey) > 0 && (!has(self.caCertSecretRef) || size(self.caCertSecretRef) == 0))",
  "!(has(self.caCertSecretRef) && size(self.caCertSecretRef) > 0 && (!has(self.caCertSecretKey) || size(self.caCertSecretKey) == 0))",
  "!(has(self.disableSystemCAs) && self.disableSystemCAs && (!has(self.disableVerify) || !self.disableVerify) && (!has(self.caCertSecretRef) || size(self.caCertSecretRef) == 0))",
];

const RULES: readonly (readonly [kind: string, path: string, rules: readonly string[]])[] = [
  [
    "Agent",
    "spec",
    [
      "has(self.type)",
      "self.type == 'Declarative' || self.type == 'BYO'",
      "(self.type == 'Declarative' && has(self.declarative)) || (self.type == 'BYO' && has(self.byo))",
    ],
  ],
  ["Agent", "spec.allowedNamespaces", SELECTOR],
  ["Agent", "spec.declarative", ["!has(self.systemMessage) || !has(self.systemMessageFrom)"]],
  ["Agent", "spec.declarative.deployment", ONE_ACCOUNT],
  ["Agent", "spec.byo.deployment", ONE_ACCOUNT],
  [
    "Agent",
    "spec.declarative.tools[]",
    [
      "!(has(self.mcpServer) && self.type != 'McpServer')",
      "!(!has(self.mcpServer) && self.type == 'McpServer')",
      "!(has(self.agent) && self.type != 'Agent')",
      "!(!has(self.agent) && self.type == 'Agent')",
      "!(has(self.isolateSessions) && self.type != 'Agent')",
    ],
  ],
  [
    "Agent",
    "spec.declarative.tools[].mcpServer",
    [
      "!has(self.requireApproval) || self.requireApproval.all(x, has(self.toolNames) && x in self.toolNames)",
    ],
  ],
  ["Agent", "spec.declarative.tools[].headersFrom[]", ONE_VALUE],
  [
    "ModelConfig",
    "spec",
    [
      "!(has(self.anthropic) && self.provider != 'Anthropic')",
      "!(has(self.openAI) && self.provider != 'OpenAI')",
      "!(has(self.azureOpenAI) && self.provider != 'AzureOpenAI')",
      "!(has(self.ollama) && self.provider != 'Ollama')",
      "!(has(self.gemini) && self.provider != 'Gemini')",
      "!(has(self.geminiVertexAI) && self.provider != 'GeminiVertexAI')",
      "!(has(self.anthropicVertexAI) && self.provider != 'AnthropicVertexAI')",
      "!(has(self.bedrock) && self.provider != 'Bedrock')",
      "!(has(self.sapAICore) && self.provider != 'SAPAICore')",
      "!(has(self.foundry) && self.provider != 'Foundry')",
      "!(has(self.apiKeySecretKey) && !has(self.apiKeySecret))",
      "!(has(self.apiKeySecret) && !has(self.apiKeySecretKey) && self.provider != 'Bedrock' && self.provider != 'SAPAICore')",
      "!(has(self.apiKeyPassthrough) && self.apiKeyPassthrough && has(self.apiKeySecret) && size(self.apiKeySecret) > 0)",
      "!(has(self.apiKeyPassthrough) && self.apiKeyPassthrough && (self.provider == 'Gemini' || self.provider == 'GeminiVertexAI' || self.provider == 'AnthropicVertexAI'))",
      "!(has(self.openAI) && has(self.openAI.tokenExchange) && (!has(self.apiKeySecret) || size(self.apiKeySecret) == 0))",
      "!(has(self.openAI) && has(self.openAI.tokenExchange) && has(self.apiKeyPassthrough) && self.apiKeyPassthrough)",
      "!(has(self.openAI) && has(self.openAI.tokenExchange) && self.openAI.tokenExchange.type == 'GDCHServiceAccount' && !has(self.openAI.tokenExchange.gdchServiceAccount))",
    ],
  ],
  ["ModelConfig", "spec.openAI", ["!(has(self.maxTokens) && has(self.maxCompletionTokens))"]],
  [
    "ModelConfig",
    "spec.foundry",
    [
      "!(has(self.endpoint) && size(self.endpoint) > 0 && has(self.endpointFrom))",
      "(has(self.endpoint) && size(self.endpoint) > 0) || has(self.endpointFrom)",
    ],
  ],
  ["ModelConfig", "spec.tls", TLS],
  [
    "RemoteMCPServer",
    "spec",
    [
      "!self.url.startsWith('http://') || !has(self.tls)",
      "!(has(self.allowedNamespaces) && has(self.allowedNamespaces.from) && (self.allowedNamespaces.from == 'All' || self.allowedNamespaces.from == 'Selector') && has(self.tls) && has(self.tls.caCertSecretRef) && size(self.tls.caCertSecretRef) > 0)",
    ],
  ],
  ["RemoteMCPServer", "spec.allowedNamespaces", SELECTOR],
  ["RemoteMCPServer", "spec.headersFrom[]", ONE_VALUE],
  ["RemoteMCPServer", "spec.tls", TLS],
  [
    "ModelProviderConfig",
    "spec",
    [
      "!has(self.endpoint) || size(self.endpoint) == 0 || self.endpoint.startsWith('http://') || self.endpoint.startsWith('https://')",
      "self.type == 'Ollama' || (has(self.secretRef) && has(self.secretRef.name) && size(self.secretRef.name) > 0)",
    ],
  ],
];

/** Columns that are no strings. */
const COLUMN_TYPES: Readonly<Record<string, string>> = { Models: "integer", Age: "date" };

describe("runtime/api/crd customResourceDefinitions", () => {
  for (const [kind, path, rules] of RULES) {
    it(`has kagent's rules at ${path} of ${kind}, to the letter`, () => {
      assert.deepEqual(rulesAt(kind, path), rules);
    });
  }

  it("has one rule of ours beside those of kagent", () => {
    const all = nodes(CRDS).flatMap((node) => (node["x-kubernetes-validations"] ?? []) as Json[]);
    const known = new Set<unknown>(RULES.flatMap(([, , rules]) => rules));
    assert.deepEqual(
      all.filter(({ rule }) => !known.has(rule)).map(({ message }) => message),
      ["exactly one of word, phrase, category must be set"],
    );
    for (const { message } of all) assert.match(String(message), /^[^\n]+$/);
  });

  it("names the kinds as kagent does", () => {
    assert.deepEqual(
      CRDS.map((crd) => [
        get(crd, "metadata.name"),
        get(crd, "spec.scope"),
        get(crd, "spec.names"),
      ]),
      [
        [
          "agents.kagent.dev",
          "Namespaced",
          {
            kind: "Agent",
            listKind: "AgentList",
            plural: "agents",
            singular: "agent",
            categories: ["kagent"],
          },
        ],
        [
          "modelconfigs.kagent.dev",
          "Namespaced",
          {
            kind: "ModelConfig",
            listKind: "ModelConfigList",
            plural: "modelconfigs",
            singular: "modelconfig",
            shortNames: ["mc"],
            categories: ["kagent"],
          },
        ],
        [
          "remotemcpservers.kagent.dev",
          "Namespaced",
          {
            kind: "RemoteMCPServer",
            listKind: "RemoteMCPServerList",
            plural: "remotemcpservers",
            singular: "remotemcpserver",
            shortNames: ["rmcps"],
            categories: ["kagent"],
          },
        ],
        [
          "modelproviderconfigs.kagent.dev",
          "Namespaced",
          {
            kind: "ModelProviderConfig",
            listKind: "ModelProviderConfigList",
            plural: "modelproviderconfigs",
            singular: "modelproviderconfig",
            shortNames: ["mprov"],
            categories: ["kagent"],
          },
        ],
      ],
    );
  });

  for (const [kind, columns] of [
    [
      "Agent",
      {
        Type: ".spec.type",
        Runtime: ".spec.declarative.runtime",
        Ready: ".status.conditions[?(@.type=='Ready')].status",
        Accepted: ".status.conditions[?(@.type=='Accepted')].status",
      },
    ],
    ["ModelConfig", { Provider: ".spec.provider", Model: ".spec.model" }],
    [
      "RemoteMCPServer",
      {
        Protocol: ".spec.protocol",
        URL: ".spec.url",
        Accepted: ".status.conditions[?(@.type=='Accepted')].status",
      },
    ],
    [
      "ModelProviderConfig",
      {
        Type: ".spec.type",
        Endpoint: ".spec.endpoint",
        Models: ".status.modelCount",
        Ready: ".status.conditions[?(@.type=='Ready')].status",
        Age: ".metadata.creationTimestamp",
      },
    ],
  ] as const) {
    it(`shows the columns of ${kind} in order`, () => {
      const shown = at(kind, "spec.versions.0.additionalPrinterColumns") as readonly Json[];
      assert.deepEqual(
        shown.map(({ name, jsonPath, type }) => [name, jsonPath, type]),
        Object.entries(columns).map(([name, path]) => [name, path, COLUMN_TYPES[name] ?? "string"]),
      );
    });

    it(`has a status of ${kind} of its own`, () => {
      assert.deepEqual(at(kind, "spec.versions.0.subresources"), { status: {} });
      assert.deepEqual(schemaAt(kind, "status.observedGeneration"), {
        type: "integer",
        format: "int64",
      });
      const conditions = schemaAt(kind, "status.conditions");
      assert.equal(conditions["x-kubernetes-list-type"], "map");
      assert.deepEqual(conditions["x-kubernetes-list-map-keys"], ["type"]);
      assert.deepEqual(schemaAt(kind, "status.conditions[]")["required"], [
        "type",
        "status",
        "reason",
        "message",
        "lastTransitionTime",
      ]);
    });

    it(`fits ${kind} into what kubectl apply can hold`, () => {
      const crd = CRDS.find((definition) => get(definition, "spec.names.kind") === kind);
      assert.ok(Buffer.byteLength(JSON.stringify(crd)) < MAX_BYTES);
    });
  }

  it("keeps hashes, tools and models in status", () => {
    assert.deepEqual(schemaAt("ModelProviderConfig", "status.discoveredModels"), {
      type: "array",
      items: { type: "string" },
    });
    assert.deepEqual(schemaAt("ModelProviderConfig", "status.modelCount"), { type: "integer" });
    assert.deepEqual(schemaAt("ModelProviderConfig", "status.lastDiscoveryTime"), {
      type: "string",
      format: "date-time",
    });
    assert.deepEqual(schemaAt("ModelProviderConfig", "status.secretHash"), { type: "string" });
    assert.deepEqual(schemaAt("ModelConfig", "status.secretHash"), { type: "string" });
    assert.deepEqual(schemaAt("RemoteMCPServer", "status.discoveredTools[]"), {
      type: "object",
      properties: { name: { type: "string" }, description: { type: "string" } },
      required: ["name", "description"],
    });
  });

  it("is structural: a type for each node, no unions, no references, no closed objects", () => {
    for (const node of nodes(
      CRDS.map((crd) => get(crd, "spec.versions.0.schema.openAPIV3Schema")),
    )) {
      for (const key of [
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "$ref",
        "$schema",
        "const",
        "propertyNames",
        "exclusiveMinimum",
      ])
        assert.equal(Object.hasOwn(node, key) && typeof node["type"] === "string", false, key);
      assert.notEqual(node["additionalProperties"], false);
      assert.ok(node["additionalProperties"] === undefined || node["properties"] === undefined);
    }
    const text = JSON.stringify(CRDS);
    assert.doesNotMatch(text, /"(anyOf|oneOf|allOf|\$ref)"/);
    assert.doesNotMatch(text, new RegExp(String(Number.MAX_SAFE_INTEGER)));
  });

  it("says defaults, bounds and formats", () => {
    const { default: type, enum: types } = schemaAt("Agent", "spec.type");
    assert.deepEqual([type, types], ["Declarative", ["Declarative", "BYO"]]);
    assert.equal(schemaAt("Agent", "spec.iconUrl")["format"], "uri");
    assert.equal(schemaAt("Agent", "spec.declarative.tools")["maxItems"], 20);
    assert.deepEqual(schemaAt("Agent", "spec.declarative.limits.maxModelCalls"), {
      type: "integer",
      minimum: 1,
      maximum: 1000,
      default: 50,
    });
    const { format, minimum, maximum } = schemaAt("Agent", "spec.byo.deployment.replicas");
    assert.deepEqual([format, minimum, maximum], ["int32", -(2 ** 31), 2 ** 31 - 1]);
    const keyword = schemaAt("Agent", "spec.declarative.routing.rules[].keywords[]");
    assert.deepEqual(keyword, { type: "string", minLength: 2, maxLength: 64 });
    assert.equal(schemaAt("RemoteMCPServer", "spec.timeout")["default"], "30s");
    assert.equal(schemaAt("ModelConfig", "spec.provider")["default"], "OpenAI");
  });

  it("demands only what has no default", () => {
    assert.deepEqual(schemaAt("RemoteMCPServer", "spec")["required"], ["description", "url"]);
    assert.deepEqual(schemaAt("ModelProviderConfig", "spec")["required"], ["type"]);
    assert.equal(schemaAt("Agent", "spec")["required"], undefined);
    assert.deepEqual(schemaAt("Agent", "spec.declarative.handoffs[]")["required"], [
      "when",
      "agent",
    ]);
  });

  it("passes on what Kubernetes itself checks", () => {
    assert.deepEqual(schemaAt("Agent", "spec.byo.deployment.affinity"), {
      type: "object",
      "x-kubernetes-preserve-unknown-fields": true,
    });
    const volume = schemaAt("Agent", "spec.declarative.deployment.volumes[]");
    assert.equal(volume["x-kubernetes-preserve-unknown-fields"], true);
    assert.deepEqual(volume["required"], ["name"]);
    const { additionalProperties } = schemaAt("Agent", "spec.byo.deployment.resources.limits");
    assert.equal((additionalProperties as Json)["x-kubernetes-int-or-string"], true);
    const { type, default: fallback } = schemaAt("Agent", "spec.declarative.routing.onNoMatch");
    assert.deepEqual([type, fallback], [undefined, "clarify"]);
  });

  it("merges rules of routing and refusal by name", () => {
    for (const block of ["routing", "refusal"]) {
      const rules = schemaAt("Agent", `spec.declarative.${block}.rules`);
      assert.deepEqual(rules["x-kubernetes-list-map-keys"], ["name"]);
    }
  });

  it("is the same text each time, and not shared", () => {
    const again = customResourceDefinitions();
    assert.equal(JSON.stringify(again), JSON.stringify(CRDS));
    assert.notEqual(again[0], CRDS[0]);
  });
});

describe("runtime/api/crd toStructuralSchema", () => {
  it("refuses a union that says nothing of its structural form", () => {
    const schema = z.strictObject({ a: z.union([z.string(), z.int()]) });
    assert.throws(() => toStructuralSchema(schema), /union/);
  });

  it("leaves unknown fields to pruning, at every depth", () => {
    const schema = z.strictObject({ a: z.array(z.strictObject({ b: z.looseObject({}) })) });
    assert.doesNotMatch(JSON.stringify(toStructuralSchema(schema)), /additionalProperties/);
  });

  it("keeps fields whose names are words of the schema language", () => {
    const schema = z.strictObject({ items: z.string(), properties: z.string(), anyOf: z.int() });
    assert.deepEqual(toStructuralSchema(schema), {
      type: "object",
      properties: {
        items: { type: "string" },
        properties: { type: "string" },
        anyOf: { type: "integer" },
      },
      required: ["items", "properties", "anyOf"],
    });
  });
});
