import type { ToolDescription } from "../../api/tool.ts";
import type { ChatMessage } from "../../model/chat-model.ts";
import { messagesTokens, messageTokens, toolsTokens } from "./token-estimate.ts";

/** What a model is asked, as far as it takes room. */
export interface Prompt {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ToolDescription[];
}

/**
 * Below half of the estimate a count is not believed: some servers count only what their cache of the
 * prompt did not hold.
 */
const LEAST_RATIO = 0.5;
/** Prompts of fewer tokens say little: what a chat template adds of its own outweighs their text. */
const LEAST_MEASURED = 256;
/** Above four times the estimate a count is taken as four times: text has no more tokens than bytes. */
const MOST_RATIO = 4;

/**
 * Counts the tokens of prompts: by what the provider measured of the last one where a prompt begins with
 * it, for the rest by an estimate that was corrected by what was measured.
 *
 * The correction only ever makes the estimate larger: one that is too careful costs room, one that is too
 * bold costs the turn.
 */
export class PromptMeter {
  #ratio: number;
  #last: (Prompt & { readonly tokens: number }) | undefined;

  /** @param ratio - Measured tokens for each estimated one, from before; below 1 counts as 1. */
  constructor(ratio = 1) {
    this.#ratio = Math.max(1, ratio);
  }

  /** Measured tokens for each estimated one, at least 1. */
  get ratio(): number {
    return this.#ratio;
  }

  /** Tokens of messages that were not measured. */
  readonly messages = (messages: readonly ChatMessage[]): number =>
    this.#ratio * messagesTokens(messages);

  /** Tokens of one message that was not measured. */
  readonly message = (message: ChatMessage): number => this.#ratio * messageTokens(message);

  /** Tokens of tools that were not measured. */
  tools(tools: readonly ToolDescription[]): number {
    return this.#ratio * toolsTokens(tools);
  }

  /** Tokens of a prompt, rounded up. */
  tokens(prompt: Prompt): number {
    const last = this.#last;
    if (last === undefined || !continues(prompt, last))
      return Math.ceil(this.messages(prompt.messages) + this.tools(prompt.tools));
    const added = prompt.messages.slice(last.messages.length);
    return last.tokens + Math.ceil(this.messages(added));
  }

  /** Learns what the provider counted for a prompt. */
  measured(prompt: Prompt, tokens: number): void {
    const estimate = messagesTokens(prompt.messages) + toolsTokens(prompt.tools);
    const last = this.#last;
    const fewer = last !== undefined && continues(prompt, last) && tokens < last.tokens;
    if (estimate === 0 || fewer || tokens < LEAST_RATIO * estimate) return;
    if (estimate >= LEAST_MEASURED)
      this.#ratio = Math.min(MOST_RATIO, Math.max(1, tokens / estimate));
    this.#last = { ...prompt, tokens };
  }
}

function continues(prompt: Prompt, before: Prompt): boolean {
  return (
    prompt.messages.length >= before.messages.length &&
    prompt.tools.length === before.tools.length &&
    before.tools.every((tool, index) => prompt.tools[index] === tool) &&
    before.messages.every((message, index) => same(message, prompt.messages[index]))
  );
}

function same(a: ChatMessage, b: ChatMessage | undefined): boolean {
  if (a === b) return true;
  if (a.role !== b?.role || a.text !== b.text) return false;
  if (a.role !== "assistant" || b.role !== "assistant") return true;
  return (
    a.toolCalls.length === b.toolCalls.length &&
    a.toolCalls.every(({ name, args }, index) => {
      const other = b.toolCalls[index];
      return name === other?.name && JSON.stringify(args) === JSON.stringify(other.args);
    })
  );
}
