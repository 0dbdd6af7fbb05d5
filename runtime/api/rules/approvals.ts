import { type Agent, objectKey } from "../objects.ts";
import { splitTool, toolAccess } from "../tool-catalogue.ts";
import { serverTools } from "./agent-tools.ts";
import { type Finding, reporter } from "./finding.ts";
import type { ObjectSet } from "./object-set.ts";

/** Tools no agent may have, not even with approval: people merge, and nothing brings a repository back. */
const FORBIDDEN_TOOLS: readonly string[] = ["merge_pull_request", "delete_repository"];

/**
 * Tools that write without a person's approval, and tools that no agent may have.
 *
 * Approval mode `all` covers every tool; `destructive` does not, for a write need not destroy.
 *
 * @param forbidden - Names without target.
 */
export function approvals(
  agent: Agent,
  set: ObjectSet,
  forbidden: readonly string[] = FORBIDDEN_TOOLS,
): readonly Finding[] {
  const { error } = reporter("approvals", objectKey(agent, set.namespace));
  const all = agent.spec.declarative?.approval?.mode === "all";
  return serverTools(agent).flatMap(({ toolNames, requireApproval, path }) =>
    toolNames.flatMap((tool, index) => {
      const at = `${path}.toolNames[${index}]`;
      if (forbidden.includes(tool) || forbidden.includes(splitTool(tool)?.tool ?? ""))
        return [error(at, `${tool} is not for agents, with or without approval`)];
      if (all || requireApproval.has(tool) || toolAccess(tool) !== "write") return [];
      return [error(at, `${tool} writes and must be listed in requireApproval`)];
    }),
  );
}
