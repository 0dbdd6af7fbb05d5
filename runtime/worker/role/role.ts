import { runServices } from "../../process/service.ts";
import { jsonLog } from "../../telemetry/log.ts";
import { prometheusMeter, type ScrapedMeter } from "../../telemetry/meter.ts";
import { startTracing } from "../../telemetry/otel.ts";
import { workerSettings } from "./settings.ts";
import { Worker } from "./worker.ts";

/** 2 s beyond the drain: whoever does not keep to it is left behind. */
const SLACK_MS = 2_000;

/**
 * Runs a worker until `signal` aborts.
 *
 * @param args - kagent's: `--host`, `--port`, `--filepath`.
 * @returns Exit code: 0 after a clean drain.
 * @throws SettingsError
 */
export async function runWorker(
  signal: AbortSignal,
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[],
): Promise<number> {
  const settings = workerSettings(args, env);
  const log = jsonLog({ base: { process: "worker" }, level: settings.logLevel });
  const tracing = await startTracing("kagent-worker", env);
  // what counts is loaded when there is something to count: no card waits for it
  let made: Promise<ScrapedMeter> | undefined;
  const meter = (): Promise<ScrapedMeter> => (made ??= prometheusMeter());
  const metrics = async () => {
    const scraped = await meter();
    return { contentType: scraped.contentType, body: await scraped.text() };
  };
  const worker = new Worker(settings, { log, meter, metrics });
  try {
    return await runServices([worker], { log, signal, drainMs: settings.drainMs + SLACK_MS });
  } finally {
    await tracing?.stop();
  }
}
