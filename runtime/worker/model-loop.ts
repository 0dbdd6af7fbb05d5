import type { ChatMessage } from "../model/chat-model.ts";
import { requestApproval } from "./approval-ask.ts";
import { ask, openModel } from "./ask-model.ts";
import { ContextKeeper } from "./context/context-keeper.ts";
import { preloadMemories } from "./memory-preload.ts";
import { responseSchema } from "./response-schema.ts";
import { runCalls } from "./tool-calls.ts";
import type { Tool, Toolbox } from "./toolbox.ts";
import type { Turn } from "./turn-context.ts";

/** A model's answer with what led to it. */
export interface Answered {
  readonly kind: "answered";
  readonly text: string;
  /** The last prompt's messages and the answer. */
  readonly messages: readonly ChatMessage[];
  /** Makes further prompts of the turn fit. */
  readonly context: ContextKeeper;
}

/** How a conversation with the model ended. */
export type LoopEnd = Answered | { readonly kind: "waiting" };

/**
 * Asks the model, runs the tools it calls, asks again, until it answers without calling any.
 *
 * @returns The answer with the messages that led to it, or that people have to decide on calls first.
 * @throws TurnFailure `CONTEXT_TOO_LARGE`, or `INVALID_OUTPUT` for a schema that is none; LimitError, ModelError, or the turn's abort reason.
 */
export async function converse(turn: Turn, toolbox: Toolbox): Promise<LoopEnd> {
  await responseSchema(turn.config); // one that is wrong is told before anything is done
  const model = await openModel(turn);
  const tools = [...toolbox.tools.values()];
  const memories = await preloadMemories(turn);
  const context = new ContextKeeper(turn, {
    instruction: instruction(turn, toolbox),
    tools: tools.filter((tool) => !offeredLater(tool)).map(({ description }) => description),
    toolsWhenShortened: tools.filter(offeredLater).map(({ description }) => description),
    notes: memories === undefined ? [] : [memories],
  });
  for (;;) {
    const prompt = await context.next();
    const step = await ask(turn, model, prompt);
    context.measured(prompt, step.inputTokens);
    if (step.calls.length === 0) {
      const text = step.text === "" ? "(The model gave no answer.)" : step.text;
      const answer = { role: "assistant", text, toolCalls: [] } as const;
      return { kind: "answered", text, messages: [...prompt.messages, answer], context };
    }
    if (step.parts.length > 0)
      await turn.emit.event({ type: "message", role: "agent", parts: step.parts });
    const pending = await runCalls(turn, toolbox, step.calls);
    if (pending.length > 0) {
      await requestApproval(turn, pending);
      return { kind: "waiting" };
    }
  }
}

function offeredLater(tool: Tool): boolean {
  return tool.kind === "builtin" && tool.offered === "when-shortened";
}

function instruction(turn: Turn, toolbox: Toolbox): string {
  if (toolbox.missing.length === 0) return turn.config.instruction;
  const servers = toolbox.missing.map(({ server }) => server).join(", ");
  return `${turn.config.instruction}\n\nUnreachable in this turn, their tools are missing: ${servers}. Say so where it matters.`;
}
