import { type Event, type EventOf, isTerminal } from "../api/events.ts";
import type { ChatMessage, ModelToolCall } from "../model/chat-model.ts";
import { isCompacted } from "./context/compacted.ts";
import { readable, shortened } from "./context/readable.ts";
import { rest } from "./context/rest-of-result.ts";

/** Told to the model in place of a result that never came. */
const NO_RESULT = "No result: the turn ended before this call did.";

/** Messages that stand or fall together: what a user said, or a step of the model with its results. */
export interface Unit {
  readonly kind: "user" | "step";
  readonly messages: readonly ChatMessage[];
  /** First event it is made of. */
  readonly fromSeq: number;
  /** Last event it is made of. */
  readonly toSeq: number;
  /** How many events it is made of. */
  readonly events: number;
  /** Whether a call of it still waits for its result. */
  readonly open: boolean;
}

/** A session as a model reads it, without the system message. */
export interface Conversation {
  /** Oldest first; what was compacted is not among them. */
  readonly units: readonly Unit[];
  /** Whether a result is shown shorter than it came. */
  readonly shortened: boolean;
}

/**
 * A session's events as a model reads them.
 *
 * Calls and their results always come in pairs, results in the order of their calls: providers refuse
 * anything else. Events that no model wrote or asked for (routing, status, refusals, people's decisions
 * about calls) are left out, and so is what a compaction covers.
 *
 * @param toolResultMaxBytes - Longest text of one result; the middle of a longer one is left out.
 */
export function readConversation(
  events: readonly Event[],
  toolResultMaxBytes: number,
): Conversation {
  const reader = new ConversationReader(events, toolResultMaxBytes);
  const covered = isCompacted(events);
  for (const event of events) if (!covered(event.seq)) reader.read(event);
  return reader.end();
}

/** Messages of {@link readConversation}. */
export function conversation(
  events: readonly Event[],
  toolResultMaxBytes: number,
): readonly ChatMessage[] {
  return readConversation(events, toolResultMaxBytes).units.flatMap(({ messages }) => messages);
}

/** One step of a model: what it said and the calls it made. */
interface Step {
  readonly text: string;
  readonly calls: (ModelToolCall & { readonly taskId: string })[];
  readonly fromSeq: number;
  toSeq: number;
  events: number;
  /** A call after a result belongs to the model's next step. */
  answered: boolean;
}

interface StoredResult {
  readonly seq: number;
  readonly message: ChatMessage;
  readonly shortened: boolean;
}

class ConversationReader {
  readonly #results = new Map<string, StoredResult>();
  /** Tasks that are over. */
  readonly #over = new Set<string>();
  readonly #units: Unit[] = [];
  #step: Step | undefined;
  /** Tasks in which people decide on calls: what they send then is no message to the model. */
  readonly #deciding = new Set<string>();
  #shortened = false;

  constructor(events: readonly Event[], maxBytes: number) {
    for (const { body, seq, taskId } of events) {
      if (body.type === "tool-result")
        this.#results.set(body.callId, { seq, ...resultMessage(body, maxBytes) });
      if (body.type !== "status") continue;
      if (isTerminal(body.state)) this.#over.add(taskId);
      else this.#over.delete(taskId);
    }
  }

  read({ body, seq, taskId }: Event): void {
    if (body.type === "approval-requested") this.#deciding.add(taskId);
    else if (body.type === "approval-decided") this.#deciding.delete(taskId);
    else if (body.type === "message") this.#message(body, seq, taskId);
    else if (body.type === "tool-call") this.#call(body, seq, taskId);
    else if (body.type === "tool-result" && this.#step !== undefined) this.#step.answered = true;
  }

  end(): Conversation {
    this.#close();
    return { units: this.#units, shortened: this.#shortened };
  }

  #message({ role, parts }: EventOf<"message">, seq: number, taskId: string): void {
    const text = readable(parts);
    if (role === "agent") this.#open(text, seq).events = 1;
    else if (!this.#deciding.has(taskId)) {
      this.#close();
      if (text === "") return;
      const messages = [{ role, text }];
      const place = { fromSeq: seq, toSeq: seq, events: 1 };
      this.#units.push({ kind: "user", messages, ...place, open: false });
    }
  }

  #call({ callId, name, args }: EventOf<"tool-call">, seq: number, taskId: string): void {
    const step = this.#step === undefined || this.#step.answered ? this.#open("", seq) : this.#step;
    step.calls.push({ id: callId, name, args, taskId });
    step.toSeq = seq;
    step.events += 1;
  }

  #open(text: string, seq: number): Step {
    this.#close();
    this.#step = { text, calls: [], fromSeq: seq, toSeq: seq, events: 0, answered: false };
    return this.#step;
  }

  #close(): void {
    const step = this.#step;
    this.#step = undefined;
    if (step === undefined || (step.text === "" && step.calls.length === 0)) return;
    const { fromSeq } = step;
    const results = step.calls.map((call) => ({ call, result: this.#results.get(call.id) }));
    const found = results.flatMap(({ result }) => (result === undefined ? [] : [result]));
    this.#shortened ||= found.some((result) => result.shortened);
    this.#units.push({
      kind: "step",
      messages: [
        {
          role: "assistant",
          text: step.text,
          toolCalls: step.calls.map(({ id, name, args }) => ({ id, name, args })),
        },
        ...results.map(({ call, result }) => result?.message ?? noResult(call)),
      ],
      fromSeq,
      toSeq: Math.max(step.toSeq, ...found.map(({ seq }) => seq)),
      events: step.events + found.length,
      open: results.some(
        ({ call, result }) => result === undefined && !this.#over.has(call.taskId),
      ),
    });
  }
}

function noResult({ id, name }: ModelToolCall): ChatMessage {
  return { role: "tool", callId: id, name, text: NO_RESULT };
}

/** Results as messages are made once: a prompt is built for every call of the model. */
const shown = new WeakMap<object, { maxBytes: number; result: Omit<StoredResult, "seq"> }>();

function resultMessage(body: EventOf<"tool-result">, maxBytes: number): Omit<StoredResult, "seq"> {
  const before = shown.get(body);
  if (before?.maxBytes === maxBytes) return before.result;
  const { callId, name, ok } = body;
  const whole = readable(body.parts);
  const text = shortened(whole, maxBytes, rest(callId));
  const message = { role: "tool", callId, name, text: ok ? text : `Error: ${text}` } as const;
  const result = { message, shortened: text !== whole };
  shown.set(body, { maxBytes, result });
  return result;
}
