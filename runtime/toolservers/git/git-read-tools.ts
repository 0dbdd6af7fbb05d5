import * as z from "zod";
import type { ToolDefinition } from "../../api/tool.ts";
import { count, optionalText } from "../arguments.ts";
import { boundBytes, MAX_RESULT_BYTES } from "../bounded-text.ts";
import { defineTool, ToolFailure } from "../define-tool.ts";
import { jsonLines, optionalPath, optionalRef, PAGES, paged, REPOSITORY } from "./git-arguments.ts";
import type { GitRepository, TreeEntry } from "./git-repository.ts";
import type { LocalRepository } from "./local-repository.ts";
import { commitOf, entryAt, opened } from "./repository-access.ts";

/** The tools that read files, branches and commits. */
export function gitReadTools(local: LocalRepository): readonly ToolDefinition[] {
  return [
    getFileContents(local),
    listBranches(local),
    listCommits(local),
    getCommit(local),
    searchCode(local),
  ];
}

/** 30 KiB: a file is shown whole or not at all, because what is shown may be written back. */
const MAX_FILE_BYTES = MAX_RESULT_BYTES - 2048;

function getFileContents(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "get_file_contents",
    description: `Content of a file of the repository ${local.fullName} with its sha (needed to change it), or the list of a folder. Read a file before proposing a change to it.`,
    inputSchema: z.strictObject({
      ...REPOSITORY,
      path: optionalPath("Path of a file or folder from the root; absent: the root folder"),
      ref: optionalRef("Branch or commit; main unless given"),
    }),
    run: async ({ owner, repo, path, ref }, { signal }) => {
      const git = await opened(local, { owner, repo }, signal);
      const commit = await commitOf(git, ref, signal);
      if (path === "") return folderText(await git.entries(commit, "", signal));
      const entry = await entryAt(git, commit, path, signal);
      if (entry.type === "tree") return folderText(await git.entries(commit, `${path}/`, signal));
      return fileText(git, entry, ref, signal);
    },
  });
}

function folderText(entries: readonly TreeEntry[]): string {
  const shown = entries.map(({ path, type, size, sha }) =>
    type === "tree" ? { path, type: "dir" } : { path, type: "file", size, sha },
  );
  return boundBytes(jsonLines(shown));
}

async function fileText(
  git: GitRepository,
  { path, sha, size }: TreeEntry,
  ref: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const where = ref === undefined ? "" : ` on ${ref}`;
  if (size > MAX_FILE_BYTES)
    throw new ToolFailure(
      `${path} has ${size} bytes, more than the ${MAX_FILE_BYTES} that can be shown (sha ${sha}); search_code finds lines in it`,
    );
  const bytes = await git.blob(sha, signal);
  if (bytes.includes(0))
    throw new ToolFailure(`${path} is a binary file of ${size} bytes (sha ${sha})`);
  return `file ${path}${where} (sha ${sha}, ${size} bytes)\n${bytes.toString("utf8")}`;
}

function listBranches(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "list_branches",
    description: `Branches of the repository ${local.fullName}, the most recently changed first.`,
    inputSchema: z.strictObject({ ...REPOSITORY, ...PAGES }),
    run: async (args, { signal }) => {
      const git = await opened(local, args, signal);
      return boundBytes(jsonLines(paged(await git.branches(signal), args)));
    },
  });
}

function listCommits(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "list_commits",
    description: `Commits of the repository ${local.fullName}, newest first; with a path, those that changed it. Use it to find out what changed before something broke.`,
    inputSchema: z.strictObject({
      ...REPOSITORY,
      sha: optionalRef("Branch or commit to start from; main unless given"),
      path: optionalPath("Only commits that changed this file or folder"),
      author: optionalText(100, "Only commits whose author's name contains this"),
      ...PAGES,
    }),
    run: async (args, { signal }) => {
      const git = await opened(local, args, signal);
      const commit = await commitOf(git, args.sha, signal);
      const query = { limit: args.perPage, skip: (args.page - 1) * args.perPage };
      const path = args.path === "" ? {} : { path: args.path };
      const commits = await git.log(commit, { ...query, ...path }, signal);
      const author = args.author?.toLowerCase() ?? "";
      return boundBytes(
        jsonLines(commits.filter((each) => each.author.toLowerCase().includes(author))),
      );
    },
  });
}

function getCommit(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "get_commit",
    description: `One commit of the repository ${local.fullName} with the files it changed and its diff.`,
    inputSchema: z.strictObject({
      ...REPOSITORY,
      sha: z
        .string()
        .max(200)
        .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, "must be the hash of a commit or a branch")
        .describe("Hash of the commit, or a branch for its last one"),
    }),
    run: async (args, { signal }) => {
      const git = await opened(local, args, signal);
      const commit = await commitOf(git, args.sha, signal);
      const [[info], parent] = await Promise.all([
        git.log(commit, { limit: 1, skip: 0 }, signal),
        git.parent(commit, signal),
      ]);
      const [files, diff] = await Promise.all([
        git.changes(parent, commit, signal),
        git.diff(parent, commit, signal),
      ]);
      return boundBytes(`${JSON.stringify({ ...info, files })}\n\n${diff}`);
    },
  });
}

/** Qualifiers of GitHub's code search that are understood or may be ignored in a repository of its own. */
const QUALIFIER = /^(path|filename|extension|language|repo|org|user|in|is):(.*)$/i;

function searchCode(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "search_code",
    description: `Finds files of the repository ${local.fullName} (branch main) that contain all words of the query or have them in their path, with the lines. Qualifiers path:, filename: and extension: narrow it.`,
    inputSchema: z.strictObject({
      ...REPOSITORY,
      query: z.string().trim().min(1).max(300).describe("Words, e.g. checkout replicas path:apps"),
      perPage: count(100, 30, "Most files to return"),
    }),
    run: async ({ owner, repo, query, perPage }, { signal }) => {
      const git = await opened(local, { owner, repo }, signal);
      const commit = await commitOf(git, undefined, signal);
      const { words, accepts } = understood(query);
      const found = words.length === 0 ? [] : await git.grep(commit, { words, path: "" }, signal);
      const byPath = Map.groupBy(found, ({ path }) => path);
      for (const path of await pathsWith(git, commit, words, signal))
        if (!byPath.has(path)) byPath.set(path, []);
      const files = [...byPath]
        .filter(([path]) => accepts(path))
        .map(([path, lines]) => ({
          path,
          lines: lines.map(({ line, text }) => `${line}: ${text.trim().slice(0, 200)}`),
        }));
      return boundBytes(
        `{"total_count":${files.length},"items":${jsonLines(files.slice(0, perPage))}}`,
      );
    },
  });
}

/** Files whose path contains all words, which people mean as often as the content. */
async function pathsWith(
  git: GitRepository,
  commit: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const paths = await git.paths(commit, signal);
  return paths.filter((path) =>
    words.every((word) => path.toLowerCase().includes(word.toLowerCase())),
  );
}

function understood(query: string): {
  readonly words: readonly string[];
  readonly accepts: (path: string) => boolean;
} {
  const words: string[] = [];
  const tests: ((path: string) => boolean)[] = [];
  for (const [, quoted, plain] of query.matchAll(/"([^"]{1,200})"|(\S+)/g)) {
    const match = QUALIFIER.exec(plain ?? "");
    if (match === null) words.push(quoted ?? plain ?? "");
    else tests.push(...pathTest(match[1] ?? "", match[2] ?? ""));
  }
  return {
    words: words.filter((word) => word !== "").slice(0, 10),
    accepts: (path) => tests.every((test) => test(path)),
  };
}

function pathTest(qualifier: string, value: string): readonly ((path: string) => boolean)[] {
  const wanted = value.replaceAll('"', "").toLowerCase();
  switch (qualifier.toLowerCase()) {
    case "path":
      return [(path) => path.toLowerCase().includes(wanted.replace(/^\/|\/$/g, ""))];
    case "filename":
      return [(path) => (path.split("/").at(-1) ?? "").toLowerCase().includes(wanted)];
    case "extension":
      return [(path) => path.toLowerCase().endsWith(`.${wanted}`)];
    default:
      return [];
  }
}
