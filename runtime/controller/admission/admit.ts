import type { Violation } from "../../api/checked.ts";
import { type Agent, type KagentObject, objectKey, parseObject } from "../../api/objects.ts";
import { admission } from "../../api/rules/admission.ts";
import { objectSet } from "../../api/rules/object-set.ts";
import type { AdmissionAnswer } from "./admission-review.ts";

/** What {@link admit} knows of the cluster. */
export interface AdmissionDeps {
  /** Objects that are there now. */
  readonly objects: () => Iterable<KagentObject>;
  /** Labels of namespaces, by name. */
  readonly namespaceLabels: () => ReadonlyMap<string, Readonly<Record<string, string>>>;
  /**
   * What the API server says of the workload that the agent would get, as paths of the Agent; checked by a dry run.
   * Never rejects: a server that does not answer has nothing to say against it.
   */
  readonly checkWorkload: (agent: Agent, signal: AbortSignal) => Promise<readonly Violation[]>;
}

/**
 * Whether an object may be stored: every violation of schema and rules at once, with its path.
 *
 * @param input - The object as it would be stored.
 * @param namespace - Of the request, for an object that names none.
 */
export async function admit(
  input: unknown,
  namespace: string | undefined,
  deps: AdmissionDeps,
  signal: AbortSignal,
): Promise<AdmissionAnswer> {
  const parsed = parseObject(input);
  if (!parsed.ok) return { violations: parsed.violations, warnings: [] };
  const object = parsed.value;
  const key = objectKey(object, namespace);
  const others = [...deps.objects()].filter((other) => objectKey(other) !== key);
  const set = objectSet([...others, object], namespace);
  const verdict = admission(object, set, { namespaceLabels: deps.namespaceLabels() });
  if (object.kind !== "Agent" || verdict.violations.length > 0) return verdict;
  const violations = await deps.checkWorkload(object, signal);
  return { ...verdict, violations };
}
