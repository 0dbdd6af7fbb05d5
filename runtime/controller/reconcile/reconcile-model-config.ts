import { sentence } from "../../api/checked.ts";
import type { ConditionUpdate } from "../../api/conditions.ts";
import { CONDITION_MESSAGES, type ObjectRef, REASONS } from "../../api/names.ts";
import { resolveModel } from "../resolve-model.ts";
import { secretHash } from "../secret-hash.ts";
import { keyOf } from "./keys.ts";
import { withReferences } from "./read-references.ts";
import { type Outcome, type ReconcileDeps, report } from "./reconcile-deps.ts";

/**
 * Brings a ModelConfig's condition to what is the case, and its hash to that of the Secrets it refers to
 * (kagent-api section 1.2).
 */
export async function reconcileModelConfig(
  ref: ObjectRef,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Outcome> {
  const stored = deps.cache.get("ModelConfig", ref);
  const user = keyOf("ModelConfig", ref);
  if (stored === undefined) {
    deps.references.delete(user);
    deps.status.forget("ModelConfig", ref.namespace, ref.name);
    return undefined;
  }
  const object = deps.directory.model(ref);
  if (object === undefined) {
    const problem = sentence(deps.directory.rejected("ModelConfig", ref) ?? []);
    await report(deps, "ModelConfig", stored, { conditions: [accepted(problem)] }, signal);
    return undefined;
  }
  const { result, secrets } = await withReferences(
    user,
    (references) => resolveModel(object, references),
    deps,
    signal,
  );
  const problem = result.ok ? undefined : sentence(result.violations);
  const fields = { secretHash: secretHash(secrets) };
  await report(deps, "ModelConfig", stored, { conditions: [accepted(problem)], fields }, signal);
  return undefined;
}

function accepted(problem: string | undefined): ConditionUpdate {
  const type = "Accepted";
  if (problem !== undefined)
    return { type, status: "False", reason: REASONS.modelConfigReconcileFailed, message: problem };
  const message = CONDITION_MESSAGES.modelConfigAccepted;
  return { type, status: "True", reason: REASONS.modelConfigReconciled, message };
}
