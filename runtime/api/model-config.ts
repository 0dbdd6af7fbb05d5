import * as z from "zod";
import { type Rule, withRules } from "./cel.ts";
import { PROVIDER_BLOCKS } from "./model-providers.ts";
import { Tls } from "./tls.ts";

/** Providers as a ModelConfig spells them, each with the field that holds its settings. */
const BLOCK_OF = {
  Anthropic: "anthropic",
  OpenAI: "openAI",
  AzureOpenAI: "azureOpenAI",
  Ollama: "ollama",
  Gemini: "gemini",
  GeminiVertexAI: "geminiVertexAI",
  AnthropicVertexAI: "anthropicVertexAI",
  Bedrock: "bedrock",
  SAPAICore: "sapAICore",
  Foundry: "foundry",
} as const satisfies Readonly<Record<string, keyof typeof PROVIDER_BLOCKS>>;

/** Who serves a model. */
type ModelProvider = keyof typeof BLOCK_OF;
/** Every provider. */
export const MODEL_PROVIDERS = Object.keys(BLOCK_OF) as ModelProvider[];

const EXCHANGE = "has(self.openAI) && has(self.openAI.tokenExchange)";
const PASSTHROUGH = "has(self.apiKeyPassthrough) && self.apiKeyPassthrough";

const RULES: readonly Rule[] = [
  ...MODEL_PROVIDERS.map((provider) => ({
    rule: `!(has(self.${BLOCK_OF[provider]}) && self.provider != '${provider}')`,
    message: `${BLOCK_OF[provider]} needs provider ${provider}`,
  })),
  {
    rule: "!(has(self.apiKeySecretKey) && !has(self.apiKeySecret))",
    message: "apiKeySecretKey needs apiKeySecret",
  },
  {
    rule: "!(has(self.apiKeySecret) && !has(self.apiKeySecretKey) && self.provider != 'Bedrock' && self.provider != 'SAPAICore')",
    message: "apiKeySecret needs apiKeySecretKey, except with Bedrock and SAPAICore",
  },
  {
    rule: `!(${PASSTHROUGH} && has(self.apiKeySecret) && size(self.apiKeySecret) > 0)`,
    message: "only one of apiKeyPassthrough, apiKeySecret may be set",
  },
  {
    rule: `!(${PASSTHROUGH} && (self.provider == 'Gemini' || self.provider == 'GeminiVertexAI' || self.provider == 'AnthropicVertexAI'))`,
    message: "apiKeyPassthrough does not work with Gemini, GeminiVertexAI and AnthropicVertexAI",
  },
  {
    rule: `!(${EXCHANGE} && (!has(self.apiKeySecret) || size(self.apiKeySecret) == 0))`,
    message: "openAI.tokenExchange needs apiKeySecret with the service account",
  },
  {
    rule: `!(${EXCHANGE} && ${PASSTHROUGH})`,
    message: "only one of openAI.tokenExchange, apiKeyPassthrough may be set",
  },
  {
    rule: `!(${EXCHANGE} && self.openAI.tokenExchange.type == 'GDCHServiceAccount' && !has(self.openAI.tokenExchange.gdchServiceAccount))`,
    message: "openAI.tokenExchange of type GDCHServiceAccount needs gdchServiceAccount",
  },
];

const optionalBlocks = z.strictObject(PROVIDER_BLOCKS).partial().shape;

/** Desired state of a ModelConfig: a model, who serves it and how it is reached. */
export const ModelConfigSpec = withRules(
  z.strictObject({
    model: z.string().describe("Model as the provider spells it."),
    provider: z.enum(MODEL_PROVIDERS).default("OpenAI"),
    apiKeySecret: z.string().describe("Secret of the same namespace.").optional(),
    apiKeySecretKey: z.string().describe("Key of the Secret that holds the API key.").optional(),
    apiKeyPassthrough: z.boolean().describe("Use the caller's bearer token as API key.").optional(),
    defaultHeaders: z
      .record(z.string(), z.string())
      .describe("Headers of every request to the provider.")
      .optional(),
    contextWindow: z
      .int()
      .min(1)
      .describe("Tokens that fit into the model's context; Ollama: num_ctx unless set there.")
      .optional(),
    ...optionalBlocks,
    tls: Tls.optional(),
  }),
  RULES,
);
/** Desired state of a ModelConfig, defaults filled in. */
export type ModelConfigSpec = z.output<typeof ModelConfigSpec>;
