import type { ContextBudget } from "../../api/context-budget.ts";
import { refKey } from "../../api/names.ts";
import type { ToolDescription } from "../../api/tool.ts";
import type { ChatMessage } from "../../model/chat-model.ts";
import type { Turn } from "../turn-context.ts";
import { TurnFailure } from "../turn-failure.ts";
import { Compactor } from "./compactor.ts";
import { fitMessages } from "./fit-messages.ts";
import { type PromptDraft, type PromptFrame, roomBeside } from "./prompt-draft.ts";
import { type Prompt, PromptMeter } from "./prompt-meter.ts";

/** A prompt for an answer without tools. */
export interface ToolFreePrompt {
  /** Oldest first, the system message in front. */
  readonly messages: readonly ChatMessage[];
  /** Those of them that stay as they are. */
  readonly pinned: readonly ChatMessage[];
  /** JSON Schema of the answer; takes room with some providers. */
  readonly format: object;
}

/**
 * Keeps the prompts of one turn within the context window of the agent's model: compacts the session between
 * turns and when a prompt grows too large, and leaves out what then still finds no room (decisions 1).
 */
export class ContextKeeper {
  readonly #turn: Turn;
  readonly #frame: PromptFrame;
  readonly #meter: PromptMeter;
  readonly #compactor: Compactor;
  #betweenTurns: "due" | "done" = "due";

  constructor(turn: Turn, frame: PromptFrame) {
    this.#turn = turn;
    this.#frame = frame;
    this.#meter = new PromptMeter(turn.deps.tokenRatios?.get(turn.request.contextId));
    this.#compactor = new Compactor(turn, frame, this.#meter);
  }

  /**
   * The prompt for the model's next call.
   *
   * @throws TurnFailure `CONTEXT_TOO_LARGE` when instruction, tools and the question alone do not fit.
   * @throws LimitError when the summarizer uses up the turn's budget.
   * @throws The turn's abort reason.
   */
  async next(): Promise<Prompt> {
    if (this.#betweenTurns === "due") {
      this.#betweenTurns = "done";
      await this.#compactor.betweenTurns();
    }
    return this.#fit(await this.#compactor.draft());
  }

  /**
   * Messages of a tool-free prompt that goes on from one of {@link next}, so that they fit.
   *
   * @throws TurnFailure `CONTEXT_TOO_LARGE` when those that are pinned do not fit by themselves.
   */
  toolFree({ messages, pinned, format }: ToolFreePrompt): readonly ChatMessage[] {
    const schema: ChatMessage = { role: "user", text: JSON.stringify(format) };
    const room = roomBeside(this.#turn, this.#meter, []);
    const whole = { messages: [...messages, schema], tools: [] };
    if (room === undefined || this.#meter.tokens(whole) <= room.prompt) return messages;
    const fitted = fitMessages({
      messages,
      pinned: new Set(pinned),
      notes: new Set(this.#frame.notes),
      limit: room.prompt - this.#meter.message(schema),
      tokensOf: this.#meter.message,
    });
    if (fitted === undefined) throw this.#tooLarge(room, [], [...pinned, schema]);
    return fitted;
  }

  /** Learns what the provider counted for a prompt; 0: nothing. */
  measured(prompt: Prompt, tokens: number): void {
    const { deps, request } = this.#turn;
    this.#meter.measured(prompt, tokens);
    deps.tokenRatios?.set(request.contextId, this.#meter.ratio);
  }

  #fit(draft: PromptDraft): Prompt {
    const { messages, pinned, notes } = draft;
    const room = roomBeside(this.#turn, this.#meter, draft.tools);
    if (room === undefined || this.#meter.tokens(draft) <= room.prompt)
      return { messages, tools: draft.tools };
    const tools = [...this.#frame.tools, ...this.#frame.toolsWhenShortened];
    const fitted = fitMessages({
      messages,
      pinned: new Set(pinned),
      notes: new Set(notes),
      limit: room.prompt - this.#meter.tools(tools),
      tokensOf: this.#meter.message,
    });
    if (fitted === undefined) throw this.#tooLarge(room, tools, pinned);
    return { messages: fitted, tools };
  }

  #tooLarge(
    { window, reply, prompt }: ContextBudget,
    tools: readonly ToolDescription[],
    pinned: readonly ChatMessage[],
  ): TurnFailure {
    const { ref } = this.#turn.config.model;
    const system = Math.ceil(this.#meter.messages(pinned.slice(0, 1)));
    const message = Math.ceil(this.#meter.messages(pinned.slice(1)));
    const schemas = Math.ceil(this.#meter.tools(tools));
    return new TurnFailure(
      "CONTEXT_TOO_LARGE",
      `the request does not fit into the model's context: system message ${system}, tool schemas ${schemas} and message ${message} tokens, where ${prompt} fit (window of ${window} less ${reply} for the reply); send a shorter message, give the agent fewer tools or a shorter system message, or raise contextWindow (Ollama: numCtx) of ModelConfig ${refKey(ref)}`,
    );
  }
}
