import { type Checked, sentence, type Violation } from "../api/checked.ts";
import type { ChatMessage } from "../model/chat-model.ts";
import { ask, openModel } from "./ask-model.ts";
import type { Answered } from "./model-loop.ts";
import type { Turn } from "./turn-context.ts";
import { TurnFailure } from "./turn-failure.ts";

/** 8,000 characters of an answer that was wrong are shown to the model again. */
const MAX_SHOWN = 8_000;

/** How an answer is to be put into a form. */
export interface StructuredForm<T> {
  /** JSON Schema that the provider holds the model to. */
  readonly format: Readonly<Record<string, unknown>>;
  /** What the model is asked. */
  readonly request: string;
  /** The value of the model's text, or what is wrong with it. */
  readonly read: (text: string) => Checked<T>;
}

/**
 * Asks the model to put its answer into a form: one call without tools, as providers take no form together
 * with tools, and one repair.
 *
 * @returns The value, or what was wrong with the second answer.
 * @throws LimitError, ModelError, TurnFailure `CONTEXT_TOO_LARGE`, or the turn's abort reason.
 */
export async function structuredAnswer<T>(
  turn: Turn,
  end: Answered,
  { format, request, read }: StructuredForm<T>,
): Promise<Checked<T>> {
  const model = await openModel(turn);
  const tail: ChatMessage[] = [{ role: "user", text: request }];
  for (const attempt of ["first", "repair"] as const) {
    const step = await ask(turn, model, {
      messages: fitting(end, tail, format),
      tools: [],
      format,
    });
    const value = read(step.text);
    if (value.ok || attempt === "repair") return value;
    tail.push({ role: "assistant", text: step.text.slice(0, MAX_SHOWN), toolCalls: [] });
    tail.push({ role: "user", text: repair(value.violations) });
  }
  throw new Error("a structured answer has two attempts"); // the second one returns
}

function repair(violations: readonly Violation[]): string {
  return `That was not valid for the schema (${sentence(violations)}). Answer again with the JSON object alone.`;
}

/** The prompt with question, answer and request in it; where the question has no room, without it. */
function fitting(
  { messages, context }: Answered,
  tail: readonly ChatMessage[],
  format: object,
): readonly ChatMessage[] {
  const all = [...messages, ...tail];
  const system = messages.slice(0, 1);
  const answer = messages.slice(-1);
  const question = messages.findLast(({ role }) => role === "user");
  const pinned = [...system, ...answer, ...tail];
  try {
    const asked = question === undefined ? [] : [question];
    return context.toolFree({ messages: all, pinned: [...pinned, ...asked], format });
  } catch (error) {
    if (!(error instanceof TurnFailure)) throw error;
    return context.toolFree({ messages: all, pinned, format });
  }
}
