import type { ModelSettings, OllamaSettings } from "../api/agent-config.ts";
import { toMs } from "../api/duration.ts";
import { DEFAULT_OLLAMA_TIMEOUTS } from "../api/model-providers.ts";
import { DEFAULT_NAMESPACE } from "../api/names.ts";
import type { ModelConfig } from "../api/objects.ts";

/** A ModelConfig as workers use it. */
export function resolveModel(object: ModelConfig): ModelSettings {
  const { metadata, spec } = object;
  const ref = { namespace: metadata.namespace ?? DEFAULT_NAMESPACE, name: metadata.name };
  const ollama = spec.provider === "Ollama" ? ollamaSettings(spec) : undefined;
  const contextWindow = spec.contextWindow ?? contextOf(ollama);
  return {
    ref,
    provider: spec.provider,
    model: spec.model,
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(ollama === undefined ? {} : { ollama }),
  };
}

/** num_ctx sizes the prompt; where it is unset the context window of the ModelConfig does (kagent-api 1.5). */
function ollamaSettings(spec: ModelConfig["spec"]): OllamaSettings {
  const {
    host,
    options = {},
    keepAlive,
    think,
    format,
    truncate,
    timeouts,
    numCtx,
  } = spec.ollama ?? {
    truncate: false,
  };
  const limits = timeouts ?? DEFAULT_OLLAMA_TIMEOUTS;
  const context = numCtx ?? (options["num_ctx"] === undefined ? spec.contextWindow : undefined);
  return {
    options,
    truncate,
    timeouts: {
      connectMs: toMs(limits.connect),
      firstTokenMs: toMs(limits.firstToken),
      idleMs: toMs(limits.idle),
    },
    ...(host === undefined ? {} : { host }),
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
