import type { ModelSettings, OllamaSettings } from "../api/agent-config.ts";
import type { ToolDescription } from "../api/tool.ts";
import { type ChatMessage, type ChatRequest, ModelError } from "./chat-model.ts";
import { selfContained } from "./tool-schema.ts";

/** What Ollama is told beside the conversation when a ModelConfig has no `ollama` block. */
export const OLLAMA_DEFAULTS: OllamaSettings = {
  options: {},
  truncate: false,
  timeouts: { connectMs: 5_000, firstTokenMs: 120_000, idleMs: 60_000 },
};

interface WireMessage {
  readonly role: ChatMessage["role"];
  readonly content: string;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly function: { readonly name: string; readonly arguments: Record<string, unknown> };
  }[];
  readonly tool_name?: string;
  readonly tool_call_id?: string;
}

interface WireTool {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description: string;
    readonly parameters: Record<string, unknown>;
  };
}

type WireOption = number | boolean | string | readonly unknown[];

/** Body of `POST /api/chat`; wider than the types of npm `ollama`, which sends all of it. */
export interface OllamaChatBody {
  readonly model: string;
  readonly stream: true;
  readonly messages: readonly WireMessage[];
  readonly tools?: readonly WireTool[];
  readonly format?: object | "json";
  readonly options?: Readonly<Record<string, WireOption>>;
  readonly keep_alive?: string | number;
  readonly think?: boolean | "low" | "medium" | "high";
  /** False: a prompt that is too long is an error, not silently cut. */
  readonly truncate: boolean;
  /** False: the same for an answer that outgrows the window. */
  readonly shift: boolean;
}

/**
 * Body of `POST /api/chat` for a request.
 *
 * @see https://docs.ollama.com/api/chat
 */
export function chatBody(settings: ModelSettings, request: ChatRequest): OllamaChatBody {
  const own = settings.ollama ?? OLLAMA_DEFAULTS;
  const options = runnerOptions(settings);
  return {
    model: settings.model,
    stream: true,
    messages: request.messages.map(wireMessage),
    ...(request.tools.length > 0 && { tools: request.tools.map(wireTool) }),
    ...formatOf(settings, request),
    ...(Object.keys(options).length > 0 && { options }),
    ...(own.keepAlive !== undefined && { keep_alive: keepAlive(own.keepAlive) }),
    ...(own.think !== undefined && { think: own.think }),
    truncate: own.truncate,
    shift: own.truncate,
  };
}

/** Ollama constrains the whole answer by a format: with tools none could be called any more. */
function formatOf(settings: ModelSettings, request: ChatRequest): { format?: object | "json" } {
  if (request.tools.length > 0) return {};
  if (request.format !== undefined) return { format: request.format };
  const written = settings.ollama?.format;
  if (written === undefined) return {};
  return { format: written === "json" ? written : schemaOf(written) };
}

/** The ModelConfig's schema admits text that begins like an object; whether it is one shows here. */
function schemaOf(text: string): object {
  const broken = (cause?: unknown) =>
    new ModelError("ollama.format of the ModelConfig is no JSON Schema", {
      code: "rejected",
      retryable: false,
      cause,
    });
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) return parsed;
  } catch (error) {
    throw broken(error);
  }
  throw broken();
}

function wireMessage(message: ChatMessage): WireMessage {
  switch (message.role) {
    case "system":
    case "user":
      return { role: message.role, content: message.text };
    case "assistant": {
      const calls = message.toolCalls.map(({ id, name, args }) => ({
        id,
        function: { name, arguments: { ...args } },
      }));
      return {
        role: "assistant",
        content: message.text,
        ...(calls.length > 0 && { tool_calls: calls }),
      };
    }
    case "tool":
      return {
        role: "tool",
        content: message.text,
        tool_name: message.name,
        tool_call_id: message.callId,
      };
  }
}

function wireTool(tool: ToolDescription): WireTool {
  const { name, description, inputSchema } = tool;
  return {
    type: "function",
    function: { name, description, parameters: selfContained(inputSchema) },
  };
}

/** Runner options with their real types; the context window from wherever it is set first. */
export function runnerOptions(settings: ModelSettings): Record<string, WireOption> {
  const written = settings.ollama?.options ?? {};
  const options = Object.fromEntries(
    Object.entries(written).map(([key, value]) => [key, option(key, value)]),
  );
  const window = settings.ollama?.numCtx ?? options["num_ctx"] ?? settings.contextWindow;
  return { ...options, ...(window !== undefined && { num_ctx: window }) };
}

/** ModelConfig holds strings; Ollama refuses `"0.1"` where it wants a number. */
function option(key: string, value: string): WireOption {
  if (key === "stop") return stopWords(value);
  const text = value.trim();
  if (/^-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  return value;
}

/** `stop` is a list on the wire: a JSON array as written, anything else one stop word. */
function stopWords(value: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) ? (parsed as unknown[]) : [value];
  } catch {
    return [value];
  }
}

/** Ollama reads a string as a duration with a unit and a number as seconds. */
export function keepAlive(value: string): string | number {
  const text = value.trim();
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
