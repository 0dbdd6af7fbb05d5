import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { ModelSettings, OpenAiSettings } from "../api/agent-config.ts";
import { type Clock, systemClock } from "../process/clock.ts";
import { type ChatChunk, type ChatModel, type ChatRequest, ModelError } from "./chat-model.ts";
import { callOptions, withFields } from "./openai-request.ts";
import { ToolNames } from "./openai-tool-names.ts";
import { ProviderConnection } from "./provider-connection.ts";
import { outOfProtocol } from "./provider-errors.ts";

/** Where OpenAI itself answers. */
const DEFAULT_BASE_URL = "https://api.openai.com/v1";
/** 10 s for a connection: these servers are far away. */
const CONNECT_MS = 10_000;
/** 10 minutes for an answer where the ModelConfig names no timeout: what the provider itself allows. */
const ANSWER_MS = 600_000;

/** What {@link openAiModel} is made of. */
export interface OpenAiModelOptions {
  readonly settings: ModelSettings;
  /** Counts the waits; the machine's clock unless set. */
  readonly clock?: Clock;
}

/**
 * A model of OpenAI, or of any server that speaks its chat completions or responses.
 *
 * The provider package reads and writes the conversation. The fields of the ModelConfig are put into the body
 * as they are: what a model does not take is refused by the provider, in its own words, not dropped on the way.
 *
 * @throws ModelError `rejected` for fields that the chosen API does not have, or without a key.
 * @see https://platform.openai.com/docs/api-reference
 */
export function openAiModel({ settings, clock = systemClock }: OpenAiModelOptions): ChatModel {
  const own = settings.openAI ?? { apiFormat: "chatCompletions" };
  const baseUrl = (own.baseUrl ?? DEFAULT_BASE_URL).replace(/\/+$/, "");
  const source: Source = { settings, own, baseUrl, fields: withFields(own), clock };
  if (settings.apiKey === undefined && settings.apiKeyPassthrough === true)
    throw new ModelError(
      `ModelConfig ${settings.ref.namespace}/${settings.ref.name} passes the caller's bearer token on, and the request came without one`,
      { code: "rejected", retryable: false },
    );
  return {
    label: `openai ${settings.model}`,
    chat: (request, signal) => converse(source, request, signal),
  };
}

interface Source {
  readonly settings: ModelSettings;
  readonly own: OpenAiSettings;
  readonly baseUrl: string;
  /** Adds the fields of the ModelConfig to a body. */
  readonly fields: (body: string) => string;
  readonly clock: Clock;
}

async function* converse(
  source: Source,
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<ChatChunk, void, void> {
  const { settings, own, baseUrl, clock } = source;
  const limitMs = own.timeoutMs ?? ANSWER_MS;
  const subject = `OpenAI at ${baseUrl}`;
  const connection = await ProviderConnection.open(
    {
      subject,
      headers: settings.headers ?? {},
      tls: settings.tls,
      connectMs: CONNECT_MS,
      answerMs: limitMs,
      clock,
    },
    signal,
  );
  try {
    const names = new ToolNames(request.tools.map(({ name }) => name));
    const model = await languageModel(source, connection);
    const { stream } = await model.doStream(callOptions(own, request, names));
    const parts = stream.getReader();
    for (;;) {
      const { value, done } = await parts.read();
      connection.rest();
      signal.throwIfAborted();
      if (done) throw outOfProtocol(subject, "ended its answer early");
      for (const piece of pieces(value, names)) {
        yield piece;
        if (piece.type === "done") return;
        signal.throwIfAborted();
      }
      connection.expect("next piece of the answer", limitMs);
    }
  } catch (error) {
    throw connection.failure(error);
  } finally {
    connection.close();
  }
}

/** The package's model on this connection; loaded with the first request. */
async function languageModel(
  { settings, own, baseUrl, fields }: Source,
  connection: ProviderConnection,
): Promise<Pick<LanguageModelV4, "doStream">> {
  const { createOpenAI } = await import("@ai-sdk/openai");
  const provider = createOpenAI({
    baseURL: baseUrl,
    apiKey: settings.apiKey ?? "none", // the package insists on one; a server of one's own may not
    ...(own.organization === undefined ? {} : { organization: own.organization }),
    fetch: async (input, init) => {
      const body = typeof init?.body === "string" ? { body: fields(init.body) } : {};
      const headers = [...new Headers(init?.headers)].filter(
        ([name]) => name !== "authorization" || settings.apiKey !== undefined,
      );
      const request = { ...init, ...body, headers: Object.fromEntries(headers) };
      const response = await connection.fetch(input as string, request);
      return response as unknown as Response;
    },
  });
  return own.apiFormat === "responses"
    ? provider.responses(settings.model)
    : provider.chat(settings.model);
}

function* pieces(
  part: LanguageModelV4StreamPart,
  names: ToolNames,
): Generator<ChatChunk, void, void> {
  // beginnings and ends, sources and files say nothing beyond these
  if (part.type === "error") throw part.error;
  if (part.type === "text-delta" && part.delta !== "") yield { type: "text", text: part.delta };
  if (part.type === "reasoning-delta" && part.delta !== "")
    yield { type: "thought", text: part.delta };
  if (part.type === "tool-call") {
    const { toolCallId: id, toolName, input } = part;
    const call = { id, name: names.described(toolName), args: readArguments(input) };
    yield { type: "tool-call", call };
  }
  if (part.type === "finish") {
    const { inputTokens, outputTokens } = part.usage;
    yield {
      type: "done",
      inputTokens: inputTokens.total ?? 0,
      outputTokens: outputTokens.total ?? 0,
      cachedTokens: inputTokens.cacheRead ?? 0,
      stop: part.finishReason.unified === "length" ? "length" : "end",
    };
  }
}

function readArguments(input: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(input);
    const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
    return isObject ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
