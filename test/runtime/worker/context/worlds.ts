import type { ModelSettings } from "../../../../runtime/api/agent-config.ts";
import type { Event, EventBody } from "../../../../runtime/api/events.ts";
import type { ChatChunk, ChatModel, ChatRequest } from "../../../../runtime/model/chat-model.ts";
import type { Logger } from "../../../../runtime/telemetry/log.ts";
import { messagesTokens, toolsTokens } from "../../../../runtime/worker/context/token-estimate.ts";
import type { TurnDeps } from "../../../../runtime/worker/turn-context.ts";
import type { ScriptedModel } from "../../../support/scripted-model.ts";
import { Outside } from "../turn-harness.ts";

/** Settings of a model with a context window of so many tokens, a quarter of it for the reply. */
export function modelOf(contextWindow: number, model = "m"): ModelSettings {
  return { ref: { namespace: "kagent", name: model }, provider: "Ollama", model, contextWindow };
}

/** What one step of a {@link CountingModel} says. */
export type Step = {
  readonly text?: string;
  readonly calls?: readonly (readonly [string, Record<string, unknown>])[];
};

/** A model that counts the tokens of its prompts, and reports them, by a rule of its own. */
export class CountingModel implements ChatModel {
  readonly label = "counting";
  readonly requests: ChatRequest[] = [];
  readonly counted: number[] = [];
  readonly #next: (index: number) => Step;
  readonly #density: number;
  #ids = 0;

  /** @param density - Tokens for each one that our estimate says. */
  constructor(next: (index: number) => Step, density = 1) {
    this.#next = next;
    this.#density = density;
  }

  async *chat(request: ChatRequest): AsyncGenerator<ChatChunk, void, void> {
    const tokens = this.#density * (messagesTokens(request.messages) + toolsTokens(request.tools));
    this.requests.push(request);
    this.counted.push(Math.ceil(tokens));
    await Promise.resolve();
    const { text = "", calls = [] } = this.#next(this.requests.length - 1);
    for (const [name, args] of calls)
      yield { type: "tool-call", call: { id: `c${++this.#ids}`, name, args } };
    if (text !== "") yield { type: "text", text };
    const inputTokens = Math.ceil(tokens);
    yield { type: "done", inputTokens, outputTokens: 5, cachedTokens: 0, stop: "end" };
  }
}

/** Outside of a turn with models by name, and a log that can be read. */
export class World extends Outside {
  readonly warnings: string[] = [];
  readonly models = new Map<string, ChatModel>();
  extra: Partial<TurnDeps> = {};
  override readonly tools: readonly string[] = ["k8s_get"];

  override deps(model: ScriptedModel): TurnDeps {
    const log: Logger = {
      ...super.deps(model).log,
      warn: (message, fields) => this.warnings.push(`${message} ${JSON.stringify(fields ?? {})}`),
    };
    return {
      ...super.deps(model),
      model: (settings) => Promise.resolve(this.models.get(settings.model) ?? model),
      log,
      ...this.extra,
    };
  }
}

/** Events of one session in a row. */
export function logOf(...entries: readonly (readonly [string, EventBody])[]): Event[] {
  return entries.map(([taskId, body], index) => ({
    seq: index + 1,
    id: String(index),
    time: "2026-01-01T00:00:00Z",
    contextId: "context",
    taskId,
    author: body.type === "message" && body.role === "user" ? "user" : "kagent/tester",
    body,
  }));
}

/** A message. */
export function says(role: "user" | "agent", text: string): EventBody {
  return { type: "message", role, parts: [{ text }] };
}

/** A call of a tool. */
export function call(callId: string, args: Record<string, unknown> = {}): EventBody {
  const target = { kind: "mcp", ref: "kagent/tools" } as const;
  return { type: "tool-call", callId, name: "k8s_get", args, target };
}

/** Its result. */
export function result(callId: string, text: string): EventBody {
  return { type: "tool-result", callId, name: "k8s_get", ok: true, parts: [{ text }], ms: 1 };
}
