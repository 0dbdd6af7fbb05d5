import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

/** Where a run tells others how to reach it, inside its data directory. */
const NAME = "run.json";

/** A platform that runs on this machine; how the `kagent` command finds it (decisions 28). */
export const RunFile = z.object({
  /** Process id. */
  pid: z.int().min(1),
  /** Base URL of the HTTP API and A2A. */
  apiUrl: z.url(),
  /** MCP endpoint of the platform. */
  mcpUrl: z.url(),
  /** Base URL of the MCP gateway. */
  toolGatewayUrl: z.url(),
  /** Base URL of the A2A gateway. */
  agentGatewayUrl: z.url(),
  /** RFC 3339. */
  startedAt: z.string(),
});
/** A platform that runs on this machine. */
export type RunFile = z.output<typeof RunFile>;

/** The run that `directory` tells of, if its process is alive. */
export function readRunFile(directory: string): RunFile | undefined {
  try {
    const run = RunFile.parse(JSON.parse(readFileSync(join(directory, NAME), "utf8")));
    process.kill(run.pid, 0);
    return run;
  } catch {
    return undefined; // absent, unreadable, or left behind by a process that is gone
  }
}

/** Writes the file at once or not at all. */
export function writeRunFile(directory: string, run: RunFile): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const temporary = join(directory, `${NAME}.${run.pid}`);
  writeFileSync(temporary, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, join(directory, NAME));
}

/** Forgets the run. */
export function removeRunFile(directory: string): void {
  rmSync(join(directory, NAME), { force: true });
}
