import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { LocalOptions } from "../../runtime/local/options.ts";
import { Platform, type PlatformReport } from "../../runtime/local/platform.ts";
import { LOCAL_PORTS, type Ports } from "../../runtime/local/ports.ts";
import { type Logger, silentLog } from "../../runtime/telemetry/log.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const FREE = Object.fromEntries(
  Object.keys(LOCAL_PORTS).map((name) => [name, 0]),
) as unknown as Ports;
/** Nothing listens there: port 9 is discard's. */
const NO_OLLAMA = "http://127.0.0.1:9";

/** A platform that runs on free ports with a data directory of its own. */
export interface TestPlatform {
  readonly platform: Platform;
  readonly report: PlatformReport;
  readonly directory: string;
  /** Stops it; `keep` leaves the data for a next run. */
  stop(data?: "keep" | "remove"): Promise<void>;
}

/** Starts the whole platform as `npm start` does, without Ollama unless `over` names one. */
export async function startPlatform(
  over: Partial<LocalOptions> = {},
  log: Logger = silentLog,
): Promise<TestPlatform> {
  const directory = over.dataDirectory ?? mkdtempSync(join(tmpdir(), "kagent-test-"));
  const options: LocalOptions = {
    dataDirectory: directory,
    definitionsUrl: pathToFileURL(join(ROOT, "stacks", "agents", "index.ts")).href,
    host: "127.0.0.1",
    ports: FREE,
    ollamaHost: NO_OLLAMA,
    searchPath: process.env["PATH"] ?? "",
    sources: {},
    parent: "independent",
    user: "tester",
    version: "0.0.0",
    ...over,
  };
  const platform = new Platform(options, log, () => undefined);
  const report = await platform.start(AbortSignal.timeout(30_000));
  return {
    platform,
    report,
    directory,
    async stop(data = "remove") {
      await platform.stop();
      if (data === "remove") rmSync(directory, { recursive: true, force: true });
    },
  };
}
