import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { constants, setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { endWithThisProcess } from "./end-with-this-process.ts";

const run = promisify(execFile);

/** A command that the Go tool builds from a public module. */
export interface GoCommand {
  /** File name of the executable, e.g. `kube-apiserver`. */
  readonly name: string;
  /** Module path, e.g. `k8s.io/kubernetes`. */
  readonly module: string;
  /** Release of the module, with its leading `v`. */
  readonly version: string;
  /** Import path of the main package. */
  readonly mainPackage: string;
  /**
   * Release that replaces the modules which the module's own go.mod points at with a relative path. Only the main
   * module's `replace` lines count in Go, and theirs lead to folders a module archive does not hold. Default: such
   * modules are taken at the version the go.mod requires.
   */
  readonly stagingVersion?: string;
  /** Arguments of the linker beside `-w -s`. */
  readonly linkerFlags: readonly string[];
}

/** The `go` command is not on PATH; trying again does not help. */
export class MissingGoError extends Error {
  override readonly name = "MissingGoError";
}

/** The Go tool failed; the message ends with the last lines it printed. Trying again helps when the network was down. */
export class GoBuildError extends Error {
  override readonly name = "GoBuildError";
}

/** The Go tool, looked up on PATH; it reads its proxy, caches and flags from the environment. */
const GO = "go";
/** Lines of the Go tool's output that an error repeats. */
const KEPT_LINES = 25;
/** 5 minutes to fetch one module archive (the biggest is 35 MB) and read its go.mod. */
const DOWNLOAD_MS = 300_000;
/** Lower than anything interactive: a build uses all cores for minutes. */
const NICENESS = constants.priority.PRIORITY_BELOW_NORMAL;

const moduleSchema = z.object({ GoMod: z.string() });
const goModSchema = z.object({
  Go: z.string(),
  Replace: z
    .array(z.object({ Old: z.object({ Path: z.string() }), New: z.object({ Path: z.string() }) }))
    .nullish(),
});

/**
 * Builds `command` as a static executable at `target`, without cgo.
 *
 * @param target - Written by the Go tool; may hold part of a file after a failure.
 * @throws MissingGoError when there is no `go`; GoBuildError when it fails; the signal's reason.
 */
export async function goBuild(
  command: GoCommand,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "kagent-go-"));
  try {
    await writeFile(join(folder, "go.mod"), await goModOf(command, folder, signal));
    const flags = ["-w", "-s", ...command.linkerFlags].join(" ");
    // -mod=mod writes go.sum and the indirect requirements as it goes: `go mod tidy` would also fetch what only tests need.
    const args = ["build", "-mod=mod", "-o", target, "-ldflags", flags, command.mainPackage];
    await runGo(args, folder, signal);
  } finally {
    // The Go tool's own work lies here too, which it leaves behind when it is ended, with a compiler still writing.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

async function goModOf(command: GoCommand, folder: string, signal: AbortSignal): Promise<string> {
  const { module, version, stagingVersion } = command;
  const { GoMod } = moduleSchema.parse(
    await goJson(["mod", "download", "-json", `${module}@${version}`], folder, signal),
  );
  const { Go, Replace } = goModSchema.parse(
    await goJson(["mod", "edit", "-json", GoMod], folder, signal),
  );
  const local = (Replace ?? []).filter((replace) => replace.New.Path.startsWith("."));
  const replaces =
    stagingVersion === undefined
      ? []
      : local.map(({ Old }) => `replace ${Old.Path} => ${Old.Path} ${stagingVersion}`);
  return [
    "module kagent.invalid/cluster",
    `go ${Go}`,
    `require ${module} ${version}`,
    ...replaces,
    "",
  ].join("\n");
}

async function goJson(args: readonly string[], cwd: string, signal: AbortSignal): Promise<unknown> {
  try {
    const options = { cwd, env: goEnvironment(), signal, timeout: DOWNLOAD_MS };
    const { stdout } = await run(GO, [...args], options);
    return JSON.parse(stdout);
  } catch (error) {
    signal.throwIfAborted();
    // With -json the reason is on stdout, which the message of the failed command leaves out.
    const said = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
    throw goFailure(args, error, said);
  }
}

async function runGo(args: readonly string[], cwd: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const lines: string[] = [];
  const child = spawn(GO, [...args], {
    cwd,
    env: { ...goEnvironment(), GOTMPDIR: cwd },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      lines.push(...text.split("\n").filter((line) => line.trim() !== ""));
      lines.splice(0, lines.length - KEPT_LINES);
    });
  }
  // The compilers it has started end by themselves, seconds later.
  const giveUp = (): void => {
    child.kill();
  };
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    const code = await exitCode(child);
    signal.throwIfAborted();
    if (code !== 0) throw new Error(lines.join("\n"));
  } catch (error) {
    signal.throwIfAborted();
    throw goFailure(args, error);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

function exitCode(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
    child.once("spawn", () => {
      endWithThisProcess(child);
      if (child.pid !== undefined) lowerPriority(child.pid);
    });
  });
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, NICENESS);
  } catch (error) {
    // Gone already, or a platform that refuses: the build is right at any priority.
    if (!(error instanceof Error)) throw error;
  }
}

function goFailure(args: readonly string[], cause: unknown, output = ""): Error {
  if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
    return new MissingGoError("failed to find the command go on PATH", { cause });
  }
  const said = cause instanceof Error ? cause.message : String(cause);
  return new GoBuildError(
    `failed to run go ${args.slice(0, 2).join(" ")}:\n${said}\n${output}`.trimEnd(),
    { cause },
  );
}

function goEnvironment(): NodeJS.ProcessEnv {
  // A workspace or another platform chosen in the environment must not leak into the build.
  return { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOOS: "", GOARCH: "" };
}
