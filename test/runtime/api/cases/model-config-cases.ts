import { type ObjectCase, refuses, takes } from "./object-case.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A ModelConfig with this spec. */
function modelConfig(spec: Fields): Fields {
  return {
    apiVersion: "kagent.dev/v1alpha2",
    kind: "ModelConfig",
    metadata: { name: "sample" },
    spec: { model: "m", ...spec },
  };
}

/** For each provider its block, with no more than it needs. */
const BLOCKS: Readonly<Record<string, readonly [block: string, fields: Fields]>> = {
  OpenAI: ["openAI", {}],
  Anthropic: ["anthropic", {}],
  AzureOpenAI: ["azureOpenAI", { azureEndpoint: "https://a", apiVersion: "1" }],
  Ollama: ["ollama", {}],
  Gemini: ["gemini", {}],
  GeminiVertexAI: ["geminiVertexAI", { projectID: "p", location: "l" }],
  AnthropicVertexAI: ["anthropicVertexAI", { projectID: "p", location: "l" }],
  Bedrock: ["bedrock", { region: "r" }],
  SAPAICore: ["sapAICore", { baseUrl: "https://a" }],
  Foundry: ["foundry", { endpoint: "https://a", deployment: "d" }],
};

const openAI = (fields: Fields, spec: Fields = {}): Fields =>
  modelConfig({ openAI: fields, ...spec });
const ollama = (fields: Fields): Fields => modelConfig({ provider: "Ollama", ollama: fields });
const bedrock = (fields: Fields): Fields =>
  modelConfig({ provider: "Bedrock", bedrock: { region: "r", ...fields } });
const foundry = (fields: Fields): Fields =>
  modelConfig({ provider: "Foundry", foundry: { deployment: "d", ...fields } });
const tls = (fields: Fields): Fields => modelConfig({ tls: fields });
const KEY = { apiKeySecret: "s", apiKeySecretKey: "k" };
const EXCHANGE = {
  tokenExchange: { type: "GDCHServiceAccount", gdchServiceAccount: { audience: "a" } },
};

const PROVIDERS: readonly ObjectCase[] = Object.entries(BLOCKS).flatMap(
  ([provider, [block, fields]]) => [
    takes(`${block} with ${provider}`, modelConfig({ provider, [block]: fields })),
    refuses(
      `${block} with another provider`,
      modelConfig({ provider: provider === "OpenAI" ? "Ollama" : "OpenAI", [block]: fields }),
      "spec",
      new RegExp(`^${block} needs provider ${provider}$`),
    ),
    ...Object.keys(fields)
      .filter((field) => field !== "endpoint")
      .map((field) =>
        refuses(
          `${block} without ${field}`,
          modelConfig({ provider, [block]: { ...fields, [field]: undefined } }),
          `spec.${block}.${field}`,
          /^is required$/,
        ),
      ),
  ],
);

const SPEC: readonly ObjectCase[] = [
  takes("a model of OpenAI by default", modelConfig({})),
  refuses(
    "a config without model",
    modelConfig({ model: undefined }),
    "spec.model",
    /^is required$/,
  ),
  refuses(
    "a provider that is none",
    modelConfig({ provider: "Olama" }),
    "spec.provider",
    /; did you mean "Ollama"\?$/,
  ),
  takes("headers and a window", modelConfig({ defaultHeaders: { "x-a": "b" }, contextWindow: 1 })),
  refuses(
    "a window of nothing",
    modelConfig({ contextWindow: 0 }),
    "spec.contextWindow",
    /^must be at least 1, is 0$/,
  ),
  takes("a key", modelConfig(KEY)),
  takes(
    "an empty key with passthrough",
    modelConfig({ apiKeyPassthrough: true, apiKeySecret: "", apiKeySecretKey: "" }),
  ),
  takes("Bedrock's Secret without key", modelConfig({ provider: "Bedrock", apiKeySecret: "s" })),
  takes("SAP's Secret without key", modelConfig({ provider: "SAPAICore", apiKeySecret: "s" })),
  refuses(
    "a key without Secret",
    modelConfig({ apiKeySecretKey: "k" }),
    "spec",
    /^apiKeySecretKey needs apiKeySecret$/,
  ),
  refuses(
    "a Secret without key",
    modelConfig({ apiKeySecret: "s" }),
    "spec",
    /^apiKeySecret needs apiKeySecretKey, except/,
  ),
  refuses(
    "a key beside passthrough",
    modelConfig({ ...KEY, apiKeyPassthrough: true }),
    "spec",
    /^only one of apiKeyPassthrough, apiKeySecret may be set$/,
  ),
  ...["Gemini", "GeminiVertexAI", "AnthropicVertexAI"].map((provider) =>
    refuses(
      `passthrough with ${provider}`,
      modelConfig({ provider, apiKeyPassthrough: true }),
      "spec",
      /^apiKeyPassthrough does not work with/,
    ),
  ),
  takes("token exchange", openAI(EXCHANGE, KEY)),
  refuses(
    "token exchange without Secret",
    openAI(EXCHANGE),
    "spec",
    /^openAI.tokenExchange needs apiKeySecret/,
  ),
  refuses(
    "token exchange beside passthrough",
    openAI(EXCHANGE, { apiKeySecret: "", apiKeySecretKey: "", apiKeyPassthrough: true }),
    ["spec", "spec"],
    /^openAI.tokenExchange needs apiKeySecret/,
  ),
  refuses(
    "token exchange without its block",
    openAI({ tokenExchange: { type: "GDCHServiceAccount" } }, KEY),
    "spec",
    /^openAI.tokenExchange of type GDCHServiceAccount needs gdchServiceAccount$/,
  ),
  refuses(
    "token exchange of another type",
    openAI({ tokenExchange: { type: "X" } }, KEY),
    "spec.openAI.tokenExchange.type",
    /^must be "GDCHServiceAccount"$/,
  ),
  refuses(
    "token exchange for nobody",
    openAI({ tokenExchange: { type: "GDCHServiceAccount", gdchServiceAccount: {} } }, KEY),
    "spec.openAI.tokenExchange.gdchServiceAccount.audience",
    /^is required$/,
  ),
];

const FIELDS: readonly ObjectCase[] = [
  takes(
    "every figure of OpenAI",
    openAI({
      baseUrl: "https://a",
      organization: "o",
      temperature: "0.1",
      topP: "1",
      frequencyPenalty: "-2",
      presencePenalty: "1e-3",
      seed: -1,
      n: 1,
      timeout: 60,
      maxTokens: 1,
      reasoningEffort: "xhigh",
      apiFormat: "responses",
    }),
  ),
  takes("numbers that forms leave empty", openAI({ temperature: "", topP: "" })),
  refuses(
    "two bounds of tokens",
    openAI({ maxTokens: 1, maxCompletionTokens: 1 }),
    "spec.openAI",
    /^only one of maxTokens, maxCompletionTokens may be set$/,
  ),
  refuses(
    "no token",
    openAI({ maxTokens: 0 }),
    "spec.openAI.maxTokens",
    /^must be at least 1, is 0$/,
  ),
  refuses(
    "no token of completion",
    openAI({ maxCompletionTokens: 0 }),
    "spec.openAI.maxCompletionTokens",
    /^must be at least 1, is 0$/,
  ),
  refuses(
    "an effort that is none",
    openAI({ reasoningEffort: "max" }),
    "spec.openAI.reasoningEffort",
    /^must be "none", "minimal", "low", "medium", "high" or "xhigh"$/,
  ),
  refuses(
    "a format that is none",
    openAI({ apiFormat: "chat" }),
    "spec.openAI.apiFormat",
    /^must be "chatCompletions" or "responses"$/,
  ),
  refuses(
    "a temperature without quotes",
    openAI({ temperature: 0.1 }),
    "spec.openAI.temperature",
    /^must be a string, is a number \(put it in quotes\)$/,
  ),
  ...["warm", "0,7", "1 ", "0x1", "."].map((temperature) =>
    refuses(
      `${JSON.stringify(temperature)} as a temperature`,
      openAI({ temperature }),
      "spec.openAI.temperature",
      /^must be a number written as a string/,
    ),
  ),
  takes(
    "every field of Ollama",
    ollama({
      host: "http://ollama:11434",
      options: { num_ctx: "16384", temperature: "0.1" },
      keepAlive: "15m",
      think: "high",
      format: "json",
      truncate: true,
      timeouts: { connect: "1s", firstToken: "5m", idle: "500ms" },
      numCtx: 8192,
    }),
  ),
  takes("time-outs of Ollama by default", ollama({ timeouts: {} })),
  ...["-1", "0", "300", "-5m", "1h30m"].map((keepAlive) =>
    takes(`keepAlive ${keepAlive}`, ollama({ keepAlive })),
  ),
  ...["for ever", "1d", "--1"].map((keepAlive) =>
    refuses(
      `keepAlive ${keepAlive}`,
      ollama({ keepAlive }),
      "spec.ollama.keepAlive",
      /^must be a duration such as "15m" or seconds/,
    ),
  ),
  takes("a schema as format", ollama({ format: '{"type": "object"}' })),
  refuses(
    "a format of text",
    ollama({ format: "yaml" }),
    "spec.ollama.format",
    /^must be "json" or a JSON Schema$/,
  ),
  {
    // The server says it twice: wrong type, and none of the values.
    ...refuses(
      "a thought without quotes",
      ollama({ think: true }),
      "spec.ollama.think",
      /^must be "true", "false", "low", "medium" or "high", is a boolean \(put it in quotes\)$/,
    ),
    server: ["spec.ollama.think", "spec.ollama.think"],
  },
  refuses(
    "an option that is a number",
    ollama({ options: { num_ctx: 8192 } }),
    "spec.ollama.options.num_ctx",
    /^must be a string, is an integer \(put it in quotes\)$/,
  ),
  refuses(
    "a window of nothing in Ollama",
    ollama({ numCtx: 0 }),
    "spec.ollama.numCtx",
    /^must be at least 1, is 0$/,
  ),
  refuses(
    "no token of Gemini",
    modelConfig({ provider: "Gemini", gemini: { maxOutputTokens: 0 } }),
    "spec.gemini.maxOutputTokens",
    /^must be at least 1/,
  ),
  refuses(
    "no token of Gemini on Vertex",
    modelConfig({
      provider: "GeminiVertexAI",
      geminiVertexAI: { projectID: "p", location: "l", maxOutputTokens: 0 },
    }),
    "spec.geminiVertexAI.maxOutputTokens",
    /^must be at least 1/,
  ),
  takes(
    "every field of Bedrock",
    bedrock({
      additionalModelRequestFields: { top_k: 5, list: [null] },
      promptCaching: true,
      cacheTTL: "1h",
      readTimeout: 1,
      connectTimeout: 1,
      guardrail: { identifier: "g", version: "1" },
    }),
  ),
  takes("whatever Bedrock takes", bedrock({ additionalModelRequestFields: [1, "a"] })),
  refuses(
    "another time of caching",
    bedrock({ cacheTTL: "10m" }),
    "spec.bedrock.cacheTTL",
    /^must be "5m" or "1h"$/,
  ),
  refuses(
    "no time to read",
    bedrock({ readTimeout: 0 }),
    "spec.bedrock.readTimeout",
    /^must be at least 1/,
  ),
  refuses(
    "no time to connect",
    bedrock({ connectTimeout: 0 }),
    "spec.bedrock.connectTimeout",
    /^must be at least 1/,
  ),
  refuses(
    "a guardrail without name",
    bedrock({ guardrail: { identifier: "", version: "1" } }),
    "spec.bedrock.guardrail.identifier",
    /^must not be empty$/,
  ),
  refuses(
    "a long name of a guardrail",
    bedrock({ guardrail: { identifier: "a".repeat(2049), version: "1" } }),
    "spec.bedrock.guardrail.identifier",
    /^must have at most 2048 characters, has 2049$/,
  ),
  refuses(
    "a long version of a guardrail",
    bedrock({ guardrail: { identifier: "a", version: "123456789" } }),
    "spec.bedrock.guardrail.version",
    /^must have at most 8 characters, has 9$/,
  ),
  refuses(
    "a trace that is none",
    bedrock({ guardrail: { identifier: "a", version: "1", trace: "full" } }),
    "spec.bedrock.guardrail.trace",
    /^must be "disabled", "enabled" or "enabled_full"$/,
  ),
  takes(
    "an endpoint from a ConfigMap",
    foundry({ endpoint: "", endpointFrom: { name: "c", key: "k", optional: true } }),
  ),
  refuses(
    "two endpoints",
    foundry({ endpoint: "https://a", endpointFrom: { key: "k" } }),
    "spec.foundry",
    /^only one of endpoint, endpointFrom may be set$/,
  ),
  refuses(
    "no endpoint",
    foundry({}),
    "spec.foundry",
    /^one of endpoint, endpointFrom must be set$/,
  ),
  refuses(
    "an empty endpoint",
    foundry({ endpoint: "" }),
    "spec.foundry",
    /^one of endpoint, endpointFrom must be set$/,
  ),
];

const TLS: readonly ObjectCase[] = [
  takes("TLS by default", tls({})),
  takes(
    "an authority",
    tls({ caCertSecretRef: "s", caCertSecretKey: "k", disableSystemCAs: true }),
  ),
  takes("no authority and no check", tls({ disableVerify: true, disableSystemCAs: true })),
  refuses(
    "a key without reference",
    tls({ caCertSecretKey: "k" }),
    "spec.tls",
    /^caCertSecretKey needs caCertSecretRef$/,
  ),
  refuses(
    "a reference without key",
    tls({ caCertSecretRef: "s", caCertSecretKey: "" }),
    "spec.tls",
    /^caCertSecretRef needs caCertSecretKey$/,
  ),
  refuses(
    "trust in nobody",
    tls({ disableSystemCAs: true }),
    "spec.tls",
    /^disableSystemCAs without caCertSecretRef or disableVerify would trust nobody$/,
  ),
];

/** Each bound and each rule of a ModelConfig, from both sides. */
export const MODEL_CONFIG_CASES: readonly ObjectCase[] = [...PROVIDERS, ...SPEC, ...FIELDS, ...TLS];
