import type { ModelSettings } from "../api/agent-config.ts";
import type { Clock } from "../process/clock.ts";
import { type ChatModel, ModelError } from "./chat-model.ts";

/** What models of any provider need from outside. */
export interface ModelDeps {
  /** Counts waits. */
  readonly clock: Clock;
  /** Base URL of Ollama for settings that name none. */
  readonly ollamaHost?: string | undefined;
}

/**
 * The model that a ModelConfig describes; loads the code of its provider and of no other.
 *
 * @throws ModelError `rejected`, not retryable, for a provider that is not supported yet.
 */
export async function chatModelFor(settings: ModelSettings, deps: ModelDeps): Promise<ChatModel> {
  const { clock } = deps;
  switch (settings.provider) {
    case "Ollama": {
      const { ollamaModel } = await import("./ollama.ts");
      return ollamaModel({ settings, host: settings.ollama?.host ?? deps.ollamaHost, clock });
    }
    case "OpenAI": {
      const { openAiModel } = await import("./openai.ts");
      return openAiModel({ settings, clock });
    }
    default:
      throw new ModelError(
        `the provider ${settings.provider} of ModelConfig ${settings.ref.namespace}/${settings.ref.name} is not supported yet; use Ollama or OpenAI`,
        { code: "rejected", retryable: false },
      );
  }
}
