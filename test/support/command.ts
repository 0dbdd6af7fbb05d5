import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const LAUNCHER = join(import.meta.dirname, "..", "..", "runtime", "cli", "launch.js");

/** What a command left behind. */
export interface CommandEnd {
  /** Exit code; null after a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface RunningCommand {
  /** Process id of the command itself: nothing is between. */
  readonly pid: number;
  /** Resolves once standard output holds `wanted`; fails with all output when the command ends before. */
  printed(wanted: string): Promise<void>;
  /** Sends a signal. */
  signal(name: "SIGINT" | "SIGTERM" | "SIGKILL"): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<CommandEnd>;
}

/** Longest life of a command that nobody ends, in milliseconds. */
const LIFE_MS = 25_000;

/** Variables of a developer's machine that would change what a command does. */
const OURS =
  /^(KAGENT_URL|KUBECONFIG|OLLAMA_HOST|GRAFANA_.*|PROMETHEUS_URL|LOKI_URL|OPENCOST_URL)$/;

/** Starts a command of the project as its npm script does, on the Node that runs the tests. */
export function startCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RunningCommand {
  const inherited = Object.entries(process.env).filter(([name]) => !OURS.test(name));
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...Object.fromEntries(inherited), ...env },
    timeout: LIFE_MS,
    killSignal: "SIGKILL",
  });
  const { promise: over, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject);
  child.once("close", resolve);
  const stderr = text(child.stderr);
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    stdout += piece;
  });
  const ended = over.then(async (code) => ({ code, stdout, stderr: await stderr }));
  ended.catch(() => undefined); // whoever waits is told
  return {
    pid: child.pid ?? 0,
    ended,
    signal: (name) => {
      child.kill(name);
    },
    printed: (wanted) =>
      new Promise((found, missing) => {
        const look = (): void => {
          if (stdout.includes(wanted)) found();
        };
        child.stdout.on("data", look);
        look();
        ended.then((end) => {
          missing(new Error(`ended without ${wanted}: ${JSON.stringify(end)}`));
        }, missing);
      }),
  };
}

/** Runs a command of the project to its end. */
export function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandEnd> {
  return startCommand(args, env).ended;
}
