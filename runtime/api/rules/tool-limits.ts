import { type Agent, objectKey } from "../objects.ts";
import { serverTools } from "./agent-tools.ts";
import { calledAgents } from "./called-agents.ts";
import { type Finding, reporter } from "./finding.ts";
import type { ObjectSet } from "./object-set.ts";

/** 18 tools: with more, models pick the wrong one. Raise with the rule's option. */
const MAX_TOOLS = 18;

/**
 * Agents with too many tools; tool names plus agents count, as in `kagent_agent_tool_count`
 * (decisions 49).
 *
 * @param maxTools - Most tools of one agent.
 */
export function toolLimits(
  agent: Agent,
  set: ObjectSet,
  maxTools: number = MAX_TOOLS,
): readonly Finding[] {
  const servers = serverTools(agent);
  const agents = calledAgents(agent, set.namespace).filter(({ by }) => by === "tool").length;
  const count = servers.reduce((sum, { toolNames }) => sum + toolNames.length, agents);
  if (count <= maxTools) return [];
  const parts = servers.map(({ server, toolNames }) => `${toolNames.length} of ${server}`);
  if (agents > 0) parts.push(`${agents} agent${agents === 1 ? "" : "s"}`);
  const message = `has ${count} tools, at most ${maxTools}: ${parts.join(", ")}`;
  const { error } = reporter("tool-limits", objectKey(agent, set.namespace));
  return [error("spec.declarative.tools", message)];
}
