import type { ToolDescription } from "../api/tool.ts";

/** A call of a tool as the model asked for it. */
export interface ModelToolCall {
  /** Unique in the conversation; made by the adapter where the provider gives none. */
  readonly id: string;
  /** Tool as it was described to the model. */
  readonly name: string;
  /** Arguments; an empty object where the model sent none or something unreadable. */
  readonly args: Readonly<Record<string, unknown>>;
}

/** One message of the conversation as models see it. */
export type ChatMessage =
  | { readonly role: "system" | "user"; readonly text: string }
  | {
      readonly role: "assistant";
      readonly text: string;
      readonly toolCalls: readonly ModelToolCall[];
    }
  | {
      readonly role: "tool";
      readonly callId: string;
      readonly name: string;
      readonly text: string;
    };

/** What a model is asked. */
export interface ChatRequest {
  /** Oldest first; a system message, if any, is the first. */
  readonly messages: readonly ChatMessage[];
  /** Tools the model may call; empty for a tool-free answer. */
  readonly tools: readonly ToolDescription[];
  /** JSON Schema the answer must fit; only together with an empty `tools`. */
  readonly format?: Readonly<Record<string, unknown>>;
}

/** What a model answers, piece by piece; `done` is the last piece and comes exactly once. */
export type ChatChunk =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thought"; readonly text: string }
  | { readonly type: "tool-call"; readonly call: ModelToolCall }
  | {
      readonly type: "done";
      readonly inputTokens: number;
      readonly outputTokens: number;
      readonly cachedTokens: number;
      /** `length`: the answer was cut at the provider's output limit. */
      readonly stop: "end" | "length";
    };

/** A language model behind whatever provider. */
export interface ChatModel {
  /** Provider and model for people, e.g. `ollama qwen2.5:14b` or `offline (stand-in, no language model)`. */
  readonly label: string;
  /**
   * Asks the model.
   *
   * @param signal - Ends the request at once, also before the provider sent headers.
   * @throws ModelError What the provider failed with.
   * @throws The signal's reason after an abort.
   */
  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatChunk>;
}

/** Why a model call failed. */
export type ModelErrorCode =
  | "unreachable"
  | "timeout"
  | "not-found"
  | "overloaded"
  | "rejected"
  | "protocol";

/** A model call failed. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  /** Kind of failure. */
  readonly code: ModelErrorCode;
  /** Whether the same call may succeed later, given that no piece of the answer came yet. */
  readonly retryable: boolean;
  /** HTTP status of the provider, if it answered. */
  readonly status: number | undefined;

  constructor(
    message: string,
    details: {
      readonly code: ModelErrorCode;
      readonly retryable: boolean;
      readonly status?: number | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: details.cause });
    this.code = details.code;
    this.retryable = details.retryable;
    this.status = details.status;
  }
}
