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
  if (settings.provider !== "Ollama")
    throw new ModelError(
      `the provider ${settings.provider} of ModelConfig ${settings.ref.namespace}/${settings.ref.name} is not supported yet; use Ollama`,
      { code: "rejected", retryable: false },
    );
  const { ollamaModel } = await import("./ollama.ts");
  const host = settings.ollama?.host ?? deps.ollamaHost;
  return ollamaModel({ settings, host, clock: deps.clock });
}
