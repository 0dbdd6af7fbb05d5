import type { TurnLimits } from "../api/agent-config.ts";
import { NO_USAGE, type Usage } from "../api/events.ts";

/** A turn has used up one of its limits. */
export class LimitError extends Error {
  override readonly name = "LimitError";
  /** Field of {@link TurnLimits}, as people wrote it. */
  readonly limit: string;
  /** Its value. */
  readonly value: number;

  constructor(limit: string, value: number) {
    super(`the turn reached its limit ${limit} (${value})`);
    this.limit = limit;
    this.value = value;
  }
}

/** Counts what one turn uses and stops it at its limits. */
export class Budget {
  readonly #limits: TurnLimits;
  readonly #calls = new Set<string>();
  #usage: Usage = NO_USAGE;
  #delegations = 0;
  #ownTokens = 0;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  /** What the turn and its delegates used so far. */
  get usage(): Usage {
    return this.#usage;
  }

  /** Whether the limits admit a model call beside the one that is needed anyhow. */
  get hasSpareModelCall(): boolean {
    const { maxModelCalls, maxTokens } = this.#limits;
    return (
      this.#usage.modelCalls + 1 < maxModelCalls &&
      (maxTokens === undefined || this.#ownTokens < maxTokens)
    );
  }

  /** @throws LimitError before a model call that would be one too many. */
  startModelCall(): void {
    this.#stopAt("maxModelCalls", this.#usage.modelCalls, this.#limits.maxModelCalls);
    if (this.#limits.maxTokens !== undefined)
      this.#stopAt("maxTokens", this.#ownTokens, this.#limits.maxTokens);
    this.#usage = { ...this.#usage, modelCalls: this.#usage.modelCalls + 1 };
  }

  /** Counts the tokens of a finished model call. */
  addTokens(tokens: Pick<Usage, "inputTokens" | "outputTokens" | "cachedTokens">): void {
    this.#ownTokens += tokens.inputTokens + tokens.outputTokens;
    this.#usage = {
      ...this.#usage,
      inputTokens: this.#usage.inputTokens + tokens.inputTokens,
      outputTokens: this.#usage.outputTokens + tokens.outputTokens,
      cachedTokens: this.#usage.cachedTokens + tokens.cachedTokens,
    };
  }

  /** @throws LimitError before a tool call that would be one too many. */
  startToolCall(): void {
    this.#stopAt("maxToolCalls", this.#usage.toolCalls, this.#limits.maxToolCalls);
    this.#usage = { ...this.#usage, toolCalls: this.#usage.toolCalls + 1 };
  }

  /** @throws LimitError before a call of another agent that would be one too many. */
  startDelegation(): void {
    const { maxDelegations } = this.#limits;
    if (maxDelegations !== undefined)
      this.#stopAt("maxDelegations", this.#delegations, maxDelegations);
    this.#delegations += 1;
  }

  /**
   * Whether a call may run, given what ran before in this turn.
   *
   * @param key - Equal for calls that count as the same one.
   */
  admits(key: string): boolean {
    if (this.#limits.repeatedCalls === "allow") return true;
    if (this.#calls.has(key)) return false;
    this.#calls.add(key);
    return true;
  }

  /** Adds what a delegate reported; delegates have limits of their own. */
  addDelegate(usage: Usage): void {
    this.#usage = {
      inputTokens: this.#usage.inputTokens + usage.inputTokens,
      outputTokens: this.#usage.outputTokens + usage.outputTokens,
      cachedTokens: this.#usage.cachedTokens + usage.cachedTokens,
      modelCalls: this.#usage.modelCalls,
      toolCalls: this.#usage.toolCalls,
    };
  }

  #stopAt(limit: string, used: number, value: number): void {
    if (used >= value) throw new LimitError(limit, value);
  }
}
