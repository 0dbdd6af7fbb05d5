import * as z from "zod";
import { systemClock } from "../process/clock.ts";
import { type EmbeddingModel, unitVector } from "./embedding-model.ts";
import type { OllamaModelOptions } from "./ollama.ts";
import { OllamaConnection } from "./ollama-connection.ts";
import { DEFAULT_OLLAMA_HOST, ollamaEndpoint } from "./ollama-endpoint.ts";
import { outOfProtocol } from "./ollama-errors.ts";
import { keepAlive, OLLAMA_DEFAULTS, runnerOptions } from "./ollama-request.ts";

type LibraryOptions = NonNullable<import("ollama").EmbedRequest["options"]>;

const Answer = z.object({ embeddings: z.array(z.array(z.number())) });

/**
 * An embedding model of an Ollama server, reached by the rules of its chat models: own host, one
 * connection for each request, the same time limits.
 *
 * A text that is longer than the model's context is cut by the server: its beginning says what it is about.
 *
 * @throws ModelError `rejected` when the host is no HTTP address.
 * @see https://docs.ollama.com/api/embed
 */
export function ollamaEmbedding({ settings, host, clock }: OllamaModelOptions): EmbeddingModel {
  const endpoint = ollamaEndpoint(host ?? settings.ollama?.host ?? DEFAULT_OLLAMA_HOST);
  const label = `ollama ${settings.model}`;
  const own = settings.ollama ?? OLLAMA_DEFAULTS;
  const options = runnerOptions(settings);
  const common = {
    model: settings.model,
    truncate: true,
    ...(own.keepAlive !== undefined && { keep_alive: keepAlive(own.keepAlive) }),
    ...(Object.keys(options).length > 0 && { options: options as LibraryOptions }),
  };
  const { connectMs, firstTokenMs: answerMs } = own.timeouts;
  const embed: EmbeddingModel["embed"] = async (texts, signal) => {
    if (texts.length === 0) return [];
    const { model, apiKey, headers, tls } = settings;
    const to = { endpoint, model, apiKey, headers, tls, connectMs, answerMs };
    const connection = await OllamaConnection.open({ ...to, clock: clock ?? systemClock }, signal);
    try {
      const answer = Answer.safeParse(
        await connection.client.embed({ ...common, input: [...texts] }),
      );
      signal.throwIfAborted();
      if (!answer.success || answer.data.embeddings.length !== texts.length)
        throw outOfProtocol(endpoint.url, "sent no embedding for each text", answer.error);
      return answer.data.embeddings.map((vector) => unitVector(vector, label));
    } catch (error) {
      throw connection.failure(error);
    } finally {
      connection.close();
    }
  };
  return { label, embed };
}
