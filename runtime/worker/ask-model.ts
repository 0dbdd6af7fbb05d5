import type { ModelSettings } from "../api/agent-config.ts";
import { type Part, THOUGHT } from "../api/events.ts";
import type { ChatModel, ChatRequest, ModelToolCall } from "../model/chat-model.ts";
import { withRetry } from "../model/retry.ts";
import type { Turn } from "./turn-context.ts";

/** A model of the agent, its own unless said otherwise, with the retries of its configuration. */
export async function openModel(turn: Turn, settings = turn.config.model): Promise<ChatModel> {
  const { deps, config } = turn;
  const model = await deps.model(withCallerKey(settings, turn.request.headers["authorization"]));
  return withRetry(model, config.retry, deps.clock, deps.random);
}

/** The caller's bearer token in place of a key, where the ModelConfig says so (`apiKeyPassthrough`). */
function withCallerKey(settings: ModelSettings, authorization: string | undefined): ModelSettings {
  if (settings.apiKeyPassthrough !== true) return settings;
  const token = /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  return token === undefined ? settings : { ...settings, apiKey: token };
}

/** One answer of a model. */
export interface ModelStep {
  /** What it said, thoughts left out. */
  readonly text: string;
  /** What it said and thought, for the log. */
  readonly parts: Part[];
  readonly calls: readonly ModelToolCall[];
  /** Tokens of the prompt as the provider counted them; 0 when it did not. */
  readonly inputTokens: number;
}

/**
 * One model call: streams its text, counts its tokens.
 *
 * The answer to a request with a `format` is not streamed: people would see bare JSON.
 *
 * @throws LimitError, ModelError, or the turn's abort reason.
 */
export async function ask(turn: Turn, model: ChatModel, request: ChatRequest): Promise<ModelStep> {
  turn.budget.startModelCall();
  const text: string[] = [];
  const thoughts: string[] = [];
  const calls: ModelToolCall[] = [];
  let inputTokens = 0;
  for await (const chunk of model.chat(request, turn.signal)) {
    if (chunk.type === "tool-call") calls.push(chunk.call);
    else if (chunk.type === "done") {
      turn.budget.addTokens(chunk);
      inputTokens = chunk.inputTokens;
    } else {
      (chunk.type === "text" ? text : thoughts).push(chunk.text);
      if (turn.config.stream && request.format === undefined)
        turn.emit.partial(chunk.text, chunk.type === "thought");
    }
  }
  const said = text.join("");
  const thought = thoughts.join("");
  const parts: Part[] = [];
  if (thought !== "") parts.push({ text: thought, metadata: { [THOUGHT]: true } });
  if (said !== "") parts.push({ text: said });
  return { text: said, parts, calls, inputTokens };
}
