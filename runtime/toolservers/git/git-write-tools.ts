import * as z from "zod";
import type { ToolDefinition } from "../../api/tool.ts";
import { optionalText } from "../arguments.ts";
import { ADDS, defineTool, ToolFailure } from "../define-tool.ts";
import { agentBranch, filePath, optionalRef, REPOSITORY } from "./git-arguments.ts";
import type { GitRepository, NewFile } from "./git-repository.ts";
import type { LocalRepository } from "./local-repository.ts";
import { commitOf, opened, refusedAs, tipOf } from "./repository-access.ts";

/** The tools that write to branches; to `agent/*` only. */
export function gitWriteTools(local: LocalRepository): readonly ToolDefinition[] {
  return [createBranch(local), createOrUpdateFile(local), pushFiles(local)];
}

/** 256 KiB per file: a manifest has some. */
const MAX_CONTENT = 256 * 1024;
/** 20 files per commit: a change that people can review. */
const MAX_FILES = 20;

const Content = z
  .string()
  .max(MAX_CONTENT)
  .describe("The whole new content of the file, as plain text");
const Message = z.string().trim().min(1).max(2000).describe("Commit message");
const Branch = agentBranch("Branch to commit to; begins with agent/ and exists");

function createBranch(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "create_branch",
    description: `Creates a branch agent/* in the repository ${local.fullName}. First step of a change; then create_or_update_file or push_files, then create_pull_request.`,
    inputSchema: z.strictObject({
      ...REPOSITORY,
      branch: agentBranch("Name of the new branch; begins with agent/"),
      from_branch: optionalRef("Branch or commit it starts from; main unless given"),
    }),
    hints: ADDS,
    run: async (args, { signal }) => {
      const git = await opened(local, args, signal);
      const start = await commitOf(git, args.from_branch, signal);
      await local.exclusively(() =>
        refusedAs(
          git.createBranch(args.branch, start, signal),
          `branch ${args.branch} cannot be created: it exists, or a branch of which it would be a part does`,
        ),
      );
      return `branch ${args.branch} created at ${start}`;
    },
  });
}

function createOrUpdateFile(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "create_or_update_file",
    description: `Commits one file to a branch agent/* of the repository ${local.fullName}. To change a file, give the sha that get_file_contents showed.`,
    inputSchema: z.strictObject({
      ...REPOSITORY,
      path: filePath("Path of the file from the root"),
      content: Content,
      message: Message,
      branch: Branch,
      sha: optionalText(64, "Sha of the file that is replaced; absent for a new file"),
    }),
    hints: { ...ADDS, destructiveHint: true },
    run: async ({ owner, repo, path, content, message, branch, sha }, { signal, user }) => {
      const git = await opened(local, { owner, repo }, signal);
      const files = [{ path, content }];
      return committed(
        local,
        git,
        { branch, files, message, user, check: (tip) => checkSha(git, tip, { path, sha }, signal) },
        signal,
      );
    },
  });
}

/** Whoever replaces a file has to have seen what is in it. */
async function checkSha(
  git: GitRepository,
  tip: string,
  { path, sha }: { readonly path: string; readonly sha: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const [entry] = await git.entries(tip, path, signal);
  if (entry?.type === "tree") throw new ToolFailure(`${path} is a folder`);
  if (entry === undefined) {
    if (sha === undefined) return;
    throw new ToolFailure(
      `${path} does not exist on the branch, so there is no sha ${sha} to replace`,
    );
  }
  if (sha === undefined)
    throw new ToolFailure(`${path} exists: give its sha, which get_file_contents shows`);
  if (entry.sha !== sha.toLowerCase())
    throw new ToolFailure(
      `${path} has changed since it was read: its sha is ${entry.sha}, not ${sha}`,
    );
}

function pushFiles(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "push_files",
    description: `Commits several files to a branch agent/* of the repository ${local.fullName} in one commit.`,
    inputSchema: z.strictObject({
      ...REPOSITORY,
      branch: Branch,
      files: z
        .array(
          z.strictObject({ path: filePath("Path of the file from the root"), content: Content }),
        )
        .min(1)
        .max(MAX_FILES)
        .describe("Files with their whole new content"),
      message: Message,
    }),
    hints: { ...ADDS, destructiveHint: true },
    run: async ({ owner, repo, branch, files, message }, { signal, user }) => {
      const git = await opened(local, { owner, repo }, signal);
      const twice = files.find(
        ({ path }, index) => files.findIndex((each) => each.path === path) < index,
      );
      if (twice !== undefined) throw new ToolFailure(`${twice.path} is there twice`);
      return committed(
        local,
        git,
        { branch, files, message, user, check: () => Promise.resolve() },
        signal,
      );
    },
  });
}

interface Commit {
  readonly branch: string;
  readonly files: readonly NewFile[];
  readonly message: string;
  readonly user: string;
  /** Looks at the branch's last commit before anything is written. */
  readonly check: (tip: string) => Promise<void>;
}

async function committed(
  local: LocalRepository,
  git: GitRepository,
  { branch, files, message, user, check }: Commit,
  signal: AbortSignal,
): Promise<string> {
  const commit = await local.exclusively(async () => {
    const tip = await tipOf(git, branch, signal);
    await check(tip);
    const clash = clashing(files, await git.paths(tip, signal));
    if (clash !== undefined) throw new ToolFailure(`${clash} would be a file and a folder at once`);
    const change = { files, message: signed(message, user), signature: signature(local) };
    return refusedAs(
      git.commit(branch, tip, change, signal),
      `git does not take the commit; ${branch} may have moved on, try again`,
    );
  });
  if (commit === undefined)
    throw new ToolFailure("nothing changes: the files are like that on the branch already");
  return `committed ${files.map(({ path }) => path).join(", ")} to ${branch} as ${commit}`;
}

/** The path that would be both a file and a folder, if there is one: git would drop the other without a word. */
function clashing(files: readonly NewFile[], existing: readonly string[]): string | undefined {
  const all = new Set([...existing, ...files.map(({ path }) => path)]);
  const folders = new Set([...all].flatMap(parentsOf));
  return files
    .flatMap(({ path }) => [path, ...parentsOf(path)])
    .find((path) => all.has(path) && folders.has(path));
}

function parentsOf(path: string): readonly string[] {
  const segments = path.split("/");
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join("/"));
}

function signature(local: LocalRepository) {
  return { name: "kagent", email: "kagent@localhost", at: local.now() };
}

/** The commit says for whom it was made. */
function signed(message: string, user: string): string {
  const name = user.replace(/[^\w.@+-]/g, "_").slice(0, 100);
  return `${message}\n\nRequested-by: ${name}\n`;
}
