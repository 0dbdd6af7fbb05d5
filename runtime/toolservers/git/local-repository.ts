import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../process/clock.ts";
import { type GitBinary, runGit } from "./git-command.ts";
import { fileRecords, type GitRecord, type GitRecords } from "./git-records.ts";
import { GitRepository } from "./git-repository.ts";
import { type SeedCommit, seedCommits } from "./seed-content.ts";

/** What a local repository needs. */
export interface LocalRepositoryDeps extends GitBinary {
  /** Folder for `repository.git` and `records/`; created on first use. */
  readonly directory: string;
  /** Dates of commits and records. */
  readonly clock: Pick<Clock, "now">;
  /** Owner in the repository's name. */
  readonly owner: string;
  /** Repository in its name. */
  readonly repo: string;
  /** Cluster that the first content describes. */
  readonly cluster: string;
  /** Where issues and pull requests are kept; JSON files in `directory` unless set. */
  readonly records?: GitRecords;
}

/** The branch that everything starts from. */
export const MAIN = "main";

/** The local Git repository with its issues and pull requests; made on first use, kept afterwards. */
export class LocalRepository {
  /** `owner/repo`. */
  readonly fullName: string;
  readonly #deps: LocalRepositoryDeps;
  readonly #records: GitRecords;
  #ready: Promise<GitRepository> | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(deps: LocalRepositoryDeps) {
    this.fullName = `${deps.owner}/${deps.repo}`;
    this.#deps = deps;
    this.#records = deps.records ?? fileRecords(join(deps.directory, "records"));
  }

  /** The repository; made when it does not exist. @throws ToolFailure when there is no git. */
  async git(signal: AbortSignal): Promise<GitRepository> {
    const ready = (this.#ready ??= this.#open(signal));
    try {
      return await ready;
    } catch (error) {
      // the next call tries again: the one who waited may just have given up
      this.#ready = undefined;
      throw error;
    }
  }

  /** Issues and pull requests, the newest first. */
  async records(signal: AbortSignal): Promise<readonly GitRecord[]> {
    await this.git(signal);
    return this.#records.all();
  }

  /**
   * Stores what `make` makes of the records there are; `next` is a free number.
   *
   * One write at a time, so that two never get the same number.
   */
  async write<T extends GitRecord>(
    signal: AbortSignal,
    make: (records: readonly GitRecord[], next: number) => Promise<T> | T,
  ): Promise<T> {
    await this.git(signal);
    return this.exclusively(async () => {
      const records = await this.#records.all();
      const next = (records[0]?.number ?? 0) + 1;
      const record = await make(records, next);
      await this.#records.put(record);
      return record;
    });
  }

  /** Runs `work` after every write before it. */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#writing;
    const mine = (async () => {
      await before;
      return work();
    })();
    this.#writing = mine.catch(() => undefined);
    return mine;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#deps.clock.now();
  }

  async #open(signal: AbortSignal): Promise<GitRepository> {
    const { directory } = this.#deps;
    const path = join(directory, "repository.git");
    if (!(await exists(join(path, "HEAD")))) await this.#create(path, signal);
    return new GitRepository(this.#deps, path);
  }

  /** In a folder aside, renamed at the end: a start that was cut off leaves nothing half made. */
  async #create(path: string, signal: AbortSignal): Promise<void> {
    const { directory, cluster, clock } = this.#deps;
    await mkdir(directory, { recursive: true });
    const aside = join(directory, `repository-${randomUUID()}.git`);
    try {
      const begin = clock.now();
      const commits = seedCommits(cluster);
      const init = ["init", "--quiet", "--bare", "--template=", `--initial-branch=${MAIN}`, aside];
      await runGit(this.#deps, aside, { args: init }, signal);
      const input = importStream(commits, begin);
      await runGit(this.#deps, aside, { args: ["fast-import", "--quiet"], input }, signal);
      const git = new GitRepository(this.#deps, aside);
      for (const record of await seedRecords(git, commits, begin, signal))
        await this.#records.put(record);
      await rename(aside, path);
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}

const SEED_AUTHOR = "Platform Team";
const SEED_EMAIL = "platform@example.com";

/** @see https://git-scm.com/docs/git-fast-import#_input_format */
function importStream(commits: readonly SeedCommit[], begin: number): string {
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  return commits
    .map(({ message, ageMs, files }) => {
      const who = `${SEED_AUTHOR} <${SEED_EMAIL}> ${Math.floor((begin - ageMs) / 1000)} +0000`;
      const changes = files.map(({ path, content }) => `M 100644 inline ${path}\n${data(content)}`);
      return `commit refs/heads/${MAIN}\nauthor ${who}\ncommitter ${who}\n${data(message)}${changes.join("")}\n`;
    })
    .join("");
}

async function seedRecords(
  git: GitRepository,
  commits: readonly SeedCommit[],
  begin: number,
  signal: AbortSignal,
): Promise<readonly GitRecord[]> {
  const log = await git.log(MAIN, { limit: commits.length, skip: 0 }, signal);
  const shas = log.map(({ sha }) => sha).reverse();
  const pulls = commits.flatMap((commit, index): readonly GitRecord[] => {
    const { pullRequest, message, ageMs } = commit;
    if (pullRequest === undefined) return [];
    const [title = "", ...body] = message.split("\n\n");
    const at = new Date(begin - ageMs).toISOString();
    return [
      {
        kind: "pull-request",
        ...record(pullRequest, title, body.join("\n\n"), at),
        state: "closed",
        draft: false,
        head: `change-${pullRequest}`,
        base: MAIN,
        headSha: shas[index] ?? "",
        baseSha: shas[index - 1] ?? "",
        mergedAt: at,
      },
    ];
  });
  const at = new Date(begin - 9 * 86_400_000).toISOString();
  const title = "Check that image tags exist before a change is merged";
  const body =
    "A tag that does not exist is found out in the cluster only. A check of the pull request would see it.";
  return [...pulls, { kind: "issue", ...record(43, title, body, at), labels: ["enhancement"] }];
}

function record(number: number, title: string, body: string, at: string) {
  return {
    number,
    title,
    body,
    author: SEED_AUTHOR,
    state: "open" as const,
    labels: [],
    comments: [],
    createdAt: at,
    updatedAt: at,
  };
}
