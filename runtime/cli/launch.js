// Starts every command of the project. Plain JavaScript without dependencies: it has to run on the
// host's own Node, before anything is installed, and hands over to the Node that npm installs.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import module from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const BIN = join(ROOT, "node_modules", ".bin");
const STAMP = join(ROOT, "node_modules", ".kagent-lock");
/** Oldest Node that runs the sources (type stripping, node:sqlite, undici 8). */
const OLDEST_NODE = [22, 19];

/**
 * What each command runs: modules in this process, programs of `node_modules/.bin` one after the
 * other. Further arguments go to the module or to the last program.
 */
const COMMANDS = {
  start: { module: "runtime/cli/start.ts" },
  kagent: { module: "runtime/cli/kagent.ts" },
  render: { module: "stacks/commands/render.ts" },
  crds: { module: "stacks/commands/crds.ts" },
  "lint:agents": { module: "stacks/commands/lint-agents.ts" },
  bundle: { module: "stacks/commands/bundle.ts" },
  bench: { module: "test/bench/main.ts" },
  test: { programs: [["mocha"]] },
  e2e: {
    programs: [
      [
        "mocha",
        "--no-package",
        "--forbid-only",
        "--timeout",
        "300000",
        "test/{engine,cluster}/**/*.test.ts",
      ],
    ],
  },
  check: {
    programs: [
      ["biome", "ci", "."],
      ["tsc", "-p", "."],
      ["eslint"],
      ["knip"],
      ["mocha", "--no-package", "--timeout", "60000", "test/architecture/**/*.test.ts"],
    ],
  },
};

/**
 * Installs what is missing, then runs `command` on a Node that is new enough.
 *
 * @param {keyof typeof COMMANDS} command
 * @param {string[]} args
 */
export async function launch(command, args) {
  process.stdout.on("error", readerLeft);
  await install();
  if (!newEnough(process.versions.node)) return rerun(command, args);
  const { module: file, programs } = COMMANDS[command];
  if (file !== undefined) {
    module.enableCompileCache?.(join(ROOT, "node_modules", ".cache", "compile"));
    process.argv = [process.execPath, join(ROOT, file), ...args];
    await import(pathToFileURL(join(ROOT, file)).href);
    return;
  }
  for (const [index, [program, ...fixed]] of programs.entries()) {
    const rest = index === programs.length - 1 ? args : [];
    const code = await run(join(BIN, program), [...fixed, ...rest]);
    if (code !== 0) {
      process.exitCode = code;
      return;
    }
  }
}

/** `kagent ... | head`: a reader that has read enough is no failure. */
function readerLeft(error) {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
}

/** @param {string} version */
function newEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
}

/** Runs `npm ci` unless what is installed is what the lockfile says. */
async function install() {
  const lock = createHash("sha256").update(readFileSync(join(ROOT, "package-lock.json")));
  const digest = lock.digest("hex");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === digest) return;
  process.stderr.write("Installing dependencies (first run, about half a minute) ...\n");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const code = await run(npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"], "to-stderr");
  if (code !== 0) {
    process.stderr.write("npm ci failed: the lines above say why. Mend it and run again.\n");
    process.exit(code);
  }
  linkBin();
  writeFileSync(STAMP, digest);
}

/** npm links the programs of dependencies only; `npx kagent` needs our own beside them. */
function linkBin() {
  const link = join(BIN, "kagent");
  if (process.platform === "win32" || existsSync(link)) return;
  symlinkSync(join("..", "..", "runtime", "cli", "bin.js"), link);
  chmodSync(link, 0o755);
}

/**
 * @param {keyof typeof COMMANDS} command
 * @param {string[]} args
 */
async function rerun(command, args) {
  const node = join(BIN, process.platform === "win32" ? "node.cmd" : "node");
  if (!existsSync(node) || process.env.KAGENT_RERUN === "1") {
    process.stderr.write(
      `Node ${OLDEST_NODE.join(".")} or newer is needed, this is ${process.versions.node}, and npm has no Node binary for this platform. Install a newer Node and run again.\n`,
    );
    process.exit(1);
  }
  const script =
    `import(${JSON.stringify(pathToFileURL(fileURLToPath(import.meta.url)).href)})` +
    `.then((m) => m.launch(${JSON.stringify(command)}, process.argv.slice(1)))`;
  process.exitCode = await run(node, ["-e", script, "--", ...args], "inherit", {
    KAGENT_RERUN: "1",
  });
}

/**
 * Runs a program in the foreground; SIGINT and SIGTERM are passed on.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {"inherit" | "to-stderr"} output
 * @param {Record<string, string>} env
 * @returns {Promise<number>} Exit code, 128 + n after a signal.
 */
function run(program, args, output = "inherit", env = {}) {
  const stdio = output === "inherit" ? "inherit" : ["ignore", 2, 2];
  const path = `${BIN}${process.platform === "win32" ? ";" : ":"}${process.env.PATH}`;
  const child = spawn(program, args, {
    cwd: output === "to-stderr" ? ROOT : process.cwd(),
    stdio,
    env: { ...process.env, ...env, PATH: path },
    shell: process.platform === "win32",
  });
  // On a terminal Ctrl-C reaches the child as well; a second SIGINT would end it without a drain.
  const pass = (signal) => {
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  };
  process.on("SIGINT", pass);
  process.on("SIGTERM", pass);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      process.off("SIGINT", pass);
      process.off("SIGTERM", pass);
      resolve(code ?? (signal === "SIGINT" ? 130 : 143));
    });
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  await launch(process.argv[2], process.argv.slice(3));
