import { ANNOTATIONS } from "../names.ts";
import { type Agent, objectKey } from "../objects.ts";
import { toolAccess } from "../tool-catalogue.ts";
import { serverTools } from "./agent-tools.ts";
import { type Finding, reporter } from "./finding.ts";
import type { ObjectSet } from "./object-set.ts";

/** Agents that may have tools that write, by name (product.md section 7). */
const WRITERS: readonly string[] = ["git-agent"];

/**
 * Tools that write, or may, in agents that only read.
 *
 * Changes go through Git: git-agent is the only writer. Another agent needs the annotation
 * `kagent.dev/allow-writes: "true"` (decisions 46).
 *
 * @param writers - Names of agents that may write.
 */
export function readOnlyTools(
  agent: Agent,
  set: ObjectSet,
  writers: readonly string[] = WRITERS,
): readonly Finding[] {
  const { name, annotations } = agent.metadata;
  if (writers.includes(name) || annotations?.[ANNOTATIONS.allowWrites] === "true") return [];
  const { error, warning } = reporter("read-only-tools", objectKey(agent, set.namespace));
  return serverTools(agent).flatMap(({ server, toolNames, path }) => {
    if (toolNames.length === 0)
      return [
        error(
          `${path}.toolNames`,
          `names no tools, so every tool of ${server} may be called, writes too`,
        ),
      ];
    return toolNames.flatMap((tool, index) => {
      const at = `${path}.toolNames[${index}]`;
      const access = toolAccess(tool);
      if (access === "read") return [];
      if (access === "unknown")
        return [warning(at, `whether ${tool} writes is not known: its name tells nothing`)];
      return [
        error(
          at,
          `${tool} writes: only ${writers.join(", ")} may, and agents annotated ${ANNOTATIONS.allowWrites}: "true"`,
        ),
      ];
    });
  });
}
