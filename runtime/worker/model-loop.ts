import { type Part, THOUGHT } from "../api/events.ts";
import type { ToolDescription } from "../api/tool.ts";
import type { ChatMessage, ChatModel, ModelToolCall } from "../model/chat-model.ts";
import { withRetry } from "../model/retry.ts";
import { conversation } from "./conversation.ts";
import { runCalls } from "./tool-calls.ts";
import type { Toolbox } from "./toolbox.ts";
import type { Turn } from "./turn-context.ts";

/** How a conversation with the model ended. */
export type LoopEnd =
  | { readonly kind: "answered"; readonly text: string; readonly messages: readonly ChatMessage[] }
  | { readonly kind: "waiting" };

/** The agent's model with the retries of its configuration. */
export async function openModel(turn: Turn): Promise<ChatModel> {
  const { deps, config } = turn;
  const model = await deps.model(config.model);
  return withRetry(model, config.retry, deps.clock, deps.random);
}

/**
 * Asks the model, runs the tools it calls, asks again, until it answers without calling any.
 *
 * @returns The answer with the messages that led to it, or that people have to decide on calls first.
 * @throws LimitError, ModelError, or the turn's abort reason.
 */
export async function converse(turn: Turn, toolbox: Toolbox): Promise<LoopEnd> {
  const model = await openModel(turn);
  const tools = [...toolbox.tools.values()].map(({ description }) => description);
  const system: ChatMessage = { role: "system", text: instruction(turn, toolbox) };
  for (;;) {
    const history = turn.history();
    const messages = [system, ...conversation(history, turn.config.toolResultMaxBytes)];
    const step = await ask(turn, model, messages, tools);
    if (step.calls.length === 0) {
      const text = step.text === "" ? "(The model gave no answer.)" : step.text;
      const answered = { role: "assistant", text, toolCalls: [] } as const;
      return { kind: "answered", text, messages: [...messages, answered] };
    }
    if (step.parts.length > 0)
      await turn.emit.event({ type: "message", role: "agent", parts: step.parts });
    const pending = await runCalls(turn, toolbox, step.calls);
    if (pending.length > 0) {
      await turn.emit.event({ type: "approval-requested", pending: [...pending] });
      return { kind: "waiting" };
    }
  }
}

function instruction(turn: Turn, toolbox: Toolbox): string {
  if (toolbox.missing.length === 0) return turn.config.instruction;
  const servers = toolbox.missing.map(({ server }) => server).join(", ");
  return `${turn.config.instruction}\n\nUnreachable in this turn, their tools are missing: ${servers}. Say so where it matters.`;
}

/** One answer of a model. */
export interface ModelStep {
  /** What it said, thoughts left out. */
  readonly text: string;
  /** What it said and thought, for the log. */
  readonly parts: Part[];
  readonly calls: readonly ModelToolCall[];
}

/**
 * One model call: streams its text, counts its tokens.
 *
 * @param format - JSON Schema of the answer; such text is not streamed, people would see bare JSON.
 */
export async function ask(
  turn: Turn,
  model: ChatModel,
  messages: readonly ChatMessage[],
  tools: readonly ToolDescription[],
  format?: Readonly<Record<string, unknown>>,
): Promise<ModelStep> {
  turn.budget.startModelCall();
  const text: string[] = [];
  const thoughts: string[] = [];
  const calls: ModelToolCall[] = [];
  const request = { messages, tools, ...(format === undefined ? {} : { format }) };
  for await (const chunk of model.chat(request, turn.signal)) {
    if (chunk.type === "tool-call") calls.push(chunk.call);
    else if (chunk.type === "done") turn.budget.addTokens(chunk);
    else {
      (chunk.type === "text" ? text : thoughts).push(chunk.text);
      if (turn.config.stream && format === undefined)
        turn.emit.partial(chunk.text, chunk.type === "thought");
    }
  }
  const said = text.join("");
  const thought = thoughts.join("");
  const parts: Part[] = [];
  if (thought !== "") parts.push({ text: thought, metadata: { [THOUGHT]: true } });
  if (said !== "") parts.push({ text: said });
  return { text: said, parts, calls };
}
