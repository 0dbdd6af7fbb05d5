import type { AgentConfig, HandoffRule } from "../api/agent-config.ts";
import { HANDOFF_VARIABLES } from "../api/agent-steering.ts";
import { type Predicate, parseCondition } from "../api/cel-condition.ts";
import { type Part, textOf } from "../api/events.ts";
import { sentEnvelope } from "./delegate-answers.ts";
import { outputOf } from "./final-answer.ts";

/** A rule whose condition is no condition; nothing is handed over by it. */
export interface BrokenRule {
  readonly rule: HandoffRule;
  readonly problem: string;
}

interface Compiled {
  readonly rules: readonly { readonly rule: HandoffRule; readonly condition: Predicate }[];
}

/** A configuration is immutable and swapped as a whole, so its rules are compiled once for each hash. */
const compiled = new WeakMap<AgentConfig["handoffs"], Compiled>();

/**
 * The first rule whose condition holds for an answer (decisions 8), judged by `output`, which is the structured answer
 * or else the text, and `envelope`, which is null without one.
 *
 * @param report - Told of every rule on the way that cannot be judged.
 */
export function matchingHandoff(
  { handoffs }: Pick<AgentConfig, "handoffs">,
  answer: readonly Part[],
  report: (broken: BrokenRule) => void,
): HandoffRule | undefined {
  if (handoffs.length === 0) return undefined;
  const values = {
    output: outputOf(answer) ?? textOf(answer),
    envelope: sentEnvelope({ parts: answer }) ?? null,
  };
  for (const { rule, condition } of compile(handoffs).rules) {
    if (!condition.ok) report({ rule, problem: condition.problem });
    else if (condition.holds(values)) return rule;
  }
  return undefined;
}

function compile(handoffs: AgentConfig["handoffs"]): Compiled {
  const before = compiled.get(handoffs);
  if (before !== undefined) return before;
  const rules = handoffs.map((rule) => ({
    rule,
    condition: parseCondition(rule.when, HANDOFF_VARIABLES),
  }));
  compiled.set(handoffs, { rules });
  return { rules };
}
