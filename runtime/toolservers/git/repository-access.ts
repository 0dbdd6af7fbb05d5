import { ToolFailure } from "../define-tool.ts";
import { similarNames } from "../similar-names.ts";
import { GitError } from "./git-command.ts";
import type { PullRequest } from "./git-records.ts";
import type { GitRepository, TreeEntry } from "./git-repository.ts";
import { type LocalRepository, MAIN } from "./local-repository.ts";

/** Owner and repository as a caller named them. */
export interface NamedRepository {
  readonly owner?: string | undefined;
  readonly repo?: string | undefined;
}

/**
 * The repository, when the caller means the one there is.
 *
 * @throws ToolFailure when another one is named.
 */
export async function opened(
  local: LocalRepository,
  { owner, repo }: NamedRepository,
  signal: AbortSignal,
): Promise<GitRepository> {
  const [ownOwner = "", ownRepo = ""] = local.fullName.split("/");
  const isOwn = (given: string | undefined, own: string) =>
    given === undefined || given.toLowerCase() === own.toLowerCase();
  if (!isOwn(owner, ownOwner) || !isOwn(repo, ownRepo))
    throw new ToolFailure(
      `there is no repository ${owner ?? ownOwner}/${repo ?? ownRepo}; there is ${local.fullName}`,
    );
  return local.git(signal);
}

/** Hash of the commit that `ref` names, `main` unless given. @throws ToolFailure with the branches there are. */
export async function commitOf(
  git: GitRepository,
  ref: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const wanted = ref ?? MAIN;
  const found =
    (await git.resolve(`refs/heads/${wanted.replace(/^refs\/heads\//, "")}`, signal)) ??
    (await git.resolve(wanted, signal));
  if (found !== undefined) return found;
  const names = (await git.branches(signal)).map(({ name }) => name);
  throw new ToolFailure(
    `there is no branch or commit ${wanted}; branches: ${names.slice(0, 20).join(", ")}`,
  );
}

/** Last commit of the branch `name`. @throws ToolFailure when there is none. */
export async function tipOf(
  git: GitRepository,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  const tip = await git.resolve(`refs/heads/${name}`, signal);
  if (tip === undefined)
    throw new ToolFailure(`there is no branch ${name}; create_branch makes one`);
  return tip;
}

/** 5000 paths are compared with one that does not exist. */
const MAX_COMPARED = 5000;

/** File or folder at `path`. @throws ToolFailure with similar paths when there is none. */
export async function entryAt(
  git: GitRepository,
  commit: string,
  path: string,
  signal: AbortSignal,
): Promise<TreeEntry> {
  const [entry] = await git.entries(commit, path, signal);
  if (entry !== undefined) return entry;
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : "";
  const [siblings, paths] = await Promise.all([
    git.entries(commit, folder, signal),
    git.paths(commit, signal),
  ]);
  const similar = similarNames(path, paths.slice(0, MAX_COMPARED), 3);
  const shown = similar.length > 0 ? similar : siblings.slice(0, 20).map((each) => each.path);
  const hint = shown.length === 0 ? "; search_code finds paths" : `; there is ${shown.join(", ")}`;
  throw new ToolFailure(`there is no file or folder ${path}${hint}`);
}

/** The pull request `number`. @throws ToolFailure when there is none. */
export async function pullRequest(
  local: LocalRepository,
  number: number,
  signal: AbortSignal,
): Promise<PullRequest> {
  const records = await local.records(signal);
  const found = records.find((record) => record.number === number);
  if (found?.kind === "pull-request") return found;
  throw new ToolFailure(`there is no pull request ${number}`);
}

/** The commits between which a pull request's changes lie: those of the branch while there is one. */
export async function rangeOf(
  git: GitRepository,
  pull: PullRequest,
  signal: AbortSignal,
): Promise<{ readonly from: string; readonly to: string }> {
  const tip =
    pull.state === "open" ? await git.resolve(`refs/heads/${pull.head}`, signal) : undefined;
  if (tip === undefined) return { from: pull.baseSha, to: pull.headSha };
  const base = await git.resolve(`refs/heads/${pull.base}`, signal);
  const fork = base === undefined ? undefined : await git.mergeBase(base, tip, signal);
  return { from: fork ?? pull.baseSha, to: tip };
}

/** What git refused, as a failure of the tool; git's own words name refs and paths only. */
export async function refusedAs<T>(work: Promise<T>, message: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new ToolFailure(message, { cause: error });
  }
}
