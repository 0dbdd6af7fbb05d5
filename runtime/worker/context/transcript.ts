import type { ChatMessage } from "../../model/chat-model.ts";
import { shortened } from "./readable.ts";
import { textTokens } from "./token-estimate.ts";

/** 2,000 bytes of one tool result, and of one call's arguments, go into a transcript. */
const ITEM_BYTES = 2_000;
/** 8,000 bytes of one message do. */
const MESSAGE_BYTES = 8_000;

/**
 * Messages as text that another model reads.
 *
 * @param maxTokens - Most tokens; the middle of a longer transcript is left out.
 */
export function transcript(messages: readonly ChatMessage[], maxTokens: number): string {
  const whole = messages.map(line).join("\n\n");
  let text = whole;
  for (let bytes = Buffer.byteLength(whole); textTokens(text) > maxTokens && bytes > 0; ) {
    bytes = Math.floor(bytes * Math.min(0.9, maxTokens / textTokens(text)));
    text = shortened(whole, bytes);
  }
  return text;
}

function line(message: ChatMessage): string {
  switch (message.role) {
    case "system":
    case "user":
      return `${message.role}: ${shortened(message.text, MESSAGE_BYTES)}`;
    case "tool":
      return `result of ${message.name}: ${shortened(message.text, ITEM_BYTES)}`;
    case "assistant": {
      const calls = message.toolCalls.map(
        ({ name, args }) => `calls ${name} ${shortened(JSON.stringify(args), ITEM_BYTES)}`,
      );
      const said = message.text === "" ? [] : [shortened(message.text, MESSAGE_BYTES)];
      return `assistant: ${[...said, ...calls].join("\n")}`;
    }
  }
}
