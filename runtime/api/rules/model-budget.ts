import { CONTEXT_SHARE, contextBudget } from "../context-budget.ts";
import { DEFAULT_MODEL_CONFIG, refKey } from "../names.ts";
import { type Agent, objectKey } from "../objects.ts";
import { type Finding, reporter } from "./finding.ts";
import { type ObjectSet, refOf } from "./object-set.ts";

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
  const budget = contextBudget(model.spec);
  if (budget === undefined || declared <= budget.threshold) return [];
  const { threshold, window, reply } = budget;
  const { warning } = reporter("model-budget", objectKey(agent, set.namespace));
  return [
    warning(
      "spec.declarative.context.compaction.tokenThreshold",
      `${declared} is more than ${modelConfig} leaves room for: ${threshold} = ${CONTEXT_SHARE} x (context of ${window} - reply of ${reply}), less the tools' schemas, is used instead`,
    ),
  ];
}
