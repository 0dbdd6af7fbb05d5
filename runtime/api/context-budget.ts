/** Share of what fits that a conversation may fill before it is compacted (decisions 1). */
export const CONTEXT_SHARE = 0.75;
/** 1024 tokens are kept for the reply where the model's settings do not say how long it may be. */
const DEFAULT_REPLY_TOKENS = 1024;
/** Largest share of the window that is kept for a reply of unknown length. */
const DEFAULT_REPLY_SHARE = 0.25;
/** Largest share of the window that is kept for a reply of declared length: a prompt needs room too. */
const MAX_REPLY_SHARE = 0.5;

/** What the spec of a ModelConfig and a worker's settings both say of a model's size. */
export interface ModelSize {
  /** Tokens. */
  readonly contextWindow?: number | undefined;
  readonly ollama?:
    | {
        /** Tokens. */
        readonly numCtx?: number | undefined;
        /** Runner options as written. */
        readonly options?: Readonly<Record<string, string>> | undefined;
      }
    | undefined;
  readonly openAI?:
    | {
        readonly maxTokens?: number | undefined;
        readonly maxCompletionTokens?: number | undefined;
      }
    | undefined;
  readonly anthropic?: { readonly maxTokens?: number | undefined } | undefined;
  readonly gemini?: { readonly maxOutputTokens?: number | undefined } | undefined;
}

/** How the context window of a model is divided; all in tokens. */
export interface ContextBudget {
  /** Context window. */
  readonly window: number;
  /** Kept for the reply. */
  readonly reply: number;
  /** What a prompt may have: system message, tool schemas and messages. */
  readonly prompt: number;
  /** Most that tool schemas leave to system message and messages. */
  readonly conversation: number;
  /** System message and messages from which on the conversation is compacted. */
  readonly threshold: number;
}

/**
 * Context window of a model in tokens; `undefined` when its settings do not tell.
 *
 * Where `contextWindow` and Ollama's `num_ctx` differ the smaller one counts: Ollama runs the model with
 * `num_ctx`, whatever else is declared.
 */
export function contextWindow({ contextWindow: declared, ollama }: ModelSize): number | undefined {
  const run = ollama?.numCtx ?? positive(ollama?.options?.["num_ctx"]);
  if (declared === undefined || run === undefined) return declared ?? run;
  return Math.min(declared, run);
}

/** Tokens of a window that are kept for the reply. */
function replyReserve({ ollama, openAI, anthropic, gemini }: ModelSize, window: number): number {
  const declared =
    positive(ollama?.options?.["num_predict"]) ??
    openAI?.maxTokens ??
    openAI?.maxCompletionTokens ??
    anthropic?.maxTokens ??
    gemini?.maxOutputTokens;
  return declared === undefined
    ? Math.min(DEFAULT_REPLY_TOKENS, Math.floor(window * DEFAULT_REPLY_SHARE))
    : Math.min(declared, Math.floor(window * MAX_REPLY_SHARE));
}

/**
 * How a model's context window is divided; `undefined` when its size is not known.
 *
 * The declared threshold is an upper bound (decisions 1):
 * `threshold = min(declared, 0.75 x (window - reply - tool schemas))`.
 *
 * @param use.toolTokens - Tokens of the tools' schemas; 0 unless known.
 * @param use.declared - The Agent's `tokenThreshold`.
 * @example
 * contextBudget({ contextWindow: 8192 }, { declared: 24_000 })?.threshold; // 5376
 */
export function contextBudget(
  model: ModelSize,
  use: { readonly toolTokens?: number; readonly declared?: number | undefined } = {},
): ContextBudget | undefined {
  const window = contextWindow(model);
  if (window === undefined) return undefined;
  const reply = replyReserve(model, window);
  const prompt = window - reply;
  const conversation = Math.max(0, prompt - (use.toolTokens ?? 0));
  const most = Math.floor(CONTEXT_SHARE * conversation);
  return {
    window,
    reply,
    prompt,
    conversation,
    threshold: use.declared === undefined ? most : Math.min(use.declared, most),
  };
}

/** A positive whole number as Ollama's options hold it; its negative ones mean "no limit". */
function positive(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}
