import { type Event, type EventBody, type EventOf, type Part, textOf } from "../api/events.ts";
import type { ChatMessage, ModelToolCall } from "../model/chat-model.ts";

/** Told to the model in place of a result that never came. */
const NO_RESULT = "No result: the turn ended before this call did.";

/**
 * Messages of a session as a model reads them, oldest first, without the system message.
 *
 * Calls and their results always come in pairs, results in the order of their calls: providers refuse
 * anything else. Events that no model wrote or asked for (routing, status, refusals, people's decisions
 * about calls) are left out.
 *
 * @param toolResultMaxBytes - Longest text of one result; the middle of a longer one is left out.
 */
export function conversation(
  events: readonly Event[],
  toolResultMaxBytes: number,
): readonly ChatMessage[] {
  const reader = new ConversationReader(resultsByCall(events, toolResultMaxBytes));
  for (const { body } of events) reader.read(body);
  return reader.end();
}

/** One step of a model: what it said and the calls it made. */
interface Step {
  readonly text: string;
  readonly calls: ModelToolCall[];
  /** A call after a result belongs to the model's next step. */
  answered: boolean;
}

class ConversationReader {
  readonly #results: ReadonlyMap<string, ChatMessage>;
  readonly #messages: ChatMessage[] = [];
  #step: Step | undefined;
  /** While people decide on calls, what they send is no message to the model. */
  #deciding = false;

  constructor(results: ReadonlyMap<string, ChatMessage>) {
    this.#results = results;
  }

  read(body: EventBody): void {
    if (body.type === "approval-requested") this.#deciding = true;
    else if (body.type === "approval-decided") this.#deciding = false;
    else if (body.type === "message") this.#message(body);
    else if (body.type === "tool-call") this.#call(body);
    else if (body.type === "tool-result" && this.#step !== undefined) this.#step.answered = true;
  }

  end(): readonly ChatMessage[] {
    this.#close();
    return this.#messages;
  }

  #message({ role, parts }: EventOf<"message">): void {
    const text = readable(parts);
    if (role === "agent") this.#open(text);
    else if (!this.#deciding) {
      this.#close();
      if (text !== "") this.#messages.push({ role: "user", text });
    }
  }

  #call({ callId, name, args }: EventOf<"tool-call">): void {
    const step = this.#step === undefined || this.#step.answered ? this.#open("") : this.#step;
    step.calls.push({ id: callId, name, args });
  }

  #open(text: string): Step {
    this.#close();
    this.#step = { text, calls: [], answered: false };
    return this.#step;
  }

  #close(): void {
    if (this.#step !== undefined) this.#messages.push(...closed(this.#step, this.#results));
    this.#step = undefined;
  }
}

function resultsByCall(events: readonly Event[], maxBytes: number): Map<string, ChatMessage> {
  const results = new Map<string, ChatMessage>();
  for (const { body } of events)
    if (body.type === "tool-result") results.set(body.callId, resultMessage(body, maxBytes));
  return results;
}

function closed(step: Step, results: ReadonlyMap<string, ChatMessage>): readonly ChatMessage[] {
  if (step.text === "" && step.calls.length === 0) return [];
  return [
    { role: "assistant", text: step.text, toolCalls: step.calls },
    ...step.calls.map(
      ({ id, name }): ChatMessage =>
        results.get(id) ?? { role: "tool", callId: id, name, text: NO_RESULT },
    ),
  ];
}

function resultMessage(result: EventOf<"tool-result">, maxBytes: number): ChatMessage {
  const text = shortened(readable(result.parts), maxBytes);
  return {
    role: "tool",
    callId: result.callId,
    name: result.name,
    text: result.ok ? text : `Error: ${text}`,
  };
}

/** Text of `parts` for a model: text as it is, data as JSON, files by name. */
function readable(parts: readonly Part[]): string {
  const data = parts.map((part) => {
    if ("data" in part) return JSON.stringify(part.data);
    if ("url" in part) return `[file ${part.filename ?? part.url}]`;
    if ("raw" in part) return `[file ${part.filename ?? part.mediaType ?? "without a name"}]`;
    return "";
  });
  return [textOf(parts), ...data].filter((piece) => piece !== "").join("\n");
}

/** First and last share of a text that is cut in its middle. */
const HEAD_SHARE = 0.6;

/** `text` within `maxBytes` of UTF-8, its middle replaced by a marker that says how much is missing. */
export function shortened(text: string, maxBytes: number): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return text;
  const buffer = Buffer.from(text);
  const head = Math.floor(maxBytes * HEAD_SHARE);
  const tail = maxBytes - head;
  const start = wholeCharacters(buffer.subarray(0, head));
  const end = wholeCharacters(buffer.subarray(bytes - tail));
  return `${start}\n[... ${bytes - head - tail} bytes left out ...]\n${end}`;
}

/** Decodes a cut piece of UTF-8 without the broken characters at its ends. */
function wholeCharacters(buffer: Buffer): string {
  return buffer.toString("utf8").replace(/^�+|�+$/g, "");
}
