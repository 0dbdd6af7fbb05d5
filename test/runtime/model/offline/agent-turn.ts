import assert from "node:assert/strict";
import type { ToolDescription } from "../../../../runtime/api/tool.ts";
import type {
  ChatMessage,
  ChatModel,
  ModelToolCall,
} from "../../../../runtime/model/chat-model.ts";
import { callsIn, readAll, textIn } from "../chat-model-contract.ts";

/** A tool with what it answers; an answer that begins with `Error: ` is a failure. */
export interface TestTool extends ToolDescription {
  readonly answer: (args: Readonly<Record<string, unknown>>) => string | Promise<string>;
}

/** A tool whose arguments are all of type string, none required, unless `properties` say otherwise. */
export function testTool(
  name: string,
  answer: TestTool["answer"] | string,
  properties: Readonly<Record<string, unknown>> = {},
  required: readonly string[] = [],
): TestTool {
  return {
    name,
    description: `The tool ${name}.`,
    inputSchema: { type: "object", properties, required },
    answer: typeof answer === "string" ? () => answer : answer,
  };
}

/** What a turn came to. */
export interface PlayedTurn {
  readonly text: string;
  readonly calls: readonly ModelToolCall[];
  /** Calls of each step. */
  readonly steps: readonly (readonly ModelToolCall[])[];
  readonly messages: readonly ChatMessage[];
}

const open = new AbortController().signal;

/** Plays the worker's part: runs the tools that the model calls until it answers. */
export async function playTurn(
  model: ChatModel,
  question: string,
  tools: readonly TestTool[],
  before: readonly ChatMessage[] = [],
): Promise<PlayedTurn> {
  const messages: ChatMessage[] = [...before, { role: "user", text: question }];
  const described = tools.map(({ name, description, inputSchema }) => ({
    name,
    description,
    inputSchema,
  }));
  const steps: (readonly ModelToolCall[])[] = [];
  for (;;) {
    assert.ok(steps.length <= 12, "the turn does not end");
    const chunks = await readAll(model.chat({ messages, tools: described }, open));
    const toolCalls = callsIn(chunks);
    const text = textIn(chunks);
    messages.push({ role: "assistant", text, toolCalls });
    if (toolCalls.length === 0) return { text, calls: steps.flat(), steps, messages };
    steps.push(toolCalls);
    for (const call of toolCalls) {
      const tool = tools.find(({ name }) => name === call.name);
      assert.ok(tool, `${call.name} was not described`);
      const answer = await tool.answer(call.args);
      messages.push({ role: "tool", callId: call.id, name: call.name, text: answer });
    }
  }
}
