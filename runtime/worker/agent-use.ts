import type { AgentConfig, AgentToolUse } from "../api/agent-config.ts";
import { refKey } from "../api/names.ts";

/**
 * How an agent calls another one, as a tool or to hand over to it; `undefined` for one it may not call.
 *
 * @param key - `namespace/name` of the other agent.
 */
export function agentUse(
  { agents, handoffs }: Pick<AgentConfig, "agents" | "handoffs">,
  key: string,
): AgentToolUse | undefined {
  return [...agents, ...handoffs.map(({ use }) => use)].find(({ ref }) => refKey(ref) === key);
}
