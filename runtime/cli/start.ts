import { userInfo } from "node:os";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { localEnvironment } from "../local/environment.ts";
import type { LocalOptions } from "../local/options.ts";
import { localPorts, MAX_PORT_BASE } from "../local/ports.ts";
import { EXIT } from "./output.ts";
import { readVersion } from "./package-version.ts";

const ROOT = resolve(import.meta.dirname, "..", "..");

interface Flags {
  readonly reset?: true;
  readonly dataDir: string;
  readonly context?: string;
  readonly model?: string;
  readonly portBase?: number;
}

function program(): Command {
  return new Command("npm start --")
    .description("Runs the whole platform in this process, on 127.0.0.1.")
    .option("--data-dir <folder>", "where sessions and the Git repository are kept", ".kagent")
    .option("--reset", "forgets everything in the data directory first")
    .option(
      "--context <name>",
      "reads the cluster of this kubeconfig context; else the demo cluster",
    )
    .option("--model <name>", "uses this model of Ollama")
    .option("--port-base <port>", "uses seven consecutive ports from here", portBase)
    .exitOverride();
}

function portBase(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(port >= 1 && port <= MAX_PORT_BASE))
    throw new InvalidArgumentError(`must be a whole number from 1 to ${MAX_PORT_BASE}`);
  return port;
}

function localOptions(flags: Flags): LocalOptions {
  const environment = localEnvironment(process.env);
  return {
    dataDirectory: resolve(flags.dataDir),
    definitionsUrl: pathToFileURL(resolve(ROOT, "stacks", "agents", "index.ts")).href,
    host: "127.0.0.1",
    ports: localPorts(flags.portBase),
    user: userInfo().username,
    version: readVersion(),
    ...environment,
    ...(flags.context === undefined ? {} : { context: flags.context }),
    ...(flags.model === undefined ? {} : { model: flags.model }),
  };
}

async function start(): Promise<number> {
  const command = program();
  try {
    command.parse(process.argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  const flags = command.opts<Flags>();
  const options = localOptions(flags);
  const { runLocal } = await import("../local/run-local.ts");
  return await runLocal(options, flags.reset === true ? "reset" : "keep");
}

try {
  process.exitCode = await start();
} catch (error) {
  process.stderr.write(
    `failed to start: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = EXIT.failed;
}
