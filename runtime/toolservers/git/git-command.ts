import { execFile } from "node:child_process";
import { devNull } from "node:os";
import { ToolFailure } from "../define-tool.ts";

/** Where the git binary is found. */
export interface GitBinary {
  /** Directories it is looked for in, as `PATH` has them. */
  readonly searchPath: string;
}

/** One run of git. */
export interface GitCommand {
  /** Arguments; values from outside stand behind `--` or `--end-of-options`. */
  readonly args: readonly string[];
  /** Standard input. */
  readonly input?: string | Buffer;
  /** Further environment, e.g. the dates of a commit. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Git ended with another exit code than 0. */
export class GitError extends Error {
  override readonly name = "GitError";
  /** Exit code; 128 for most refusals. */
  readonly exitCode: number;

  constructor(command: string, exitCode: number, said: string) {
    super(`git ${command} failed (exit code ${exitCode}): ${said}`);
    this.exitCode = exitCode;
  }
}

/** 10 s for one command; the repository is small and on the local disk. */
const TIMEOUT_MS = 10_000;
/** 8 MiB of output. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;
/** 300 characters of what git says go into an error. */
const MAX_SAID = 300;

/** Settings that hold whatever configuration the machine or the repository has. */
const CONFIG = [
  ...["-c", `core.hooksPath=${devNull}`],
  ...["-c", "core.quotePath=false"],
  ...["-c", "safe.bareRepository=all"],
  ...["-c", "protocol.allow=never"],
];

/**
 * Runs git on the bare repository `directory`, without a shell, prompts, hooks, network or anybody's configuration.
 *
 * @returns Standard output.
 * @throws GitError when git refuses; ToolFailure when there is no git; the signal's reason on abort.
 */
export async function runGit(
  binary: GitBinary,
  directory: string,
  command: GitCommand,
  signal: AbortSignal,
): Promise<Buffer> {
  signal.throwIfAborted();
  const { args, input, env = {} } = command;
  const options = {
    env: { ...environment(binary, directory), ...env },
    timeout: TIMEOUT_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
    encoding: "buffer" as const,
    signal,
    windowsHide: true,
  };
  return new Promise((resolve, reject) => {
    const child = execFile("git", [...CONFIG, ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else
        reject(signal.aborted ? (signal.reason as Error) : asError(args[0] ?? "", error, stderr));
    });
    // a git that ends early closes its input; its exit code says why
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input ?? "");
  });
}

function environment({ searchPath }: GitBinary, directory: string): Record<string, string> {
  return {
    PATH: searchPath,
    HOME: directory,
    LC_ALL: "C",
    GIT_DIR: directory,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: devNull,
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_LITERAL_PATHSPECS: "1",
  };
}

function asError(
  command: string,
  error: Error & { readonly code?: number | string | null; readonly killed?: boolean },
  stderr: Buffer,
): Error {
  if (error.code === "ENOENT")
    return new ToolFailure("git is not installed on this machine, so there is no repository", {
      cause: error,
    });
  if (error.killed === true)
    return new ToolFailure(`git ${command} did not end within ${TIMEOUT_MS / 1000} s`, {
      cause: error,
    });
  const exitCode = typeof error.code === "number" ? error.code : -1;
  return new GitError(command, exitCode, stderr.toString("utf8").trim().slice(0, MAX_SAID));
}
