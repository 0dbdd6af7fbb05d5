import type { ModelSettings } from "../api/agent-config.ts";
import { EMBEDDING_DIMENSIONS } from "../api/embedding.ts";
import { ModelError } from "./chat-model.ts";
import type { EmbeddingModel } from "./embedding-model.ts";
import type { ModelDeps } from "./model-factory.ts";

/**
 * The embedding model that a ModelConfig describes; loads the code of its provider and of no other.
 *
 * @throws ModelError `rejected`, not retryable, for a provider without embeddings.
 */
export async function embeddingModelFor(
  settings: ModelSettings,
  deps: ModelDeps,
): Promise<EmbeddingModel> {
  if (settings.provider !== "Ollama")
    throw new ModelError(
      `the provider ${settings.provider} of ModelConfig ${settings.ref.namespace}/${settings.ref.name} makes no embeddings here; use Ollama with a model of ${EMBEDDING_DIMENSIONS} dimensions, e.g. nomic-embed-text`,
      { code: "rejected", retryable: false },
    );
  const { ollamaEmbedding } = await import("./ollama-embedding.ts");
  const host = settings.ollama?.host ?? deps.ollamaHost;
  return ollamaEmbedding({ settings, host, clock: deps.clock });
}
