import type { Event, EventOf } from "../../api/events.ts";
import { refKey } from "../../api/names.ts";
import type { ToolDescription } from "../../api/tool.ts";
import type { ChatMessage } from "../../model/chat-model.ts";
import { readConversation, type Unit } from "../conversation.ts";
import { maskedText } from "../guarded-result.ts";
import type { Turn } from "../turn-context.ts";
import { speakingCompactions } from "./compacted.ts";
import { type CompactionPlan, planBetweenTurns, planForRoom } from "./plan-compaction.ts";
import { draftPrompt, type PromptDraft, type PromptFrame, roomBeside } from "./prompt-draft.ts";
import type { PromptMeter } from "./prompt-meter.ts";
import { SummaryError, summarize } from "./summarize.ts";

/** Share of the threshold that the newest units may keep when room is made. */
const KEPT_SHARE = 0.3;
/** Share of the threshold that all but the newest unit may take in brief before it is compacted. */
const BRIEF_SHARE = 0.5;
/** Share of the threshold that a compaction has to gain, or it is not worth a call of the summarizer. */
const LEAST_GAIN = 0.1;
/** Share of the threshold that a summary may have, within 100 to 2,000 tokens. */
const SUMMARY_SHARE = 0.2;
const MIN_SUMMARY_TOKENS = 100;
const MAX_SUMMARY_TOKENS = 2_000;

/**
 * Compacts the session of one turn: old events make room for a summary, or for nothing where no model
 * summarises. The session's log is never rewritten: a compaction is one more event.
 */
export class Compactor {
  readonly #turn: Turn;
  readonly #frame: PromptFrame;
  readonly #meter: PromptMeter;
  #summarizer: "works" | "failed" = "works";
  #briefUntilSeq = 0;

  constructor(turn: Turn, frame: PromptFrame, meter: PromptMeter) {
    this.#turn = turn;
    this.#frame = frame;
    this.#meter = meter;
  }

  /** Compacts earlier turns when enough of them came since the last time. @throws as {@link draft}. */
  async betweenTurns(): Promise<void> {
    const { compaction, toolResultMaxBytes } = this.#turn.config;
    if (compaction === undefined) return;
    const events = this.#turn.history();
    const whole = events.filter(({ body }) => body.type !== "compaction");
    const { units } = readConversation(whole, toolResultMaxBytes);
    const plan = planBetweenTurns(events, units, compaction, "summarise");
    if (plan === undefined) return;
    const summary = await this.#summary(messagesOf(units, plan));
    const dropped = () => planBetweenTurns(events, units, compaction, "drop");
    const done = summary === "" ? dropped() : plan;
    if (done !== undefined) await this.#store(done, summary);
  }

  /**
   * The session as a prompt; where it reaches the threshold (or does not fit, for an agent without one) older
   * results are shown in brief, and where that is not enough old events are compacted.
   *
   * @throws LimitError when the summarizer uses up the turn's budget.
   * @throws The turn's abort reason.
   */
  async draft(): Promise<PromptDraft> {
    const whole = this.#draft();
    const threshold = this.#threshold(whole.tools);
    if (threshold === undefined || this.#conversation(whole) < threshold) return whole;
    const newest = whole.units.at(-1);
    this.#briefUntilSeq = whole.units.at(-2)?.toSeq ?? 0;
    const draft = this.#draft();
    const older = this.#conversation(draft) - this.#meter.messages(newest?.messages ?? []);
    if (older < BRIEF_SHARE * threshold) return draft;
    return (await this.#makeRoom(draft, threshold)) ? this.#draft() : draft;
  }

  /** Tokens of a prompt beside the tools' schemas. */
  #conversation(draft: PromptDraft): number {
    return this.#meter.tokens(draft) - Math.ceil(this.#meter.tools(draft.tools));
  }

  #draft(events = this.#turn.history()): PromptDraft {
    const maxBytes = this.#turn.config.toolResultMaxBytes;
    return draftPrompt(this.#frame, events, { maxBytes, briefUntilSeq: this.#briefUntilSeq });
  }

  /**
   * Compacts what a prompt shows: what came before the question, then older steps since.
   *
   * @returns Whether anything was compacted: not where there is little to gain, or where the prompt cannot
   *   fit anyhow.
   */
  async #makeRoom(draft: PromptDraft, threshold: number): Promise<boolean> {
    const plans = planForRoom(draft.units, {
      events: this.#turn.config.compaction?.eventRetention,
      tokens: KEPT_SHARE * threshold,
      tokensOf: ({ messages }) => this.#meter.messages(messages),
    });
    const gone = plans.flatMap((plan) => messagesOf(draft.units, plan));
    const gain = this.#meter.messages(gone);
    if (gone.length === 0 || gain < LEAST_GAIN * threshold || !this.#possible(draft)) return false;
    const { toolResultMaxBytes } = this.#turn.config;
    const { units } = readConversation(this.#turn.history(), toolResultMaxBytes);
    for (const plan of plans) {
      const earlier = this.#summariesWithin(plan);
      const summary = await this.#summary([...earlier, ...messagesOf(units, plan)]);
      const fromSeq = summary === "" ? plan.fromSeq : plan.sinceSeq;
      await this.#store({ fromSeq, toSeq: plan.toSeq }, summary);
    }
    return true;
  }

  async #store(
    { fromSeq, toSeq }: Pick<CompactionPlan, "fromSeq" | "toSeq">,
    summary: string,
  ): Promise<void> {
    const event = { type: "compaction", fromSeq, toSeq, summary } as const;
    const events = this.#turn.history();
    const tokensBefore = this.#meter.tokens(this.#draft(events));
    const tokensAfter = this.#meter.tokens(this.#draft(withEvent(events, event)));
    await this.#turn.emit.event({ ...event, tokensBefore, tokensAfter });
  }

  #threshold(tools: readonly ToolDescription[]): number | undefined {
    const { compaction } = this.#turn.config;
    const room = roomBeside(this.#turn, this.#meter, tools);
    if (compaction === undefined) return room?.conversation;
    return room?.threshold ?? compaction.tokenThreshold;
  }

  /** Whether what has to stay has room. */
  #possible({ pinned, tools }: PromptDraft): boolean {
    const room = roomBeside(this.#turn, this.#meter, tools);
    return room === undefined || this.#meter.messages(pinned) <= room.conversation;
  }

  #summariesWithin({ sinceSeq, toSeq: end }: CompactionPlan): readonly ChatMessage[] {
    return speakingCompactions(this.#turn.history())
      .filter(
        ({ fromSeq, toSeq, summary }) => sinceSeq <= fromSeq && toSeq <= end && summary !== "",
      )
      .map(({ summary }) => ({ role: "system", text: `summary of what came before: ${summary}` }));
  }

  /** Empty where nothing summarises or the summarizer failed: events are dropped then. */
  async #summary(messages: readonly ChatMessage[]): Promise<string> {
    const { config, deps, request, budget } = this.#turn;
    const summarizer = config.compaction?.summarizer;
    if (summarizer === undefined || this.#summarizer === "failed" || !budget.hasSpareModelCall)
      return "";
    const share = SUMMARY_SHARE * (this.#threshold(this.#frame.tools) ?? Number.POSITIVE_INFINITY);
    const most = Math.min(MAX_SUMMARY_TOKENS, Math.floor(share));
    const maxTokens = Math.max(MIN_SUMMARY_TOKENS, most);
    try {
      return await summarize(this.#turn, { summarizer, messages, maxTokens });
    } catch (error) {
      if (!(error instanceof SummaryError)) throw error;
      this.#summarizer = "failed"; // asked again in the next turn, not for each step of this one
      deps.log.warn("old events were dropped, they could not be summarised", {
        agent: refKey(config.ref),
        contextId: request.contextId,
        why: maskedText(error.message), // quotes the provider
      });
      return "";
    }
  }
}

function messagesOf(
  units: readonly Unit[],
  { fromSeq, toSeq }: CompactionPlan,
): readonly ChatMessage[] {
  return units
    .filter((unit) => fromSeq <= unit.fromSeq && unit.toSeq <= toSeq)
    .flatMap(({ messages }) => messages);
}

function withEvent(events: readonly Event[], body: EventOf<"compaction">): readonly Event[] {
  const last = events.at(-1);
  return last === undefined ? events : [...events, { ...last, seq: last.seq + 1, body }];
}
