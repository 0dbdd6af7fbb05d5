import type { Violation } from "../checked.ts";
import { refKey } from "../names.ts";
import { type Agent, type KagentObject, objectKey } from "../objects.ts";
import { approvals } from "./approvals.ts";
import { calledAgents } from "./called-agents.ts";
import { components } from "./components.ts";
import { cycles } from "./cycles.ts";
import type { Finding } from "./finding.ts";
import { instructions } from "./instructions.ts";
import { modelBudget } from "./model-budget.ts";
import { type ObjectSet, refOf } from "./object-set.ts";
import { readOnlyTools } from "./read-only-tools.ts";
import { type ReferenceOptions, references } from "./references.ts";
import { routing } from "./routing.ts";
import { toolLimits } from "./tool-limits.ts";
import { toolNames } from "./tool-names.ts";
import { workload } from "./workload.ts";

/** What is said of an object before it is stored. */
export interface AdmissionVerdict {
  /** Why it is refused; empty: it is admitted. */
  readonly violations: readonly Violation[];
  /** What its author should know anyway. */
  readonly warnings: readonly Violation[];
}

/**
 * What the rules say of an object that is about to be stored beside the others.
 *
 * Refused is what no later object can mend. A reference that leads nowhere yet is a warning: objects are applied in any
 * order, and the Agent's condition names what is missing. So is what a platform's policy decides (limits, writes).
 *
 * @param set - All objects as they would be, this one among them.
 */
export function admission(
  object: KagentObject,
  set: ObjectSet,
  options: ReferenceOptions = {},
): AdmissionVerdict {
  if (object.kind !== "Agent") return { violations: [], warnings: [] };
  const own = [
    ...instructions(object, set),
    ...workload(object, set),
    ...routing(object, set),
    ...toolNames(object, set),
  ];
  const advice = [
    ...references(object, set, options),
    ...toolLimits(object, set),
    ...readOnlyTools(object, set),
    ...approvals(object, set),
    ...modelBudget(object, set),
  ];
  const lasting = [...own, ...advice.filter(isForbiddenReference)];
  const rest = advice.filter((finding) => !isForbiddenReference(finding));
  return {
    violations: [...lasting.filter(isError).map(violation), ...circle(object, set)],
    warnings: [...lasting.filter((finding) => !isError(finding)), ...rest].map(violation),
  };
}

function isError({ severity }: Finding): boolean {
  return severity === "error";
}

/** A reference of a wrong kind or group, and a route to no tool, stay wrong whatever is applied later. */
function isForbiddenReference({ rule, path }: Finding): boolean {
  if (rule !== "references") return false;
  return (
    path.endsWith(".apiGroup") ||
    path.endsWith(".kind") ||
    path.startsWith("spec.declarative.routing.")
  );
}

function violation({ path, message }: Finding): Violation {
  return { path, message };
}

/** The circle or the too deep chain that this agent closes, at the call of its own that does so. */
function circle(agent: Agent, set: ObjectSet): readonly Violation[] {
  const key = refKey(refOf(agent, set.namespace));
  const calls = (from: string) => {
    const caller = set.agents.get(from);
    if (caller === undefined) return [];
    return calledAgents(caller, refOf(caller, set.namespace).namespace).filter((call) =>
      set.agents.has(call.key),
    );
  };
  const groups = components([...set.agents.keys()], (from) => calls(from).map((call) => call.key));
  const group = new Set(groups.find((members) => members.includes(key)));
  const within = calls(key).find((call) => group.has(call.key));
  const found = cycles(set);
  if (within !== undefined) {
    const about = found.find(({ object }) =>
      [...group].some((member) => object === `Agent/${member}`),
    );
    return [{ path: within.path, message: about?.message ?? "agents call each other in a circle" }];
  }
  return found.filter(({ object }) => object === objectKey(agent, set.namespace)).map(violation);
}
