import { type Agent, objectKey } from "../objects.ts";
import { splitTool, toolAccess } from "../tool-catalogue.ts";
import { serverTools } from "./agent-tools.ts";
import { type Finding, reporter } from "./finding.ts";
import { FORBIDDEN_GIT_TOOLS } from "./git-writes.ts";
import type { ObjectSet } from "./object-set.ts";

/**
 * Tools that write without a person's approval, and tools that no agent may have.
 *
 * Approval mode `all` covers every tool; `destructive` does not, for a write need not destroy. An entry without names
 * lists nothing, so one of these modes has to cover what it allows.
 *
 * @param forbidden - Names without target.
 */
export function approvals(
  agent: Agent,
  set: ObjectSet,
  forbidden: readonly string[] = FORBIDDEN_GIT_TOOLS,
): readonly Finding[] {
  const { error } = reporter("approvals", objectKey(agent, set.namespace));
  const mode = agent.spec.declarative?.approval?.mode ?? "listed";
  const all = mode === "all";
  return serverTools(agent).flatMap(({ server, toolNames, requireApproval, path }) => {
    if (toolNames.length === 0 && mode === "listed")
      return [
        error(
          `${path}.toolNames`,
          `names no tools, so tools of ${server} that write run without approval: list them, or set approval.mode`,
        ),
      ];
    return toolNames.flatMap((tool, index) => {
      const at = `${path}.toolNames[${index}]`;
      if (forbidden.includes(tool) || forbidden.includes(splitTool(tool)?.tool ?? ""))
        return [error(at, `${tool} is not for agents, with or without approval`)];
      if (all || requireApproval.has(tool) || toolAccess(tool) !== "write") return [];
      return [error(at, `${tool} writes and must be listed in requireApproval`)];
    });
  });
}
