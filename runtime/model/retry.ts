import type { RetryPolicy } from "../api/agent-config.ts";
import type { Clock } from "../process/clock.ts";
import { type ChatChunk, type ChatModel, type ChatRequest, ModelError } from "./chat-model.ts";

/**
 * `model`, asked again when it failed in a passing way before the first piece of its answer.
 *
 * The wait doubles from `initialDelayMs` to `maxDelayMs`; each is spread over its upper half, so that
 * callers that failed together do not come back together. After a piece came there is no second
 * attempt: the caller has used it.
 *
 * @param random - 0 <= n < 1, e.g. `Math.random`.
 * @throws ModelError The last attempt's, or the first that no retry can help.
 * @throws The signal's reason, at once, also during a wait.
 */
export function withRetry(
  model: ChatModel,
  policy: RetryPolicy,
  clock: Clock,
  random: () => number,
): ChatModel {
  const chat = async function* (
    request: ChatRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ChatChunk, void, void> {
    for (let attempt = 1; ; attempt += 1) {
      let started = false;
      try {
        for await (const chunk of model.chat(request, signal)) {
          started = true;
          yield chunk;
        }
        return;
      } catch (error) {
        signal.throwIfAborted();
        const passing = error instanceof ModelError && error.retryable;
        if (started || !passing || attempt >= policy.maxAttempts) throw error;
      }
      await clock.sleep(retryDelayMs(policy, attempt, random), signal);
    }
  };
  return { label: model.label, chat };
}

/** Milliseconds to wait after the attempt of this number, from 1: doubled each time, spread over the upper half. */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: () => number): number {
  const delayMs = Math.min(policy.maxDelayMs, policy.initialDelayMs * 2 ** (attempt - 1));
  return (delayMs * (1 + random())) / 2;
}
