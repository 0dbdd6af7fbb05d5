import * as z from "zod";
import { type AgentConfig, REFUSAL_CATEGORIES } from "../agent-config.ts";

/** 1,000 entries of any list: far above what the CRDs admit; bounds what a broken file costs. */
const MAX_ITEMS = 1_000;

const list = <T extends z.ZodType>(item: T) => z.array(item).max(MAX_ITEMS);
const texts = list(z.string());
const textMap = z.record(z.string(), z.string());
const ref = z.strictObject({ namespace: z.string(), name: z.string() });

const tls = z.strictObject({
  verify: z.boolean(),
  caPem: z.string().exactOptional(),
  systemCas: z.boolean(),
});

const ollama = z.strictObject({
  host: z.string().exactOptional(),
  options: textMap,
  keepAlive: z.string().exactOptional(),
  think: z.union([z.boolean(), z.enum(["low", "medium", "high"])]).exactOptional(),
  format: z.string().exactOptional(),
  numCtx: z.number().exactOptional(),
  truncate: z.boolean(),
  timeouts: z.strictObject({
    connectMs: z.number(),
    firstTokenMs: z.number(),
    idleMs: z.number(),
  }),
});

const number = z.number().exactOptional();

const openAI = z.strictObject({
  baseUrl: z.string().exactOptional(),
  organization: z.string().exactOptional(),
  temperature: number,
  topP: number,
  frequencyPenalty: number,
  presencePenalty: number,
  seed: number,
  n: number,
  timeoutMs: number,
  maxTokens: number,
  maxCompletionTokens: number,
  reasoningEffort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh"]).exactOptional(),
  apiFormat: z.enum(["chatCompletions", "responses"]),
});

const model = z.strictObject({
  ref,
  provider: z.string(),
  model: z.string(),
  contextWindow: number,
  headers: textMap.exactOptional(),
  tls: tls.exactOptional(),
  apiKey: z.string().exactOptional(),
  apiKeyPassthrough: z.boolean().exactOptional(),
  ollama: ollama.exactOptional(),
  openAI: openAI.exactOptional(),
});

const skill = z.strictObject({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  tags: texts,
  examples: texts,
  inputModes: texts.exactOptional(),
  outputModes: texts.exactOptional(),
});

const toolServer = z.strictObject({
  server: z.strictObject({
    ref,
    url: z.string(),
    protocol: z.enum(["STREAMABLE_HTTP", "SSE"]),
    timeoutMs: z.number(),
    sseReadTimeoutMs: z.number(),
    terminateOnClose: z.boolean(),
    headers: textMap,
    tls: tls.exactOptional(),
  }),
  toolNames: texts,
  requireApproval: texts,
  allowedHeaders: texts,
});

const agent = z.strictObject({
  ref,
  description: z.string(),
  url: z.string(),
  isolateSessions: z.boolean(),
  headers: textMap,
});

const routing = z.strictObject({
  rules: list(
    z.strictObject({
      name: z.string(),
      keywords: texts,
      agent: ref,
      readFirst: ref.exactOptional(),
      priority: z.number(),
    }),
  ),
  onNoMatch: z.union([z.enum(["clarify", "model"]), ref]),
  maxDelegates: z.number(),
});

const refusal = z.strictObject({
  name: z.string(),
  match: z.union([
    z.strictObject({ word: z.string() }),
    z.strictObject({ phrase: z.string() }),
    z.strictObject({ category: z.enum(REFUSAL_CATEGORIES) }),
  ]),
  message: z.string(),
});

const limits = z.strictObject({
  maxModelCalls: z.number(),
  maxToolCalls: z.number(),
  maxTokens: number,
  maxDurationMs: z.number(),
  maxParallelTools: z.number(),
  maxDelegations: number,
  repeatedCalls: z.enum(["allow", "refuse"]),
});

const compaction = z.strictObject({
  interval: z.number(),
  overlap: z.number(),
  tokenThreshold: number,
  eventRetention: number,
  summarizer: z.strictObject({ model, prompt: z.string().exactOptional() }).exactOptional(),
});

/** What `runtime.json` may hold. */
export type RuntimeFile = Partial<Omit<AgentConfig, "ref" | "hash">>;

const FIELDS = {
  description: z.string().exactOptional(),
  version: z.string().exactOptional(),
  iconUrl: z.string().exactOptional(),
  documentationUrl: z.string().exactOptional(),
  provider: z.strictObject({ organization: z.string(), url: z.string() }).exactOptional(),
  skills: list(skill).exactOptional(),
  instruction: z.string().exactOptional(),
  model: model.exactOptional(),
  toolServers: list(toolServer).exactOptional(),
  agents: list(agent).exactOptional(),
  stream: z.boolean().exactOptional(),
  routing: routing.exactOptional(),
  refusals: list(refusal).exactOptional(),
  envelope: z.enum(["none", "render"]).exactOptional(),
  limits: limits.exactOptional(),
  toolResultMaxBytes: number,
  retry: z
    .strictObject({
      maxAttempts: z.number(),
      initialDelayMs: z.number(),
      maxDelayMs: z.number(),
    })
    .exactOptional(),
  approval: z
    .strictObject({
      mode: z.enum(["listed", "destructive", "all"]),
      timeoutMs: z.number(),
      approvers: texts,
    })
    .exactOptional(),
  compaction: compaction.exactOptional(),
  memory: z.strictObject({ embedding: model, ttlDays: z.number() }).exactOptional(),
  handoffs: list(
    z.strictObject({ when: z.string(), use: agent, wait: z.boolean() }),
  ).exactOptional(),
  responseSchema: z.record(z.string(), z.unknown()).exactOptional(),
  access: z.strictObject({ users: texts, groups: texts }).exactOptional(),
  allowedDomains: texts.exactOptional(),
} satisfies Readonly<Record<keyof RuntimeFile, z.ZodType>>;

/**
 * Fields of an AgentConfig of which `config.json` and the card say nothing, or something else; each one here stands in
 * the place of theirs.
 */
export const RuntimeFile: z.ZodType<RuntimeFile> = z.strictObject(FIELDS);
