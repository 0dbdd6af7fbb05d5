import { type ObjectRef, refKey } from "../names.ts";
import type { Agent } from "../objects.ts";

/** A call from one agent to another that its spec provides for. */
export interface AgentCall {
  readonly ref: ObjectRef;
  /** `namespace/name` of `ref`. */
  readonly key: string;
  /** Where the spec says so. */
  readonly path: string;
  /** `tool`: the model may call it; `handoff`: the runtime does after a turn. */
  readonly by: "tool" | "handoff";
}

/** Agents that `agent` may call, in the order of its spec. */
export function calledAgents({ spec }: Agent, namespace: string): readonly AgentCall[] {
  const { tools = [], handoffs = [] } = spec.declarative ?? {};
  const call = (
    by: AgentCall["by"],
    target: { readonly name: string; readonly namespace?: string | undefined },
    path: string,
  ): AgentCall => {
    const ref = { namespace: target.namespace ?? namespace, name: target.name };
    return { ref, key: refKey(ref), path, by };
  };
  return [
    ...tools.flatMap(({ agent }, index) =>
      agent === undefined ? [] : [call("tool", agent, `spec.declarative.tools[${index}].agent`)],
    ),
    ...handoffs.map(({ agent }, index) =>
      call("handoff", agent, `spec.declarative.handoffs[${index}].agent`),
    ),
  ];
}
