import { randomUUID } from "node:crypto";
import * as z from "zod";
import type { ModelSettings } from "../api/agent-config.ts";
import { type Clock, systemClock } from "../process/clock.ts";
import type { ChatChunk, ChatModel, ChatRequest, ModelToolCall } from "./chat-model.ts";
import { OllamaConnection } from "./ollama-connection.ts";
import { DEFAULT_OLLAMA_HOST, type OllamaEndpoint, ollamaEndpoint } from "./ollama-endpoint.ts";
import { outOfProtocol } from "./ollama-errors.ts";
import { OllamaLine } from "./ollama-lines.ts";
import { chatBody, OLLAMA_DEFAULTS } from "./ollama-request.ts";

/** What {@link ollamaModel} is made of. */
export interface OllamaModelOptions {
  /** Model, runner options and time limits. */
  readonly settings: ModelSettings;
  /** Base URL; the one of the settings unless set, else Ollama's usual address. */
  readonly host?: string | undefined;
  /** Counts the waits; the machine's clock unless set. */
  readonly clock?: Clock;
}

/**
 * A model of an Ollama server.
 *
 * Connections last for one request. Time limits count while the server is waited for, not while the
 * caller works on a piece. A model that plans a tool call in silence is idle: `idleMs` bounds that too.
 *
 * @throws ModelError `rejected` when the host is no HTTP address.
 * @see https://docs.ollama.com/api/chat
 */
export function ollamaModel({ settings, host, clock }: OllamaModelOptions): ChatModel {
  const endpoint = ollamaEndpoint(host ?? settings.ollama?.host ?? DEFAULT_OLLAMA_HOST);
  const source: Source = { settings, endpoint, clock: clock ?? systemClock };
  return {
    label: `ollama ${settings.model}`,
    chat: (request, signal) => converse(source, request, signal),
  };
}

interface Source {
  readonly settings: ModelSettings;
  readonly endpoint: OllamaEndpoint;
  readonly clock: Clock;
}

async function* converse(
  { settings, endpoint, clock }: Source,
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<ChatChunk, void, void> {
  const { timeouts } = settings.ollama ?? OLLAMA_DEFAULTS;
  const { connectMs, firstTokenMs: answerMs, idleMs } = timeouts;
  const { model, apiKey, headers, tls } = settings;
  const to = { endpoint, model, apiKey, headers, tls, connectMs, answerMs, clock };
  const connection = await OllamaConnection.open(to, signal);
  const callIds = new Set(request.messages.flatMap(idsOf));
  try {
    const body = chatBody(settings, request);
    // The wire carries what the library's types are too narrow for: whole schemas, call ids, truncate.
    const answer = await connection.client.chat(body as unknown as LibraryRequest);
    const lines = answer[Symbol.asyncIterator]();
    for (;;) {
      const { value, done } = await lines.next();
      connection.rest();
      signal.throwIfAborted();
      if (done === true) throw outOfProtocol(endpoint.url, "ended its answer early");
      for (const piece of pieces(OllamaLine.parse(value), callIds)) {
        yield piece;
        if (piece.type === "done") return;
        signal.throwIfAborted();
      }
      connection.expect("next piece of the answer", idleMs);
    }
  } catch (error) {
    throw connection.failure(error);
  } finally {
    connection.close();
  }
}

type LibraryRequest = import("ollama").ChatRequest & { stream: true };

function idsOf(message: ChatRequest["messages"][number]): readonly string[] {
  return message.role === "assistant" ? message.toolCalls.map((call) => call.id) : [];
}

function* pieces(line: OllamaLine, callIds: Set<string>): Generator<ChatChunk, void, void> {
  const { content, thinking, tool_calls: calls } = line.message ?? {};
  if (thinking) yield { type: "thought", text: thinking };
  if (content) yield { type: "text", text: content };
  for (const { id, function: asked } of calls ?? []) {
    const call: ModelToolCall = {
      id: uniqueId(id, callIds),
      name: asked.name,
      args: argumentsOf(asked.arguments),
    };
    yield { type: "tool-call", call };
  }
  if (line.done !== true) return;
  yield {
    type: "done",
    inputTokens: line.prompt_eval_count ?? 0,
    outputTokens: line.eval_count ?? 0,
    cachedTokens: 0,
    stop: line.done_reason === "length" ? "length" : "end",
  };
}

/** The provider's id where it gave one that the conversation has not seen. */
function uniqueId(given: string | null | undefined, taken: Set<string>): string {
  const id = given && !taken.has(given) ? given : `call_${randomUUID()}`;
  taken.add(id);
  return id;
}

const Arguments = z.record(z.string(), z.unknown());

/** Arguments as an object; some models hand them over as JSON in a string. */
function argumentsOf(given: unknown): Readonly<Record<string, unknown>> {
  const direct = Arguments.safeParse(given);
  if (direct.success) return direct.data;
  if (typeof given !== "string") return {};
  try {
    return Arguments.catch({}).parse(JSON.parse(given));
  } catch {
    return {};
  }
}
