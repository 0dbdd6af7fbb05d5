import type { ModelSettings, OllamaSettings, OpenAiSettings } from "../api/agent-config.ts";
import type { Checked } from "../api/checked.ts";
import { toMs } from "../api/duration.ts";
import { DEFAULT_OLLAMA_TIMEOUTS } from "../api/model-providers.ts";
import { toNumber } from "../api/numeric-string.ts";
import type { ModelConfig } from "../api/objects.ts";
import { refOf } from "../api/rules/object-set.ts";
import type { AgentReferences } from "./resolve-references.ts";
import { Resolution } from "./resolve-values.ts";

type Spec = ModelConfig["spec"];

/** Providers that workers can call. */
const SERVED: readonly string[] = ["Ollama", "OpenAI"];

/**
 * A ModelConfig as workers use it, Secrets resolved. Every field of the spec is in the settings or is a violation.
 *
 * Without its block Ollama is looked for where the worker's environment says.
 *
 * @returns The settings, or every violation by its path in the ModelConfig.
 */
export function resolveModel(
  object: ModelConfig,
  references: AgentReferences,
): Checked<ModelSettings> {
  const { spec } = object;
  const ref = refOf(object);
  const resolution = new Resolution(references, ref.namespace);
  if (!SERVED.includes(spec.provider))
    resolution.problem(
      "spec.provider",
      `${spec.provider} is not served by this platform; use ${SERVED.join(" or ")}`,
    );
  if (spec.openAI?.tokenExchange !== undefined)
    resolution.problem(
      "spec.openAI.tokenExchange",
      "is not served by this platform; use apiKeySecret without it, or apiKeyPassthrough",
    );
  const apiKey = keyOf(resolution, spec);
  const ollama = spec.provider === "Ollama" ? ollamaSettings(spec) : undefined;
  const contextWindow = spec.contextWindow ?? contextOf(ollama);
  return resolution.checked({
    ref,
    provider: spec.provider,
    model: spec.model,
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(spec.defaultHeaders === undefined ? {} : { headers: lowerCase(spec.defaultHeaders) }),
    ...resolution.tls(spec.tls, "spec.tls"),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(spec.apiKeyPassthrough === undefined ? {} : { apiKeyPassthrough: spec.apiKeyPassthrough }),
    ...(ollama === undefined ? {} : { ollama }),
    ...(spec.provider === "OpenAI" ? { openAI: openAiSettings(spec) } : {}),
  });
}

/** Providers that are not served take other keys, which nobody looks for. */
function keyOf(resolution: Resolution, spec: Spec): string | undefined {
  const { apiKeySecret: name, apiKeySecretKey: key, provider } = spec;
  if (!SERVED.includes(provider) || name === undefined || name === "") return undefined;
  return resolution.value({ type: "Secret", name, key: key ?? "" }, "spec.apiKeySecret");
}

function openAiSettings({ openAI }: Spec): OpenAiSettings {
  if (openAI === undefined) return { apiFormat: "chatCompletions" };
  const { tokenExchange: _, apiFormat, timeout, baseUrl, organization, ...fields } = openAI;
  const { temperature, topP, frequencyPenalty, presencePenalty, ...numbers } = fields;
  return {
    ...present({
      baseUrl: baseUrl === "" ? undefined : baseUrl,
      organization: organization === "" ? undefined : organization,
      temperature: toNumber(temperature),
      topP: toNumber(topP),
      frequencyPenalty: toNumber(frequencyPenalty),
      presencePenalty: toNumber(presencePenalty),
      timeoutMs: timeout === undefined ? undefined : timeout * 1_000,
      ...numbers,
    }),
    apiFormat,
  };
}

/** The fields that are set. */
function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function lowerCase(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

/** num_ctx sizes the prompt; where it is unset the context window of the ModelConfig does (kagent-api 1.5). */
function ollamaSettings(spec: Spec): OllamaSettings {
  const {
    host,
    options = {},
    keepAlive,
    think,
    format,
    truncate,
    timeouts = DEFAULT_OLLAMA_TIMEOUTS,
    numCtx,
  } = spec.ollama ?? { truncate: false };
  const context = numCtx ?? (options["num_ctx"] === undefined ? spec.contextWindow : undefined);
  return {
    options,
    truncate,
    timeouts: {
      connectMs: toMs(timeouts.connect),
      firstTokenMs: toMs(timeouts.firstToken),
      idleMs: toMs(timeouts.idle),
    },
    ...(host === undefined || host === "" ? {} : { host }),
    ...(keepAlive === undefined ? {} : { keepAlive }),
    ...(think === undefined ? {} : { think: thinking(think) }),
    ...(format === undefined ? {} : { format }),
    ...(context === undefined ? {} : { numCtx: context }),
  };
}

function thinking(think: string): NonNullable<OllamaSettings["think"]> {
  if (think === "low" || think === "medium" || think === "high") return think;
  return think === "true";
}

function contextOf(ollama: OllamaSettings | undefined): number | undefined {
  const text = ollama?.options["num_ctx"];
  const option = text === undefined ? Number.NaN : Number(text);
  return ollama?.numCtx ?? (Number.isInteger(option) ? option : undefined);
}
