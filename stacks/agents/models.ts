import { API_VERSION } from "../../runtime/api/names.ts";
import type { ModelConfigInput } from "../../runtime/api/objects.ts";
import type { DefinitionSettings } from "./settings.ts";

interface Model {
  readonly name: string;
  readonly model: string;
  /** Tokens of context; K of context sizes is 1024. */
  readonly contextWindow: number;
  /** Most tokens of one answer. */
  readonly maxOutput: number;
}

/** The models of the platform; agents and warmer share these options, so that none reloads the other's. */
const MODELS: readonly Model[] = [
  {
    name: "default-model-config",
    model: "qwen2.5:72b",
    contextWindow: 16 * 1024,
    maxOutput: 4096,
  },
  {
    name: "fast-model-config",
    model: "qwen2.5:14b-kagent",
    contextWindow: 8 * 1024,
    maxOutput: 2048,
  },
];

/** The two ModelConfigs of the platform. */
export function models(settings: DefinitionSettings): readonly ModelConfigInput[] {
  return MODELS.map(({ name, model, contextWindow, maxOutput }) => ({
    apiVersion: API_VERSION,
    kind: "ModelConfig",
    metadata: { name, namespace: settings.namespace },
    spec: {
      provider: "Ollama",
      model,
      contextWindow,
      ollama: {
        ...(settings.ollamaHost === undefined ? {} : { host: settings.ollamaHost }),
        options: { temperature: "0.1", num_predict: String(maxOutput) },
        numCtx: contextWindow,
        keepAlive: "15m",
      },
    },
  }));
}
