import fc from "fast-check";
import {
  type AgentConfig,
  type ModelSettings,
  REFUSAL_CATEGORIES,
} from "../../runtime/api/agent-config.ts";
import { hashed, type UnhashedConfig } from "../../runtime/api/config-hash.ts";

/** Where secrets are: no other text of an arbitrary configuration has this in it. */
export const SECRET_MARK = "s3cret~";

const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/);
const text = fc.string({ unit: "grapheme", maxLength: 20 });
const texts = fc.array(text, { maxLength: 3 });
const count = fc.nat({ max: 100_000_000 });
const share = fc.integer({ min: -200, max: 200 }).map((cents) => cents / 100 + 0); // no -0
const secret = fc.string({ maxLength: 12 }).map((rest) => `${SECRET_MARK}${rest}`);
const key = fc.stringMatching(/^[a-z][-a-z0-9_]{0,8}$/);
const headers = fc.dictionary(key, secret, { maxKeys: 3 });
const options = fc.dictionary(key, text, { maxKeys: 3 });
const ref = fc.record({ namespace: name, name });
const url = fc.oneof(fc.webUrl(), text);

const tls = fc.record(
  { verify: fc.boolean(), caPem: secret, systemCas: fc.boolean() },
  { requiredKeys: ["verify", "systemCas"] },
);

const ollama = fc.record(
  {
    host: text,
    options,
    keepAlive: text,
    think: fc.constantFrom(true, false, "low" as const, "medium" as const, "high" as const),
    format: text,
    numCtx: count,
    truncate: fc.boolean(),
    timeouts: fc.record({ connectMs: count, firstTokenMs: count, idleMs: count }),
  },
  { requiredKeys: ["options", "truncate", "timeouts"] },
);

const openAI = fc.record(
  {
    baseUrl: text,
    organization: text,
    temperature: share,
    topP: share,
    frequencyPenalty: share,
    presencePenalty: share,
    seed: fc.integer().map((seed) => seed + 0),
    n: count,
    timeoutMs: count,
    maxTokens: count,
    maxCompletionTokens: count,
    reasoningEffort: fc.constantFrom("none" as const, "low" as const, "xhigh" as const),
    apiFormat: fc.constantFrom("chatCompletions" as const, "responses" as const),
  },
  { requiredKeys: ["apiFormat"] },
);

const model: fc.Arbitrary<ModelSettings> = fc.record(
  {
    ref: fc.oneof(ref, fc.constant({ namespace: "kagent", name: "default-model-config" })),
    provider: fc.constantFrom("Ollama", "OpenAI", "Anthropic", "somebody"),
    model: text,
    contextWindow: count,
    headers,
    tls,
    apiKey: secret,
    apiKeyPassthrough: fc.boolean(),
    ollama,
    openAI,
  },
  { requiredKeys: ["ref", "provider", "model"] },
);

const toolServer = fc.record({
  server: fc.record(
    {
      ref,
      url,
      protocol: fc.constantFrom("STREAMABLE_HTTP" as const, "SSE" as const),
      timeoutMs: count,
      sseReadTimeoutMs: count,
      terminateOnClose: fc.boolean(),
      headers,
      tls,
    },
    {
      requiredKeys: [
        "ref",
        "url",
        "protocol",
        "timeoutMs",
        "sseReadTimeoutMs",
        "terminateOnClose",
        "headers",
      ],
    },
  ),
  toolNames: texts,
  requireApproval: texts,
  allowedHeaders: texts,
});

const limits = fc.record(
  {
    maxModelCalls: count,
    maxToolCalls: count,
    maxTokens: count,
    maxDurationMs: count,
    maxParallelTools: count,
    maxDelegations: count,
    repeatedCalls: fc.constantFrom("allow" as const, "refuse" as const),
  },
  {
    requiredKeys: [
      "maxModelCalls",
      "maxToolCalls",
      "maxDurationMs",
      "maxParallelTools",
      "repeatedCalls",
    ],
  },
);

const agentToolUse = fc.record({
  ref,
  description: text,
  url,
  isolateSessions: fc.boolean(),
  headers,
});

const skill = fc.record(
  {
    id: text,
    name: text,
    description: text,
    tags: texts,
    examples: texts,
    inputModes: texts,
    outputModes: texts,
  },
  { requiredKeys: ["id", "name", "description", "tags", "examples"] },
);

const compaction = fc.record(
  {
    interval: count,
    overlap: count,
    tokenThreshold: count,
    eventRetention: count,
    summarizer: fc.record({ model, prompt: text }, { requiredKeys: ["model"] }),
  },
  { requiredKeys: ["interval", "overlap"] },
);

const routing = fc.record({
  rules: fc.array(
    fc.record(
      { name: text, keywords: texts, agent: ref, readFirst: ref, priority: count },
      { requiredKeys: ["name", "keywords", "agent", "priority"] },
    ),
    { maxLength: 3 },
  ),
  onNoMatch: fc.oneof(fc.constantFrom("clarify" as const, "model" as const), ref),
  maxDelegates: count,
});

const refusal = fc.record({
  name: text,
  match: fc.oneof(
    fc.record({ word: text }),
    fc.record({ phrase: text }),
    fc.record({ category: fc.constantFrom(...REFUSAL_CATEGORIES) }),
  ),
  message: text,
});

const json = fc
  .jsonValue({ maxDepth: 2 })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll("__proto__", "proto")) as unknown);

/** Any configuration that the types admit. */
export const arbitraryAgentConfig: fc.Arbitrary<AgentConfig> = fc
  .record(
    {
      ref,
      description: text,
      version: text,
      iconUrl: url,
      documentationUrl: url,
      provider: fc.record({ organization: text, url }),
      skills: fc.array(skill, { maxLength: 2 }),
      instruction: text,
      model,
      toolServers: fc.array(toolServer, { maxLength: 3 }),
      agents: fc.array(agentToolUse, { maxLength: 3 }),
      stream: fc.boolean(),
      routing,
      refusals: fc.array(refusal, { maxLength: 2 }),
      envelope: fc.constantFrom("none" as const, "render" as const),
      limits,
      toolResultMaxBytes: count,
      retry: fc.record({ maxAttempts: count, initialDelayMs: count, maxDelayMs: count }),
      approval: fc.record({
        mode: fc.constantFrom("listed" as const, "destructive" as const, "all" as const),
        timeoutMs: count,
        approvers: texts,
      }),
      compaction,
      memory: fc.record({ embedding: model, ttlDays: count }),
      handoffs: fc.array(fc.record({ when: text, use: agentToolUse, wait: fc.boolean() }), {
        maxLength: 2,
      }),
      responseSchema: fc.dictionary(key, json, { maxKeys: 3 }),
      access: fc.record({ users: texts, groups: texts }),
      allowedDomains: texts,
    },
    {
      requiredKeys: [
        "ref",
        "description",
        "version",
        "skills",
        "instruction",
        "model",
        "toolServers",
        "agents",
        "stream",
        "refusals",
        "envelope",
        "limits",
        "toolResultMaxBytes",
        "retry",
        "approval",
        "handoffs",
        "access",
        "allowedDomains",
      ],
    },
  )
  .map((config: UnhashedConfig) => hashed(plain(config)));

/** Without the null prototypes that fast-check gives some objects: comparisons are strict. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
