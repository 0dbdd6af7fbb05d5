import type { ToolDescription } from "../../api/tool.ts";
import type { ChatMessage } from "../../model/chat-model.ts";
import { selfContained } from "../../model/tool-schema.ts";

/** Tokens of a chat template around one message: role, markers, line breaks. */
const MESSAGE_TOKENS = 8;
/** Tokens around one tool call or one tool result. */
const CALL_TOKENS = 20;
/** Tokens around one tool's description. */
const TOOL_TOKENS = 16;
/** Tokens by which chat templates explain tools, when there are any. */
const TOOLS_TOKENS = 160;

/**
 * Tokens of one character of ASCII, on the careful side of what byte-pair encoders make of text, logs,
 * JSON and base64: words take about four letters each, digits one each, capitals often open a token.
 */
const ASCII = Float64Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[a-z]/.test(character)) return 0.33;
  if (character === " ") return 0.15;
  if (/[A-Z0-9]/.test(character)) return 1;
  return 0.8;
});
/** Tokens of a character of two bytes of UTF-8 (Cyrillic, Greek, accents). */
const TWO_BYTES = 1;
/** Tokens of one of three bytes (Chinese, Japanese, Korean, symbols). */
const THREE_BYTES = 2;
/** Tokens of each half of a surrogate pair (emoji): four bytes in all. */
const SURROGATE = 2;

/**
 * Tokens of a text, estimated without the model's vocabulary; rather too many than too few.
 *
 * Additive: the tokens of a text are those of its pieces, so less text is never more tokens. Not rounded.
 */
export function textTokens(text: string): number {
  let tokens = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 128) tokens += ASCII[code] ?? 1;
    else if (code < 0x800) tokens += TWO_BYTES;
    else if (code >= 0xd800 && code < 0xe000) tokens += SURROGATE;
    else tokens += THREE_BYTES;
  }
  return tokens;
}

/** Estimates are made once for each object: messages and descriptions do not change. */
const known = new WeakMap<object, number>();

/** Tokens of a message with what a chat template puts around it. */
export function messageTokens(message: ChatMessage): number {
  return remembered(message, () => {
    const text = MESSAGE_TOKENS + textTokens(message.text);
    if (message.role === "tool") return text + CALL_TOKENS + textTokens(message.name);
    if (message.role !== "assistant") return text;
    return message.toolCalls.reduce(
      (sum, { name, args }) =>
        sum + CALL_TOKENS + textTokens(name) + textTokens(JSON.stringify(args)),
      text,
    );
  });
}

/** Tokens of messages. */
export function messagesTokens(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, message) => sum + messageTokens(message), 0);
}

/** Tokens of the tools' schemas as models are told of them. */
export function toolsTokens(tools: readonly ToolDescription[]): number {
  if (tools.length === 0) return 0;
  return tools.reduce((sum, tool) => sum + toolTokens(tool), TOOLS_TOKENS);
}

function toolTokens(tool: ToolDescription): number {
  return remembered(tool, () => {
    const schema = JSON.stringify(selfContained(tool.inputSchema));
    return TOOL_TOKENS + textTokens(tool.name) + textTokens(tool.description) + textTokens(schema);
  });
}

function remembered(key: object, count: () => number): number {
  const before = known.get(key);
  if (before !== undefined) return before;
  const tokens = count();
  known.set(key, tokens);
  return tokens;
}
