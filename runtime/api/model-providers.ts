import * as z from "zod";
import { withRules } from "./cel.ts";
import { Duration } from "./duration.ts";
import { NumericString } from "./numeric-string.ts";
import { PRESERVE } from "./preserved.ts";
import { text } from "./text.ts";
import { KeySelector } from "./value-source.ts";

const OpenAi = withRules(
  z.strictObject({
    baseUrl: z.string().optional(),
    organization: z.string().optional(),
    temperature: NumericString.optional(),
    topP: NumericString.optional(),
    frequencyPenalty: NumericString.optional(),
    presencePenalty: NumericString.optional(),
    seed: z.int().optional(),
    n: z.int().optional(),
    timeout: z.int().describe("Seconds.").optional(),
    maxTokens: z.int().min(1).optional(),
    maxCompletionTokens: z.int().min(1).optional(),
    reasoningEffort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh"]).optional(),
    apiFormat: z.enum(["chatCompletions", "responses"]).default("chatCompletions"),
    tokenExchange: z
      .strictObject({
        type: z.enum(["GDCHServiceAccount"]),
        gdchServiceAccount: z.strictObject({ audience: z.string() }).optional(),
      })
      .describe("Bearer tokens got for apiKeySecret, a service account.")
      .optional(),
  }),
  [
    {
      rule: "!(has(self.maxTokens) && has(self.maxCompletionTokens))",
      message: "only one of maxTokens, maxCompletionTokens may be set",
    },
  ],
);

const Anthropic = z.strictObject({
  baseUrl: z.string().optional(),
  temperature: NumericString.optional(),
  topP: NumericString.optional(),
  maxTokens: z.int().optional(),
  topK: z.int().optional(),
});

const AzureOpenAi = z.strictObject({
  azureEndpoint: z.string(),
  apiVersion: z.string(),
  azureDeployment: z.string().optional(),
  azureAdToken: z.string().optional(),
  temperature: NumericString.optional(),
  maxTokens: z.int().optional(),
  topP: NumericString.optional(),
});

const OllamaTimeouts = z.strictObject({
  connect: Duration.default("5s"),
  firstToken: Duration.default("120s").describe("Loading the model included."),
  idle: Duration.default("60s").describe("Longest pause between tokens."),
});
/** Longest waits for Ollama. */
type OllamaTimeouts = z.output<typeof OllamaTimeouts>;
/** What holds for a ModelConfig without `ollama.timeouts`. */
export const DEFAULT_OLLAMA_TIMEOUTS: OllamaTimeouts = OllamaTimeouts.parse({});

const Ollama = z.strictObject({
  host: z.string().describe("Base URL; a host without scheme gets http://.").optional(),
  options: z
    .record(z.string(), z.string())
    .describe("Runner options as Ollama names them, e.g. num_ctx, temperature.")
    .optional(),
  keepAlive: text(1, 32)
    .regex(
      /^(-?[0-9]+|-?([0-9]+(\.[0-9]+)?(h|m|s|ms))+)$/,
      'must be a duration such as "15m" or seconds such as "-1"',
    )
    .describe("How long the model stays loaded: a duration or seconds, negative for ever.")
    .optional(),
  think: z
    .enum(["true", "false", "low", "medium", "high"])
    .describe("Whether the model may think aloud, or how much.")
    .optional(),
  format: text(1, 65_536)
    .regex(/^(json$|\s*\{)/, 'must be "json" or a JSON Schema')
    .describe("json, or a JSON Schema as text, for answers without tools.")
    .optional(),
  truncate: z
    .boolean()
    .default(false)
    .describe("Let Ollama drop the oldest messages of a prompt that is too long."),
  timeouts: OllamaTimeouts.optional(),
  numCtx: z
    .int()
    .min(1)
    .describe("Context window in tokens; wins over options.num_ctx.")
    .optional(),
});

const VERTEX_FIELDS = {
  projectID: z.string(),
  location: z.string(),
  temperature: NumericString.optional(),
  topP: NumericString.optional(),
  topK: NumericString.optional(),
  stopSequences: z.array(z.string()).optional(),
};

const Gemini = z.strictObject({ maxOutputTokens: z.int().min(1).optional() });

const GeminiVertexAi = z.strictObject({
  ...VERTEX_FIELDS,
  maxOutputTokens: z.int().min(1).optional(),
  candidateCount: z.int().optional(),
  responseMimeType: z.string().optional(),
});

const AnthropicVertexAi = z.strictObject({ ...VERTEX_FIELDS, maxTokens: z.int().optional() });

const Bedrock = z.strictObject({
  region: z.string(),
  additionalModelRequestFields: z
    .unknown()
    .optional()
    .meta({ [PRESERVE]: true })
    .describe("Passed on to the model as it is."),
  promptCaching: z.boolean().default(false),
  cacheTTL: z.enum(["5m", "1h"]).default("5m"),
  readTimeout: z.int().min(1).describe("Seconds.").optional(),
  connectTimeout: z.int().min(1).describe("Seconds.").optional(),
  guardrail: z
    .strictObject({
      identifier: text(1, 2048),
      version: text(1, 8),
      trace: z.enum(["disabled", "enabled", "enabled_full"]).default("disabled"),
    })
    .optional(),
});

const SapAiCore = z.strictObject({
  baseUrl: z.string(),
  resourceGroup: z.string().default("default"),
  authUrl: z.string().optional(),
});

const Foundry = withRules(
  z.strictObject({
    endpoint: z.string().optional(),
    endpointFrom: KeySelector.describe("Key of a ConfigMap that holds the endpoint.").optional(),
    deployment: z.string(),
    apiVersion: z.string().default("2024-10-21"),
  }),
  [
    {
      rule: "!(has(self.endpoint) && size(self.endpoint) > 0 && has(self.endpointFrom))",
      message: "only one of endpoint, endpointFrom may be set",
    },
    {
      rule: "(has(self.endpoint) && size(self.endpoint) > 0) || has(self.endpointFrom)",
      message: "one of endpoint, endpointFrom must be set",
    },
  ],
);

/** Settings of each provider, by the field of a ModelConfig that holds them. */
export const PROVIDER_BLOCKS = {
  openAI: OpenAi,
  anthropic: Anthropic,
  azureOpenAI: AzureOpenAi,
  ollama: Ollama,
  gemini: Gemini,
  geminiVertexAI: GeminiVertexAi,
  anthropicVertexAI: AnthropicVertexAi,
  bedrock: Bedrock,
  sapAICore: SapAiCore,
  foundry: Foundry,
} as const;
