import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type GitBinary, type GitCommand, GitError, runGit } from "./git-command.ts";

/** A file or folder of a commit. */
export interface TreeEntry {
  /** From the root of the repository. */
  readonly path: string;
  readonly type: "blob" | "tree" | "commit";
  /** E.g. `100644`, `100755` for what may be run, `120000` for links. */
  readonly mode: string;
  /** Hash of its content. */
  readonly sha: string;
  /** Bytes; 0 for folders. */
  readonly size: number;
}

/** A commit without its changes. */
export interface CommitInfo {
  readonly sha: string;
  readonly author: string;
  /** RFC 3339. */
  readonly date: string;
  /** Subject and body. */
  readonly message: string;
}

/** A file that differs between two commits. */
export interface FileChange {
  readonly path: string;
  readonly status: "added" | "modified" | "removed";
  /** Lines; 0 for binary files. */
  readonly additions: number;
  /** Lines; 0 for binary files. */
  readonly deletions: number;
}

/** A file to commit. */
export interface NewFile {
  /** From the root of the repository. */
  readonly path: string;
  /** The whole content. */
  readonly content: string;
}

/** Who commits, and when. */
export interface Signature {
  readonly name: string;
  readonly email: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A bare repository on the local disk, read and written with git's plumbing. Refs and paths are checked by callers. */
export class GitRepository {
  readonly #binary: GitBinary;
  readonly #directory: string;

  constructor(binary: GitBinary, directory: string) {
    this.#binary = binary;
    this.#directory = directory;
  }

  /** Hash of the commit that `ref` names, or `undefined`. */
  async resolve(ref: string, signal: AbortSignal): Promise<string | undefined> {
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`];
    try {
      return await this.#text({ args }, signal);
    } catch (error) {
      if (error instanceof GitError) return undefined;
      throw error;
    }
  }

  /** What `path` is in `commit`; with a `/` behind it, what is in that folder; `""` is the root. */
  async entries(commit: string, path: string, signal: AbortSignal): Promise<readonly TreeEntry[]> {
    const paths = path === "" ? [] : [path];
    const args = ["ls-tree", "-z", "--long", commit, "--", ...paths];
    const out = await this.#text({ args }, signal);
    return records(out).flatMap((line) => {
      const match = /^(\d+) (blob|tree|commit) ([0-9a-f]+) +(\d+|-)\t(.*)$/s.exec(line);
      if (match === null) return [];
      const [, mode = "", type = "blob", sha = "", size = "0", name = ""] = match;
      return [{ path: name, type: type as TreeEntry["type"], mode, sha, size: Number(size) || 0 }];
    });
  }

  /** Paths of all files of `commit`. */
  async paths(commit: string, signal: AbortSignal): Promise<readonly string[]> {
    const args = ["ls-tree", "-r", "-z", "--name-only", commit];
    return records(await this.#text({ args }, signal));
  }

  /** Content of a file by its hash. */
  blob(sha: string, signal: AbortSignal): Promise<Buffer> {
    return this.#run({ args: ["cat-file", "blob", sha] }, signal);
  }

  /** Commits reachable from `commit`, newest first; with a path, those that changed it. */
  async log(
    commit: string,
    query: { readonly path?: string; readonly limit: number; readonly skip: number },
    signal: AbortSignal,
  ): Promise<readonly CommitInfo[]> {
    const { path, limit, skip } = query;
    const args = [
      ...["log", "-z", "--no-color", "--format=%H%x1f%an%x1f%aI%x1f%B", `--max-count=${limit}`],
      ...[`--skip=${skip}`, commit, "--", ...(path === undefined ? [] : [path])],
    ];
    return records(await this.#text({ args }, signal)).map((line) => {
      const [sha = "", author = "", date = "", message = ""] = line.split("\x1f");
      return { sha, author, date, message: message.trim() };
    });
  }

  /** Branches, the most recently changed first. */
  async branches(
    signal: AbortSignal,
  ): Promise<readonly { readonly name: string; readonly sha: string }[]> {
    const format = "%(refname:lstrip=2) %(objectname)";
    const args = ["for-each-ref", `--format=${format}`, "--sort=-committerdate", "refs/heads"];
    const out = await this.#text({ args }, signal);
    return out
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [name = "", sha = ""] = line.split(" ");
        return { name, sha };
      });
  }

  /** Files that differ between two commits. */
  async changes(from: string, to: string, signal: AbortSignal): Promise<readonly FileChange[]> {
    const args = (kind: string) => ["diff-tree", "-r", "-z", "--no-renames", kind, from, to];
    const [counts, statuses] = await Promise.all([
      this.#text({ args: args("--numstat") }, signal),
      this.#text({ args: args("--name-status") }, signal),
    ]);
    const words = records(statuses);
    const status = new Map<string, string>();
    for (let at = 0; at + 1 < words.length; at += 2)
      status.set(words[at + 1] ?? "", words[at] ?? "");
    return records(counts).map((line) => {
      const [added = "", deleted = "", ...path] = line.split("\t");
      const name = path.join("\t");
      const letter = status.get(name);
      return {
        path: name,
        status: letter === "A" ? "added" : letter === "D" ? "removed" : "modified",
        additions: Number(added) || 0,
        deletions: Number(deleted) || 0,
      };
    });
  }

  /** Unified diff between two commits. */
  diff(from: string, to: string, signal: AbortSignal): Promise<string> {
    const flags = ["--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"];
    return this.#text({ args: ["diff-tree", "-r", "-p", ...flags, from, to] }, signal);
  }

  /** First parent of `commit`; the empty tree for a first commit. */
  async parent(commit: string, signal: AbortSignal): Promise<string> {
    return (await this.resolve(`${commit}^`, signal)) ?? EMPTY_TREE;
  }

  /** Where two commits forked, or `undefined` when they have nothing in common. */
  async mergeBase(one: string, other: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      return await this.#text({ args: ["merge-base", one, other] }, signal);
    } catch (error) {
      if (error instanceof GitError && error.exitCode === 1) return undefined;
      throw error;
    }
  }

  /** Lines of `commit` that hold one of `words`, in files that hold all of them; at most 3 a file. */
  async grep(
    commit: string,
    query: { readonly words: readonly string[]; readonly path: string },
    signal: AbortSignal,
  ): Promise<readonly { readonly path: string; readonly line: number; readonly text: string }[]> {
    const patterns = query.words.flatMap((word) => ["-e", word]);
    const flags = ["-I", "-i", "-n", "-z", "-F", "--no-color", "--max-count=3", "--all-match"];
    const paths = query.path === "" ? [] : [query.path];
    const args = ["grep", ...flags, ...patterns, commit, "--", ...paths];
    let out: string;
    try {
      out = await this.#text({ args }, signal);
    } catch (error) {
      if (error instanceof GitError && error.exitCode === 1) return [];
      throw error;
    }
    return out.split("\n").flatMap((found) => {
      const [place = "", line = "", ...text] = found.split("\0");
      if (text.length === 0) return [];
      return [{ path: place.slice(commit.length + 1), line: Number(line), text: text.join("\0") }];
    });
  }

  /** Points a new branch at `commit`. @throws GitError when there is one of that name. */
  async createBranch(name: string, commit: string, signal: AbortSignal): Promise<void> {
    const nothing = "0".repeat(commit.length);
    await this.#run({ args: ["update-ref", `refs/heads/${name}`, commit, nothing] }, signal);
  }

  /**
   * Commits `files` onto the branch `branch`, whose last commit must still be `parent`.
   *
   * @returns Hash of the commit, or `undefined` when the files are as they were.
   * @throws GitError when the branch has moved on. A file where a folder was replaces the folder: callers check.
   */
  async commit(
    branch: string,
    parent: string,
    change: {
      readonly files: readonly NewFile[];
      readonly message: string;
      readonly signature: Signature;
    },
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const index = join(this.#directory, `index-${randomUUID()}`);
    try {
      const env = { GIT_INDEX_FILE: index };
      await this.#run({ args: ["read-tree", parent], env }, signal);
      const lines = await this.#stored(parent, change.files, signal);
      await this.#run({ args: ["update-index", "-z", "--index-info"], input: lines, env }, signal);
      const tree = await this.#text({ args: ["write-tree"], env }, signal);
      if (tree === (await this.#text({ args: ["rev-parse", `${parent}^{tree}`] }, signal)))
        return undefined;
      const commit = await this.#text(
        {
          args: ["commit-tree", tree, "-p", parent, "-F", "-"],
          input: change.message,
          env: signatureEnvironment(change.signature),
        },
        signal,
      );
      await this.#run({ args: ["update-ref", `refs/heads/${branch}`, commit, parent] }, signal);
      return commit;
    } finally {
      await rm(index, { force: true });
      await rm(`${index}.lock`, { force: true });
    }
  }

  /** Writes the contents and returns the lines that put them into an index; what could be run still can. */
  async #stored(parent: string, files: readonly NewFile[], signal: AbortSignal): Promise<string> {
    const lines: string[] = [];
    for (const { path, content } of files) {
      const args = ["hash-object", "-w", "--stdin"];
      const [sha, [old]] = await Promise.all([
        this.#text({ args, input: content }, signal),
        this.entries(parent, path, signal),
      ]);
      lines.push(`${old?.mode === "100755" ? old.mode : "100644"} ${sha}\t${path}\0`);
    }
    return lines.join("");
  }

  #run(command: GitCommand, signal: AbortSignal): Promise<Buffer> {
    return runGit(this.#binary, this.#directory, command, signal);
  }

  async #text(command: GitCommand, signal: AbortSignal): Promise<string> {
    return (await this.#run(command, signal)).toString("utf8").replace(/\n$/, "");
  }
}

/** Hash of the tree without files, which git knows in every repository. */
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/** The environment in which git takes author, committer and date from. */
function signatureEnvironment({ name, email, at }: Signature): Record<string, string> {
  const date = `${Math.floor(at / 1000)} +0000`;
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  };
}

function records(text: string): readonly string[] {
  return text.split("\0").filter((record) => record !== "");
}
