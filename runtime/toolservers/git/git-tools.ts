import type { ToolDefinition } from "../../api/tool.ts";
import { gitReadTools } from "./git-read-tools.ts";
import { gitWriteTools } from "./git-write-tools.ts";
import { issueTools } from "./issue-tools.ts";
import { LocalRepository, type LocalRepositoryDeps } from "./local-repository.ts";
import { pullRequestTools } from "./pull-request-tools.ts";

/**
 * A local Git repository under the names of GitHub's tools: a bare repository on disk, with pull requests and issues as
 * records. Nothing is made before the first call.
 *
 * Writes reach branches `agent/*` only and pull requests are drafts; nothing here merges.
 */
export function gitTools(deps: LocalRepositoryDeps): readonly ToolDefinition[] {
  const local = new LocalRepository(deps);
  return [
    ...gitReadTools(local),
    ...pullRequestTools(local),
    ...issueTools(local),
    ...gitWriteTools(local),
  ];
}
