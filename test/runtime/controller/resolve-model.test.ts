import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { ModelSettings } from "../../../runtime/api/agent-config.ts";
import { customResourceDefinitions } from "../../../runtime/api/crd.ts";
import { resolveModel } from "../../../runtime/controller/resolve-model.ts";
import type { AgentReferences } from "../../../runtime/controller/resolve-references.ts";
import { object, written } from "./kagent-objects.ts";

type Fields = Readonly<Record<string, unknown>>;

const PEM = "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n";
const VALUES = new Map([
  ["keys/key", "sk-s3cret"],
  ["ca/crt", PEM],
]);
const none = () => undefined;
const references: AgentReferences = {
  modelConfig: none,
  toolServer: none,
  agent: none,
  service: none,
  namespaceLabels: none,
  agentUrl: () => "",
  value: (namespace, { type, name, key }) =>
    namespace === "kagent" && type === "Secret" ? VALUES.get(`${name}/${key}`) : undefined,
};

const resolve = (spec: Fields) =>
  resolveModel(
    object("ModelConfig", written("ModelConfig", "m", { model: "x", ...spec })),
    references,
  );

function settings(spec: Fields): ModelSettings {
  const checked = resolve(spec);
  assert.ok(checked.ok, JSON.stringify(checked));
  return checked.value;
}

function violations(spec: Fields): readonly string[] {
  const checked = resolve(spec);
  return checked.ok ? [] : checked.violations.map(({ path, message }) => `${path}: ${message}`);
}

/** Every field that goes with Ollama; none has its default. */
const OLLAMA: Fields = {
  provider: "Ollama",
  model: "qwen",
  contextWindow: 4096,
  defaultHeaders: { "X-Team": "a" },
  apiKeySecret: "keys",
  apiKeySecretKey: "key",
  tls: {
    disableVerify: true,
    caCertSecretRef: "ca",
    caCertSecretKey: "crt",
    disableSystemCAs: true,
  },
  ollama: {
    host: "gpu:11434",
    options: { temperature: "0.1" },
    keepAlive: "15m",
    think: "low",
    format: "json",
    truncate: true,
    timeouts: { connect: "1s", firstToken: "2s", idle: "3s" },
    numCtx: 2048,
  },
};
const OPENAI: Fields = {
  provider: "OpenAI",
  model: "gpt-4o",
  apiKeyPassthrough: true,
  openAI: {
    baseUrl: "https://a/v1",
    organization: "org",
    temperature: "0.7",
    topP: "0.9",
    frequencyPenalty: "-0.5",
    presencePenalty: ".5",
    seed: 7,
    n: 2,
    timeout: 60,
    maxTokens: 100,
    reasoningEffort: "low",
    apiFormat: "responses",
  },
};

/** `spec` without the field at `path`; what the field needs beside it goes too. */
function without(spec: Fields, path: readonly string[]): Fields {
  const [first = "", ...rest] = path;
  const { [first]: value, ...others } = spec;
  return rest.length === 0 ? others : { ...others, [first]: without(value as Fields, rest) };
}

/** Paths of the fields in a spec that are no blocks. */
function leaves(fields: Fields, above: readonly string[] = []): readonly (readonly string[])[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    ["openAI", "ollama", "tls", "timeouts"].includes(name)
      ? leaves(value as Fields, [...above, name])
      : [[...above, name]],
  );
}

/** Names in the schema of the CRD at a path. */
function schemaNames(path: readonly string[]): readonly string[] {
  const crd = customResourceDefinitions().find(
    ({ metadata }) => (metadata as { name: string }).name === "modelconfigs.kagent.dev",
  );
  const keys = ["spec", "versions", "0", "schema", "openAPIV3Schema", "properties", "spec"];
  const node = [
    ...keys,
    ...path.flatMap((name) => ["properties", name]),
    "properties",
  ].reduce<unknown>((at, key) => (at as Fields)[key], crd);
  return Object.keys(node as Fields);
}

describe("runtime/controller/resolve-model", () => {
  it("brings every field of Ollama to the worker", () => {
    assert.deepEqual(settings(OLLAMA), {
      ref: { namespace: "kagent", name: "m" },
      provider: "Ollama",
      model: "qwen",
      contextWindow: 4096,
      headers: { "x-team": "a" },
      tls: { verify: false, caPem: PEM, systemCas: false },
      apiKey: "sk-s3cret",
      ollama: {
        host: "gpu:11434",
        options: { temperature: "0.1" },
        keepAlive: "15m",
        think: "low",
        format: "json",
        truncate: true,
        timeouts: { connectMs: 1_000, firstTokenMs: 2_000, idleMs: 3_000 },
        numCtx: 2048,
      },
    });
  });

  it("brings every field of OpenAI to the worker", () => {
    assert.deepEqual(settings(OPENAI), {
      ref: { namespace: "kagent", name: "m" },
      provider: "OpenAI",
      model: "gpt-4o",
      apiKeyPassthrough: true,
      openAI: {
        baseUrl: "https://a/v1",
        organization: "org",
        temperature: 0.7,
        topP: 0.9,
        frequencyPenalty: -0.5,
        presencePenalty: 0.5,
        seed: 7,
        n: 2,
        timeoutMs: 60_000,
        maxTokens: 100,
        reasoningEffort: "low",
        apiFormat: "responses",
      },
    });
    const { maxTokens: _, ...openAI } = OPENAI["openAI"] as Fields;
    const other = settings({ ...OPENAI, openAI: { ...openAI, maxCompletionTokens: 5 } });
    assert.equal(other.openAI?.maxCompletionTokens, 5);
  });

  it("drops no field silently: each one makes a difference or is refused by name", () => {
    for (const spec of [OLLAMA, OPENAI])
      for (const path of leaves(spec)) {
        if (["provider", "apiKeySecret", "caCertSecretRef", "model"].includes(path.at(-1) ?? ""))
          continue;
        const fewer = without(spec, path);
        const paired = path.at(-1) === "apiKeySecretKey" ? without(fewer, ["apiKeySecret"]) : fewer;
        const rest =
          path.at(-1) === "caCertSecretKey" ? without(paired, ["tls", "caCertSecretRef"]) : paired;
        assert.notDeepEqual(settings(rest), settings(spec), path.join("."));
      }
    const seen = new Set([...leaves(OLLAMA), ...leaves(OPENAI)].map((path) => path.join(".")));
    const blocks = ["openAI", "ollama", "tls"];
    const refused = [
      ...["anthropic", "azureOpenAI", "gemini", "geminiVertexAI", "anthropicVertexAI"],
      ...["bedrock", "sapAICore", "foundry", "openAI.tokenExchange", "openAI.maxCompletionTokens"],
    ];
    const all = [
      ...schemaNames([]),
      ...blocks.flatMap((block) => schemaNames([block]).map((name) => `${block}.${name}`)),
    ];
    assert.deepEqual(
      all
        .filter((name) => !seen.has(name) && !blocks.includes(name) && name !== "ollama.timeouts")
        .sort(),
      refused.sort(),
    );
  });

  for (const [provider, more] of [
    ["Anthropic", {}],
    ["AzureOpenAI", { azureOpenAI: { azureEndpoint: "a", apiVersion: "b" } }],
    ["Gemini", {}],
    ["GeminiVertexAI", { geminiVertexAI: { projectID: "a", location: "b" } }],
    ["AnthropicVertexAI", { anthropicVertexAI: { projectID: "a", location: "b" } }],
    ["Bedrock", { bedrock: { region: "a" }, apiKeySecret: "aws" }],
    ["SAPAICore", { sapAICore: { baseUrl: "a" }, apiKeySecret: "sap" }],
    ["Foundry", { foundry: { endpoint: "a", deployment: "b" } }],
  ] as const) {
    it(`refuses ${provider} by name, and says nothing more of it`, () => {
      assert.deepEqual(violations({ provider, ...more }), [
        `spec.provider: ${provider} is not served by this platform; use Ollama or OpenAI`,
      ]);
    });
  }

  it("refuses what is missing and what is not served, all at once and without values", () => {
    const openAI = {
      tokenExchange: { type: "GDCHServiceAccount", gdchServiceAccount: { audience: "a" } },
    };
    const tls = { caCertSecretRef: "keys", caCertSecretKey: "key" };
    assert.deepEqual(violations({ openAI, tls, apiKeySecret: "keys", apiKeySecretKey: "gone" }), [
      "spec.openAI.tokenExchange: is not served by this platform; use apiKeySecret without it, or apiKeyPassthrough",
      "spec.apiKeySecret: Secret kagent/keys has no key gone",
      "spec.tls.caCertSecretRef: Secret kagent/keys has no certificate in key key",
    ]);
  });

  it("has settings for OpenAI and Ollama without their blocks", () => {
    assert.deepEqual(settings({}).openAI, { apiFormat: "chatCompletions" });
    assert.deepEqual(settings({ provider: "Ollama" }).ollama, {
      options: {},
      truncate: false,
      timeouts: { connectMs: 5_000, firstTokenMs: 120_000, idleMs: 60_000 },
    });
  });

  it("sizes prompts by num_ctx, and num_ctx by the context window", () => {
    const sized = (spec: Fields) => {
      const { contextWindow, ollama } = settings({ provider: "Ollama", ...spec });
      return [contextWindow, ollama?.numCtx];
    };
    assert.deepEqual(sized({ contextWindow: 9 }), [9, 9]);
    assert.deepEqual(sized({ contextWindow: 9, ollama: { numCtx: 5 } }), [9, 5]);
    assert.deepEqual(sized({ ollama: { options: { num_ctx: "7" } } }), [7, undefined]);
    assert.deepEqual(sized({ contextWindow: 9, ollama: { options: { num_ctx: "7" } } }), [
      9,
      undefined,
    ]);
  });

  it("takes empty texts for absent ones, as forms write them", () => {
    const { openAI, apiKey } = settings({
      apiKeySecret: "",
      apiKeySecretKey: "",
      openAI: { baseUrl: "", temperature: "" },
    });
    assert.deepEqual([openAI, apiKey], [{ apiFormat: "chatCompletions" }, undefined]);
    assert.equal(settings({ provider: "Ollama", ollama: { host: "" } }).ollama?.host, undefined);
  });
});
