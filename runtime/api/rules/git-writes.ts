import { splitTool, toolAccess } from "../tool-catalogue.ts";

/** What agents may do with one tool that writes to a Git repository. */
interface GitWriteRule {
  /** Argument that names the branch which is written to; it must be an agents' branch. */
  readonly branch?: string;
  /** Where the paths of the files stand: `path`, or `files[].path`. */
  readonly paths?: "path" | "files";
  /** `required`: `draft` must be true; `kept`: `draft` must not be false. */
  readonly draft?: "required" | "kept";
  /** Other products have a tool of this name: the rule holds only where the arguments speak of Git. */
  readonly sharedName?: true;
}

/**
 * Every tool that writes to a Git repository, as GitHub's MCP server spells them (decisions 32): `never` is not for
 * agents, with or without approval; the rest is bound to agents' branches and draft pull requests.
 */
const GIT_WRITES: Readonly<Record<string, GitWriteRule | "never">> = {
  create_branch: { branch: "branch", sharedName: true },
  create_or_update_file: { branch: "branch", paths: "path" },
  push_files: { branch: "branch", paths: "files" },
  delete_file: { branch: "branch", paths: "path", sharedName: true },
  create_pull_request: { branch: "head", draft: "required" },
  update_pull_request: { draft: "kept" },
  merge_pull_request: "never",
  enable_pull_request_auto_merge: "never",
  mark_pull_request_ready_for_review: "never",
  pull_request_review_write: "never",
  update_pull_request_branch: "never",
  delete_repository: "never",
};
/** Writes at GitHub that touch no repository's content. */
const NO_GIT_WRITES: ReadonlySet<string> = new Set([
  "create_issue",
  "update_issue",
  "issue_write",
  "add_issue_comment",
]);

const NAMES = Object.keys(GIT_WRITES);

/** Tools no agent may have, not even with approval: people merge, and nothing brings a repository back. */
export const FORBIDDEN_GIT_TOOLS: readonly string[] = Object.entries(GIT_WRITES)
  .filter(([, rule]) => rule === "never")
  .map(([name]) => name);

/** One call that breaks a Git rule. */
export interface GitWriteViolation {
  /** `never`: the tool is not for agents; else what is wrong with the arguments. */
  readonly rule: "never" | "unknown-tool" | "branch" | "path" | "draft";
  /** What is wrong, and how to do it right; for models and people. */
  readonly message: string;
}

type Arguments = Readonly<Record<string, unknown>>;

/**
 * What is wrong with a call that writes to a Git repository, whatever a prompt or an approver says: only branches
 * `agent/*`, pull requests as drafts only, paths inside the repository, never a merge (product.md section 7).
 *
 * Fails closed: an argument that is missing or of another type than it must be is a violation, and so is a tool of the
 * GitHub server that may write and that no rule knows.
 *
 * @param name - Tool with or without target; other spellings of the same words are understood.
 * @returns `undefined` for calls that may run, and for tools that do not write to Git.
 */
export function gitWriteViolation(name: string, args: Arguments): GitWriteViolation | undefined {
  const tool = gitWriteTool(name);
  const atGitHub = splitTool(name)?.server === "github";
  if (tool === undefined) return atGitHub ? unknownTool(name) : undefined;
  const rule = GIT_WRITES[tool];
  if (rule === "never")
    return {
      rule: "never",
      message: `${tool} is not for agents, with or without approval: leave it to a person.`,
    };
  if (rule === undefined || (rule.sharedName === true && !atGitHub && !speaksOfGit(args)))
    return undefined;
  return branchViolation(rule, args) ?? pathViolation(rule, args) ?? draftViolation(rule, args);
}

/** The tool that writes to Git which `name` stands for, as GitHub's server spells it; `undefined` for any other. */
export function gitWriteTool(name: string): string | undefined {
  const words = name
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_");
  const known = NAMES.filter((tool) => words === tool || words.endsWith(`_${tool}`));
  return known.reduce<string | undefined>(
    (longest, tool) => (longest !== undefined && longest.length >= tool.length ? longest : tool),
    undefined,
  );
}

function unknownTool(name: string): GitWriteViolation | undefined {
  const tool = splitTool(name)?.tool ?? name;
  if (toolAccess(name) === "read" || NO_GIT_WRITES.has(tool)) return undefined;
  return {
    rule: "unknown-tool",
    message: `${tool} may write to a repository and is none of the tools that agents may write with: use ${WRITERS}.`,
  };
}

const WRITERS = Object.entries(GIT_WRITES)
  .filter(([, rule]) => rule !== "never")
  .map(([name]) => name)
  .join(", ");

function speaksOfGit(args: Arguments): boolean {
  return ["owner", "repo", "branch"].some((key) => Object.hasOwn(args, key));
}

function branchViolation(
  { branch: key }: GitWriteRule,
  args: Arguments,
): GitWriteViolation | undefined {
  if (key === undefined) return undefined;
  const branch = Object.hasOwn(args, key) ? args[key] : undefined;
  if (typeof branch === "string" && isAgentBranch(branch)) return undefined;
  const message = `${key} must name a branch that begins with agent/, such as agent/raise-memory-limit: agents write to no other branch, the default branch least of all. Create one with create_branch and use it.`;
  return { rule: "branch", message };
}

function pathViolation({ paths }: GitWriteRule, args: Arguments): GitWriteViolation | undefined {
  if (paths === undefined) return undefined;
  const at = (holder: unknown): unknown =>
    typeof holder === "object" && holder !== null && Object.hasOwn(holder, "path")
      ? (holder as { readonly path: unknown }).path
      : undefined;
  const files = Object.hasOwn(args, "files") ? args["files"] : undefined;
  const named = paths === "path" ? [at(args)] : Array.isArray(files) ? files.map(at) : [];
  const sound = named.every((path) => typeof path === "string" && isRepositoryPath(path));
  if (named.length > 0 && sound) return undefined;
  const message = `${paths === "path" ? "path" : "files[].path"} must be a path inside the repository, without .., .git, a leading / or a backslash: write it from the root, such as apps/shop/values.yaml.`;
  return { rule: "path", message };
}

function draftViolation({ draft }: GitWriteRule, args: Arguments): GitWriteViolation | undefined {
  const value = Object.hasOwn(args, "draft") ? args["draft"] : undefined;
  if (draft === undefined || value === true) return undefined;
  if (draft === "kept" && value === undefined) return undefined;
  const message =
    "draft must be true: agents open draft pull requests only, a person marks them ready. Give draft: true.";
  return { rule: "draft", message };
}

/** 200 characters; git takes more, people do not. */
const MAX_BRANCH = 200;
/** What git takes as the name of a branch, without everything that could mean something else. */
const BRANCH = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;

/** Whether `name` is the name of a branch: ASCII letters, digits, `.`, `_`, `-` and `/`, nothing git would refuse. */
export function isBranchName(name: string): boolean {
  return (
    name.length <= MAX_BRANCH &&
    BRANCH.test(name) &&
    !name.includes("..") &&
    name
      .split("/")
      .every(
        (each) =>
          each !== "" && !each.startsWith(".") && !each.endsWith(".") && !each.endsWith(".lock"),
      )
  );
}

/** Whether agents may write to the branch `name` (product.md section 7). */
export function isAgentBranch(name: string): boolean {
  return name.startsWith("agent/") && isBranchName(name);
}

/** 300 characters: a longer path is none that people wrote. */
export const MAX_REPOSITORY_PATH = 300;

/** Percent-encoded `.`, `/` or `\`, encoded once or more: no file is called so, and some servers decode. */
const ENCODED_STEP = /%(?:25)*(?:2e|2f|5c)/i;

/** Whether `path` names something inside a repository and nothing of git's own, however a server reads it. */
export function isRepositoryPath(path: string): boolean {
  return (
    path.length <= MAX_REPOSITORY_PATH &&
    // Invisible characters too: a file system that drops them reads another name.
    /^[^\p{Cc}\p{Cf}\\]+$/u.test(path) &&
    !ENCODED_STEP.test(path) &&
    path
      .split("/")
      // A name with blanks around it is trimmed by some readers: " .. " climbs there.
      .every((each) => each !== "" && each === each.trim() && !/^(?:\.|\.\.|\.git)$/i.test(each))
  );
}
