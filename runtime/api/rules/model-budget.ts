import { DEFAULT_MODEL_CONFIG, refKey } from "../names.ts";
import { type Agent, type ModelConfig, objectKey } from "../objects.ts";
import { type Finding, reporter } from "./finding.ts";
import { type ObjectSet, refOf } from "./object-set.ts";

/** Share of what fits that the conversation may fill before it is compacted (decisions 1). */
const SHARE = 0.75;
/** 1024 tokens are kept for the reply where the model's settings do not say how long it may be. */
const DEFAULT_REPLY_TOKENS = 1024;

/**
 * Compaction thresholds above what the model's context leaves room for: the effective one is lower
 * (decisions 1). Advice only; says nothing where the context window is not known.
 */
export function modelBudget(agent: Agent, set: ObjectSet): readonly Finding[] {
  const { modelConfig = DEFAULT_MODEL_CONFIG, context } = agent.spec.declarative ?? {};
  const declared = context?.compaction?.tokenThreshold;
  const { namespace } = refOf(agent, set.namespace);
  const model = set.modelConfigs.get(refKey({ namespace, name: modelConfig }));
  if (declared === undefined || model === undefined) return [];
  const window = contextWindow(model);
  if (window === undefined) return [];
  const reply = replyTokens(model);
  const most = Math.max(0, Math.floor(SHARE * (window - reply)));
  if (declared <= most) return [];
  const { warning } = reporter("model-budget", objectKey(agent, set.namespace));
  return [
    warning(
      "spec.declarative.context.compaction.tokenThreshold",
      `${declared} is more than ${modelConfig} leaves room for: ${most} = ${SHARE} x (context of ${window} - reply of ${reply}), less the tools' schemas, is used instead`,
    ),
  ];
}

function contextWindow({ spec }: ModelConfig): number | undefined {
  return spec.contextWindow ?? spec.ollama?.numCtx ?? number(spec.ollama?.options?.["num_ctx"]);
}

function replyTokens({ spec }: ModelConfig): number {
  const { ollama, openAI, anthropic, gemini } = spec;
  return (
    number(ollama?.options?.["num_predict"]) ??
    openAI?.maxTokens ??
    openAI?.maxCompletionTokens ??
    anthropic?.maxTokens ??
    gemini?.maxOutputTokens ??
    DEFAULT_REPLY_TOKENS
  );
}

/** A positive whole number as Ollama's options hold it; its negative ones mean "no limit". */
function number(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}
