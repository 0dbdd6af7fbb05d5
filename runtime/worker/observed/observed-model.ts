import type { ModelSettings } from "../../api/agent-config.ts";
import type { ChatChunk, ChatModel } from "../../model/chat-model.ts";
import type { Clock } from "../../process/clock.ts";
import type { Meter } from "../../telemetry/meter.ts";
import { streamInSpan } from "../../telemetry/tracing.ts";

/** Providers as the GenAI conventions of OpenTelemetry spell them. */
const SYSTEMS: Readonly<Record<string, string>> = { Ollama: "ollama", OpenAI: "openai" };

/** What {@link observedModel} tells to whom. */
export interface ModelObservation {
  readonly settings: ModelSettings;
  readonly meter: Meter;
  readonly clock: Pick<Clock, "monotonic">;
}

/**
 * The same model, each call a span with tokens counted; what is said is not recorded.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
 */
export function observedModel(model: ChatModel, observation: ModelObservation): ChatModel {
  const { settings } = observation;
  const attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": SYSTEMS[settings.provider] ?? settings.provider,
    "gen_ai.request.model": settings.model,
  };
  return {
    label: model.label,
    chat: (request, signal) =>
      streamInSpan(`chat ${settings.model}`, { kind: "client", attributes }, (span) =>
        measured(model.chat(request, signal), observation, (done) => {
          span.setAttributes({
            "gen_ai.usage.input_tokens": done.inputTokens,
            "gen_ai.usage.output_tokens": done.outputTokens,
            "gen_ai.response.finish_reasons": [done.stop === "length" ? "length" : "stop"],
          });
        }),
      ),
  };
}

type Done = Extract<ChatChunk, { type: "done" }>;

async function* measured(
  answer: AsyncIterable<ChatChunk>,
  { settings, meter, clock }: ModelObservation,
  onDone: (done: Done) => void,
): AsyncGenerator<ChatChunk, void, undefined> {
  const { model } = settings;
  const started = clock.monotonic();
  const seconds = () => (clock.monotonic() - started) / 1_000;
  let outcome = "failed";
  let first = true;
  try {
    for await (const chunk of answer) {
      if (first) meter.observe("kagent_model_first_token_seconds", { model }, seconds());
      first = false;
      if (chunk.type === "done") {
        outcome = "ok";
        countTokens(meter, model, chunk);
        onDone(chunk);
      }
      yield chunk;
    }
  } finally {
    meter.count("kagent_llm_calls_total", { model, outcome });
    meter.observe("kagent_llm_call_seconds", { model }, seconds());
  }
}

function countTokens(meter: Meter, model: string, done: Done): void {
  const { inputTokens, outputTokens, cachedTokens } = done;
  for (const [type, tokens] of [
    ["input", inputTokens],
    ["output", outputTokens],
    ["cached", cachedTokens],
  ] as const)
    if (tokens > 0) meter.count("kagent_llm_tokens_total", { model, type }, tokens);
}
