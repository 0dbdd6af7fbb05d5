import type { ModelSettings } from "../api/agent-config.ts";
import { type ChatModel, ModelError } from "../model/chat-model.ts";
import { discoverOllama, type OllamaDiscovery } from "../model/discover-ollama.ts";
import { embeddingModelFor } from "../model/embedding-factory.ts";
import type { EmbeddingModel } from "../model/embedding-model.ts";
import { chatModelFor } from "../model/model-factory.ts";
import type { Clock } from "../process/clock.ts";
import type { LocalOptions } from "./options.ts";

/** The model of a local run. */
export interface LocalModel {
  /** What it is, for people. */
  readonly label: string;
  /** What to do to get a better one; absent when there is nothing to do. */
  readonly hint?: string;
  /** What an agent really runs on: the options of its ModelConfig with this model's provider and name. */
  readonly resolve: (settings: ModelSettings) => ModelSettings;
  /** Opens a model of {@link resolve}. */
  readonly open: (settings: ModelSettings) => Promise<ChatModel>;
  /** Opens an embedding model, under the name that its ModelConfig has; absent without Ollama. */
  readonly embedding?: (settings: ModelSettings) => Promise<EmbeddingModel>;
}

/**
 * The model a laptop has: Ollama's when it answers and has one that can call tools, else the labelled
 * offline model (decisions 13).
 *
 * @throws ModelError when a model was asked for and Ollama does not have it.
 */
export async function openLocalModel(
  options: Pick<LocalOptions, "model" | "ollamaHost">,
  clock: Clock,
  signal: AbortSignal,
): Promise<LocalModel> {
  let found: OllamaDiscovery;
  try {
    found = await discoverOllama(options.ollamaHost, { model: options.model, clock }, signal);
  } catch (error) {
    if (!(error instanceof ModelError) || options.model !== undefined) throw error;
    return await offline("start Ollama and run 'ollama pull qwen2.5:14b' for a real model");
  }
  const { chosen, host, version, pull } = found;
  if (chosen === undefined) {
    const remedy = pull ?? "ollama pull qwen2.5:14b";
    if (options.model !== undefined)
      throw new ModelError(
        `Ollama at ${host} does not have the model ${options.model}; run '${remedy}'`,
        {
          code: "not-found",
          retryable: false,
        },
      );
    return await offline(`Ollama has no model that can call tools; run '${remedy}'`);
  }
  // `host` tells no credentials; the address that was given may hold some.
  const deps = { clock, ollamaHost: options.ollamaHost ?? host };
  const resolve = (settings: ModelSettings): ModelSettings => ({
    ...settings,
    provider: "Ollama",
    model: chosen.name,
  });
  return {
    label: `Ollama ${version} at ${host}: ${chosen.name}`,
    resolve,
    open: (settings) => chatModelFor(withoutHost(resolve(settings)), deps),
    embedding: (settings) => embeddingModelFor(withoutHost(settings), deps),
  };
}

/** The hosts of the definitions are names of a cluster; here there is one Ollama. */
function withoutHost(settings: ModelSettings): ModelSettings {
  if (settings.ollama === undefined) return settings;
  const { host, ...ollama } = settings.ollama;
  return { ...settings, ollama };
}

async function offline(hint: string): Promise<LocalModel> {
  const { offlineModel } = await import("../model/offline.ts");
  const model = offlineModel();
  return {
    label: model.label,
    hint,
    resolve: ({ ref }) => ({ ref, provider: "Offline", model: model.label }),
    open: () => Promise.resolve(model),
  };
}
