import { EMBEDDING_DIMENSIONS } from "../api/embedding.ts";
import { ModelError } from "./chat-model.ts";

/** A model that turns texts into vectors, near ones for near meanings. */
export interface EmbeddingModel {
  /** Provider and model for people, e.g. `ollama nomic-embed-text`. */
  readonly label: string;
  /**
   * A vector for each text, in order: {@link EMBEDDING_DIMENSIONS} numbers, of length 1.
   *
   * @param signal - Ends the request at once.
   * @throws ModelError What the provider failed with; `protocol`, not retryable, when its vectors are of
   *   another size.
   * @throws The signal's reason after an abort.
   */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly (readonly number[])[]>;
}

/**
 * `vector` with the length 1.
 *
 * @throws ModelError `protocol` when it has another size than {@link EMBEDDING_DIMENSIONS}, holds what is
 *   no number, or has no length.
 */
export function unitVector(vector: readonly number[], label: string): readonly number[] {
  if (vector.length !== EMBEDDING_DIMENSIONS)
    throw unfit(label, `made a vector of ${vector.length} numbers`);
  const length = Math.hypot(...vector);
  if (!Number.isFinite(length) || length === 0) throw unfit(label, "made a vector without length");
  return vector.map((number) => number / length);
}

function unfit(label: string, what: string): ModelError {
  return new ModelError(
    `${label} ${what}; memory needs a model of ${EMBEDDING_DIMENSIONS} dimensions, e.g. nomic-embed-text`,
    { code: "protocol", retryable: false },
  );
}
