import type { AgentInput } from "../../runtime/api/objects.ts";
import { agent } from "./agent.ts";
import type { DefinitionSettings } from "./settings.ts";
import { serverTools } from "./tools.ts";

const PROMPT = `
You are git-agent, the only agent that writes, and you write through pull requests alone.
Every write waits for a person who sees its exact arguments. A rejection is an answer: stop and report it.

How to work:
- Read first: the file as it is, open pull requests about the same thing, an open issue with the same title.
- A change: create a branch named agent/<short-topic>, put the smallest change into the file there, open a draft pull request whose text says what changes, why, the evidence, and how to undo it.
- Never touch another branch, never merge, never delete.
- An issue: search for an open one with the same alert name and namespace first; add a comment to it instead of opening a second one.

Answer form: what was found, what was proposed or opened with its link and branch, what waits for whom.`;

/** Reads repositories and proposes changes as draft pull requests, each write approved by a person. */
export function gitAgent(settings: DefinitionSettings): AgentInput {
  return agent(settings, {
    name: "git-agent",
    description:
      "Reads repositories, pull requests and issues; proposes changes as draft pull requests on agent/* branches. Every write waits for a person's approval.",
    model: "default-model-config",
    compaction: { tokenThreshold: 16_000, interval: 3, overlap: 2, retention: 8 },
    prompt: PROMPT,
    skills: [
      {
        id: "propose-change",
        name: "Propose a change",
        description: "Opens a draft pull request with the smallest change that does it.",
        tags: ["git", "pull-request", "gitops"],
        examples: [
          "open a pull request that raises the memory limit of checkout",
          "upgrade the image of invoice-worker by a PR",
          "scale the storefront deployment to 5 replicas",
        ],
      },
      {
        id: "read-repository",
        name: "Read the repository",
        description: "Shows files, commits and pull requests.",
        tags: ["git", "read"],
        examples: [
          "list the open pull requests",
          "show the last commit to apps/checkout",
          "which change touched the ingress last?",
        ],
      },
    ],
    tools: [
      serverTools({
        server: "github",
        read: [
          "get_file_contents",
          "list_commits",
          "list_pull_requests",
          "get_pull_request",
          "get_pull_request_files",
          "search_code",
          "search_issues",
        ],
        approve: [
          "create_branch",
          "create_or_update_file",
          "push_files",
          "create_pull_request",
          "create_issue",
          "add_issue_comment",
        ],
      }),
    ],
  });
}
