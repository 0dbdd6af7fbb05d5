import type { ChatChunk, ChatModel, ChatRequest } from "../../runtime/model/chat-model.ts";

/** One answer of a {@link ScriptedModel}. */
export type ScriptedStep =
  | {
      readonly text?: string;
      readonly calls?: readonly (readonly [string, Record<string, unknown>])[];
    }
  | { readonly throws: unknown }
  | "hang";

/** A language model that answers by script and remembers what it was asked. */
export class ScriptedModel implements ChatModel {
  readonly label = "scripted";
  readonly requests: ChatRequest[] = [];
  /** Of the requests, in order. */
  readonly signals: AbortSignal[] = [];
  readonly #steps: ScriptedStep[];
  #ids = 0;

  constructor(...steps: ScriptedStep[]) {
    this.#steps = steps;
  }

  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatChunk, void, void> {
    this.requests.push(request);
    this.signals.push(signal);
    const step = this.#steps.shift() ?? { text: "(the script is over)" };
    if (step === "hang") {
      await new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          reject(signal.reason as Error);
        });
      });
      return;
    }
    if ("throws" in step) throw step.throws;
    for (const [name, args] of step.calls ?? [])
      yield { type: "tool-call", call: { id: `call-${++this.#ids}`, name, args } };
    for (const piece of (step.text ?? "").match(/.{1,5}/gs) ?? [])
      yield { type: "text", text: piece };
    yield { type: "done", inputTokens: 10, outputTokens: 5, cachedTokens: 0, stop: "end" };
  }
}
