import type { LanguageModelV4CallOptions, LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { OpenAiSettings } from "../api/agent-config.ts";
import { type ChatMessage, type ChatRequest, ModelError } from "./chat-model.ts";
import type { ToolNames } from "./openai-tool-names.ts";
import { selfContained } from "./tool-schema.ts";

/** What the provider package is asked. */
type CallOptions = LanguageModelV4CallOptions;

/** Fields that the responses API does not have. */
const CHAT_ONLY = ["frequencyPenalty", "presencePenalty", "seed", "n"] as const;

/**
 * Puts the fields of a ModelConfig into the body of a request, under their names on the wire.
 *
 * @throws ModelError `rejected` for a field that the chosen API does not have, by its name.
 */
export function withFields(own: OpenAiSettings): (body: string) => string {
  const fields = own.apiFormat === "responses" ? responsesFields(own) : chatFields(own);
  return (body) => JSON.stringify({ ...(JSON.parse(body) as object), ...fields });
}

function chatFields(own: OpenAiSettings): Record<string, unknown> {
  return withoutAbsent({
    temperature: own.temperature,
    top_p: own.topP,
    frequency_penalty: own.frequencyPenalty,
    presence_penalty: own.presencePenalty,
    seed: own.seed,
    n: own.n,
    max_tokens: own.maxTokens,
    max_completion_tokens: own.maxCompletionTokens,
    reasoning_effort: own.reasoningEffort,
  });
}

function responsesFields(own: OpenAiSettings): Record<string, unknown> {
  const foreign = CHAT_ONLY.filter((name) => own[name] !== undefined);
  if (foreign.length > 0)
    throw new ModelError(
      `the responses API has no ${foreign.map((name) => `openAI.${name}`).join(", ")}; leave them out or set apiFormat: chatCompletions`,
      { code: "rejected", retryable: false },
    );
  const effort = own.reasoningEffort;
  return withoutAbsent({
    temperature: own.temperature,
    top_p: own.topP,
    max_output_tokens: own.maxCompletionTokens ?? own.maxTokens,
    reasoning: effort === undefined ? undefined : { effort },
  });
}

function withoutAbsent(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** A request in the package's terms. */
export function callOptions(
  own: OpenAiSettings,
  request: ChatRequest,
  names: ToolNames,
): CallOptions {
  const { messages, tools, format } = request;
  return {
    prompt: messages.map((message) => wireMessage(message, names)),
    ...(tools.length > 0 && {
      tools: tools.map(({ name, description, inputSchema }) => ({
        type: "function" as const,
        name: names.wire(name),
        description,
        inputSchema: selfContained(inputSchema),
      })),
    }),
    ...(format !== undefined &&
      tools.length === 0 && {
        responseFormat: { type: "json" as const, name: "answer", schema: format },
      }),
    providerOptions: {
      openai: {
        // schemas of people and of tools are wider than the subset of the strict mode
        strictJsonSchema: false,
        // the conversation is ours to keep
        ...(own.apiFormat === "responses" && { store: false }),
      },
    },
  };
}

function wireMessage(message: ChatMessage, names: ToolNames): LanguageModelV4Prompt[number] {
  switch (message.role) {
    case "system":
      return { role: "system", content: message.text };
    case "user":
      return { role: "user", content: [{ type: "text", text: message.text }] };
    case "assistant":
      return {
        role: "assistant",
        content: [
          ...(message.text === "" ? [] : [{ type: "text" as const, text: message.text }]),
          ...message.toolCalls.map(({ id, name, args }) => ({
            type: "tool-call" as const,
            toolCallId: id,
            toolName: names.wire(name),
            input: args,
          })),
        ],
      };
    case "tool":
      return {
        role: "tool",
        content: [
          {
            type: "tool-result",
            toolCallId: message.callId,
            toolName: names.wire(message.name),
            output: { type: "text", value: message.text },
          },
        ],
      };
  }
}
