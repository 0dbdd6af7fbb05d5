import type { ChatMessage } from "../../model/chat-model.ts";
import { shortened } from "./readable.ts";
import { rest } from "./rest-of-result.ts";

/** 512 bytes of a result of an earlier step stay where room is short; the rest can be read again. */
const BRIEF_BYTES = 512;
/** 256 bytes of one text among a call's arguments stay where room is short. */
const ARGUMENT_BYTES = 256;

type ToolMessage = Extract<ChatMessage, { role: "tool" }>;
type AssistantMessage = Extract<ChatMessage, { role: "assistant" }>;

/** A message of an earlier step with as much of results and arguments as tells what they were about. */
export function brief(message: ChatMessage): ChatMessage {
  return shorter(message, BRIEF_BYTES);
}

/** A message with at most `bytes` of a result's text, and little of each long text among a call's arguments. */
export function shorter(message: ChatMessage, bytes: number): ChatMessage {
  if (message.role === "tool") return shorterResult(message, bytes);
  if (message.role === "assistant") return shorterCalls(message);
  return message;
}

function shorterResult(message: ToolMessage, bytes: number): ChatMessage {
  const text = shortened(message.text, bytes, rest(message.callId));
  // a marker may be longer than what it stands for
  return text.length < message.text.length ? { ...message, text } : message;
}

function shorterCalls(message: AssistantMessage): ChatMessage {
  const toolCalls = message.toolCalls.map((call) => {
    const args = shorterValue(call.args) as typeof call.args;
    return JSON.stringify(args).length < JSON.stringify(call.args).length
      ? { ...call, args }
      : call;
  });
  const same = toolCalls.every((call, index) => call === message.toolCalls[index]);
  return same ? message : { ...message, toolCalls };
}

/** `value` with its long texts cut; objects and lists keep their shape. */
function shorterValue(value: unknown): unknown {
  if (typeof value === "string") {
    const text = shortened(value, ARGUMENT_BYTES);
    return text.length < value.length ? text : value;
  }
  if (Array.isArray(value)) return value.map(shorterValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, shorterValue(member)]),
  );
}
