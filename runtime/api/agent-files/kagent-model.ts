import * as z from "zod";
import type {
  ModelSettings,
  OllamaSettings,
  OpenAiSettings,
  TlsSettings,
} from "../agent-config.ts";
import { toMs } from "../duration.ts";
import { DEFAULT_OLLAMA_TIMEOUTS } from "../model-providers.ts";
import { DEFAULT_MODEL_CONFIG } from "../names.ts";
import { CREDENTIAL_PREFIX } from "./credentials.ts";

/** Providers as kagent's runtimes call them, by the name that a ModelConfig has. */
const TYPES: Readonly<Record<string, string>> = {
  OpenAI: "openai",
  AzureOpenAI: "azure_openai",
  Anthropic: "anthropic",
  GeminiVertexAI: "gemini_vertex_ai",
  AnthropicVertexAI: "gemini_anthropic",
  Ollama: "ollama",
  Gemini: "gemini",
  Bedrock: "bedrock",
  SAPAICore: "sap_ai_core",
  Foundry: "foundry",
};
const PROVIDERS: ReadonlyMap<string, string> = new Map(
  Object.entries(TYPES).map(([provider, type]) => [type, provider]),
);

const textMap = z.record(z.string(), z.string());
const number = z.number().optional();

/** TLS fields, alike for models and tool servers. */
export const KAGENT_TLS = {
  tls_insecure_skip_verify: z.boolean().optional(),
  tls_ca_cert_path: z
    .string()
    .startsWith(CREDENTIAL_PREFIX, `must be ${CREDENTIAL_PREFIX}<id>: files are not followed`)
    .optional(),
  tls_disable_system_cas: z.boolean().optional(),
} as const;

/** A model in `config.json`; fields of providers that are not served are left out. */
export const KagentModel = z.object({
  type: z.string(),
  model: z.string(),
  headers: textMap.optional(),
  ...KAGENT_TLS,
  api_key_passthrough: z.boolean().optional(),
  base_url: z.string().optional(),
  frequency_penalty: number,
  max_tokens: number,
  max_completion_tokens: number,
  n: number,
  presence_penalty: number,
  reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh"]).optional(),
  seed: number,
  temperature: number,
  timeout: number,
  top_p: number,
  api_format: z.enum(["chatCompletions", "responses"]).optional(),
  options: textMap.optional(),
});
type KagentModel = z.output<typeof KagentModel>;

/** An embedding model in `config.json`. */
export const KagentEmbedding = z.object({
  provider: z.string().optional(),
  /** What older versions write for `provider`. */
  type: z.string().optional(),
  model: z.string(),
  base_url: z.string().optional(),
  api_key_passthrough: z.boolean().optional(),
});
type KagentEmbedding = z.output<typeof KagentEmbedding>;

/** kagent's name of a provider; that of a ModelConfig for one that kagent does not know. */
function typeOf(provider: string): string {
  return TYPES[provider] ?? provider;
}

function providerOf(type: string): string {
  return PROVIDERS.get(type) ?? type;
}

/** A model as kagent writes it; keys in kagent's order, `undefined` for those that are left out. */
export function toKagentModel(settings: ModelSettings): object {
  const { provider, model, headers, tls, apiKeyPassthrough, openAI, ollama } = settings;
  return {
    type: typeOf(provider),
    model,
    headers: unlessEmpty(headers),
    ...toKagentTls(tls),
    api_key_passthrough: apiKeyPassthrough === true ? true : undefined,
    ...(provider === "OpenAI" ? openAiKeys(openAI) : {}),
    ...(provider === "Ollama" ? { options: unlessEmpty(ollama?.options) } : {}),
  };
}

/** An embedding model as kagent writes it. */
export function toKagentEmbedding({
  provider,
  model,
  openAI,
  apiKeyPassthrough,
}: ModelSettings): object {
  return {
    provider: typeOf(provider),
    model,
    base_url: openAI?.baseUrl,
    api_key_passthrough: apiKeyPassthrough === true ? true : undefined,
  };
}

/** TLS fields as kagent writes them. */
export function toKagentTls(tls: TlsSettings | undefined): object {
  if (tls === undefined) return {};
  return {
    tls_insecure_skip_verify: !tls.verify,
    tls_ca_cert_path: tls.caPem,
    tls_disable_system_cas: !tls.systemCas,
  };
}

/** What kagent's fields say of a model; what they do not say is as in a ModelConfig that does not say it. */
export function fromKagentModel(file: KagentModel, namespace: string): ModelSettings {
  const provider = providerOf(file.type);
  return {
    ref: { namespace, name: DEFAULT_MODEL_CONFIG },
    provider,
    model: file.model,
    ...(file.headers === undefined ? {} : { headers: file.headers }),
    ...fromKagentTls(file),
    ...(file.api_key_passthrough === true ? { apiKeyPassthrough: true } : {}),
    ...(provider === "OpenAI" ? { openAI: openAiOf(file) } : {}),
    ...(provider === "Ollama" ? { ollama: ollamaOf(file) } : {}),
  };
}

/** What kagent's fields say of an embedding model. */
export function fromKagentEmbedding(file: KagentEmbedding, namespace: string): ModelSettings {
  const { provider, type, ...rest } = file;
  return fromKagentModel({ ...rest, type: typeOf(provider ?? type ?? "openai") }, namespace);
}

/** TLS settings of an upstream, unless the fields say nothing. */
export function fromKagentTls(file: Pick<KagentModel, keyof typeof KAGENT_TLS>): {
  readonly tls?: TlsSettings;
} {
  const {
    tls_insecure_skip_verify: insecure,
    tls_ca_cert_path: ca,
    tls_disable_system_cas: noSystem,
  } = file;
  if (insecure === undefined && ca === undefined && noSystem === undefined) return {};
  return {
    tls: {
      verify: insecure !== true,
      ...(ca === undefined ? {} : { caPem: ca }),
      systemCas: noSystem !== true,
    },
  };
}

function openAiKeys(openAI: OpenAiSettings = { apiFormat: "chatCompletions" }): object {
  return {
    base_url: openAI.baseUrl ?? "",
    frequency_penalty: openAI.frequencyPenalty,
    max_tokens: openAI.maxTokens,
    max_completion_tokens: openAI.maxCompletionTokens,
    n: openAI.n,
    presence_penalty: openAI.presencePenalty,
    reasoning_effort: openAI.reasoningEffort,
    seed: openAI.seed,
    temperature: openAI.temperature,
    timeout: openAI.timeoutMs === undefined ? undefined : openAI.timeoutMs / 1_000,
    top_p: openAI.topP,
    api_format: openAI.apiFormat === "responses" ? "responses" : undefined,
  };
}

function openAiOf(file: KagentModel): OpenAiSettings {
  const { timeout } = file;
  return {
    apiFormat: file.api_format ?? "chatCompletions",
    ...known({
      baseUrl: file.base_url === "" ? undefined : file.base_url,
      temperature: file.temperature,
      topP: file.top_p,
      frequencyPenalty: file.frequency_penalty,
      presencePenalty: file.presence_penalty,
      seed: file.seed,
      n: file.n,
      timeoutMs: timeout === undefined ? undefined : Math.round(timeout * 1_000),
      maxTokens: file.max_tokens,
      maxCompletionTokens: file.max_completion_tokens,
      reasoningEffort: file.reasoning_effort,
    }),
  };
}

/** The fields that are not `undefined`. */
function known<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function ollamaOf(file: KagentModel): OllamaSettings {
  const { connect, firstToken, idle } = DEFAULT_OLLAMA_TIMEOUTS;
  return {
    options: file.options ?? {},
    truncate: false,
    timeouts: { connectMs: toMs(connect), firstTokenMs: toMs(firstToken), idleMs: toMs(idle) },
  };
}

function unlessEmpty<T extends object>(map: T | undefined): T | undefined {
  return map === undefined || Object.keys(map).length === 0 ? undefined : map;
}
