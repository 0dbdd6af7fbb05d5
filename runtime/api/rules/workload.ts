import { type Agent, objectKey } from "../objects.ts";
import { type Finding, reporter } from "./finding.ts";
import type { ObjectSet } from "./object-set.ts";

/** Name of the container that runs the agent itself. */
const AGENT_CONTAINER = "kagent";

/** Workloads that the schema admits and that cannot be made (kagent-api section 1.1). */
export function workload(agent: Agent, set: ObjectSet): readonly Finding[] {
  const { byo, declarative } = agent.spec;
  const { error } = reporter("workload", objectKey(agent, set.namespace));
  const block = byo === undefined ? "declarative" : "byo";
  const path = `spec.${block}.deployment`;
  const deployment = byo?.deployment ?? declarative?.deployment;
  const image = byo !== undefined && byo.deployment?.image === undefined;
  return [
    ...(image ? [error(`${path}.image`, "is required for an agent of type BYO")] : []),
    ...(deployment?.extraContainers ?? []).flatMap(({ name }, index, all) => {
      const at = `${path}.extraContainers[${index}].name`;
      if (name === AGENT_CONTAINER) return [error(at, `"${name}" is the agent's own container`)];
      const twice = all.findIndex((other) => other.name === name) < index;
      return twice ? [error(at, `"${name}" is there twice`)] : [];
    }),
  ];
}
