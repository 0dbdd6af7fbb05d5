import { type ContextBudget, contextBudget } from "../../api/context-budget.ts";
import type { Event } from "../../api/events.ts";
import type { ToolDescription } from "../../api/tool.ts";
import type { ChatMessage } from "../../model/chat-model.ts";
import { readConversation, type Unit } from "../conversation.ts";
import type { Turn } from "../turn-context.ts";
import { brief } from "./brief-message.ts";
import { earlierNote } from "./earlier-note.ts";
import type { Prompt, PromptMeter } from "./prompt-meter.ts";

/** What a prompt holds beside the conversation. */
export interface PromptFrame {
  /** System message. */
  readonly instruction: string;
  /** Told to the model always. */
  readonly tools: readonly ToolDescription[];
  /** Told to it as well once a prompt leaves something out. */
  readonly toolsWhenShortened: readonly ToolDescription[];
  /** Data beside the conversation, e.g. memories; left out where room is short. */
  readonly notes: readonly ChatMessage[];
}

/** A prompt before it is made to fit. */
export interface PromptDraft extends Prompt {
  readonly units: readonly Unit[];
  /** Summaries and {@link PromptFrame.notes}; they stand in front of the conversation. */
  readonly notes: readonly ChatMessage[];
  /** System message and question: what the prompt is nothing without. */
  readonly pinned: readonly ChatMessage[];
}

/** How much of tools' results a prompt shows. */
export interface ShownResults {
  /** Bytes of one result. */
  readonly maxBytes: number;
  /** Results up to this position are shown by their first and last lines only; 0: none. */
  readonly briefUntilSeq: number;
}

/** The whole session as a prompt, however long. */
export function draftPrompt(
  frame: PromptFrame,
  events: readonly Event[],
  { maxBytes, briefUntilSeq }: ShownResults,
): PromptDraft {
  const conversation = readConversation(events, maxBytes);
  const units = conversation.units.map((unit) =>
    unit.toSeq <= briefUntilSeq ? { ...unit, messages: unit.messages.map(brief) } : unit,
  );
  const earlier = earlierNote(events);
  const system: ChatMessage = { role: "system", text: frame.instruction };
  const notes = earlier === undefined ? frame.notes : [...frame.notes, earlier];
  const question = units.findLast(({ kind }) => kind === "user");
  return {
    units,
    notes,
    pinned: [system, ...(question?.messages ?? [])],
    messages: [system, ...notes, ...units.flatMap(({ messages }) => messages)],
    tools:
      conversation.shortened || briefUntilSeq > 0 || earlier !== undefined
        ? [...frame.tools, ...frame.toolsWhenShortened]
        : frame.tools,
  };
}

/** How the context of the agent's model is divided beside these tools; `undefined`: its size is not known. */
export function roomBeside(
  turn: Turn,
  meter: PromptMeter,
  tools: readonly ToolDescription[],
): ContextBudget | undefined {
  const { model, compaction } = turn.config;
  const toolTokens = Math.ceil(meter.tools(tools));
  return contextBudget(model, { toolTokens, declared: compaction?.tokenThreshold });
}
