import { rm } from "node:fs/promises";
import { ListenError } from "../process/http.ts";
import { jsonLog } from "../telemetry/log.ts";
import type { LocalOptions } from "./options.ts";
import { Platform, type PlatformReport } from "./platform.ts";
import { readRunFile } from "./run-file.ts";

/** Longest wait for everything to start. */
const START_MS = 60_000;

/**
 * `npm start`: starts the platform, tells how it goes, runs until SIGINT or SIGTERM.
 *
 * @param data - `reset` forgets what earlier runs kept.
 * @returns Exit code: 0 after a clean stop, 1 when starting failed; the reason is on standard error.
 */
export async function runLocal(options: LocalOptions, data: "keep" | "reset"): Promise<number> {
  const shutdown = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      shutdown.abort(new Error(signal)); // a second signal finds no listener and ends the process
    });
  if (options.parent === "watched") stopWithParent(shutdown);
  const running = readRunFile(options.dataDirectory);
  if (running !== undefined) return tell(alreadyRuns(options, running.pid, running.apiUrl));
  const started = performance.now();
  try {
    if (data === "reset") await rm(options.dataDirectory, { recursive: true, force: true });
    const log = jsonLog({ level: "warn", write: (line) => void process.stderr.write(line) });
    const platform = new Platform(options, log, progress);
    const starting = AbortSignal.any([shutdown.signal, AbortSignal.timeout(START_MS)]);
    const report = await platform.start(starting);
    process.stdout.write(summary(report, (performance.now() - started) / 1_000));
    await aborted(shutdown.signal);
    process.stdout.write("Stopping ...\n");
    await platform.stop();
    return 0;
  } catch (error) {
    if (shutdown.signal.aborted) return 0;
    return tell(failureText(error));
  }
}

/** How often the parent is looked at; a listener that outlives it by half a second disturbs nobody. */
const PARENT_POLL_MS = 500;

/** npm dies of SIGTERM without passing it on: what it started must not stay behind and hold the ports. */
function stopWithParent(shutdown: AbortController): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) shutdown.abort(new Error("the parent process is gone"));
  }, PARENT_POLL_MS).unref();
}

function tell(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}

function progress(part: string, detail: string): void {
  process.stdout.write(`  ${part.padEnd(14)} ${detail}\n`);
}

function alreadyRuns(options: LocalOptions, pid: number, url: string): string {
  return `A platform runs in ${options.dataDirectory} already (process ${pid}, ${url}). Stop it, or choose another --data-dir and --port-base.`;
}

/** Bases to propose; the first that is not the one that failed. */
const SPARE_BASES = [18_080, 28_080];
/** Ports of a run above its base. */
const MAX_OFFSET = 6;

function failureText(error: unknown): string {
  if (error instanceof ListenError && error.code === "EADDRINUSE") {
    const { port, name } = error.address;
    const base = SPARE_BASES.find((spare) => port < spare || port > spare + MAX_OFFSET);
    return `Port ${port} is taken (needed for ${name}). Stop what uses it, or move all ports: npm start -- --port-base ${base ?? ""}`;
  }
  return `failed to start: ${error instanceof Error ? error.message : String(error)}`;
}

function summary(report: PlatformReport, seconds: number): string {
  const { urls, model } = report;
  const rows = [
    ["HTTP API, A2A", `${urls.api}  (agents at /api/a2a/<namespace>/<name>/)`],
    ["MCP", `${urls.api}/mcp and ${urls.mcp}`],
    ["MCP gateway", `${urls.toolGateway}/mcp/<k8s|helm|grafana|opencost|github|code>`],
    ["A2A gateway", `${urls.agentGateway}/agents/<namespace>/<name>/`],
  ];
  const lines = [
    "",
    `Ready in ${seconds.toFixed(1)} s. ${report.agents.length} agents answer.`,
    ...rows.map(([name = "", url = ""]) => `  ${name.padEnd(14)} ${url}`),
    `  ${"model".padEnd(14)} ${model.label}${model.hint === undefined ? "" : `; ${model.hint}`}`,
    `  ${"cluster".padEnd(14)} ${report.cluster}`,
    ...report.broken.map(({ agent, why }) => `  not accepted   ${agent}: ${why}`),
    ...report.rejected.map(
      ({ key, violations }) =>
        `  refused        ${key}: ${violations.map((v) => `${v.path}: ${v.message}`).join("; ")}`,
    ),
    ...(report.recovered === 0
      ? []
      : [`  ${report.recovered} unfinished tasks of the last run were marked failed`]),
    "",
    'Try:  npx kagent invoke -a coordinator-agent -t "which pods are failing and why?"',
    "Stop with Ctrl-C.",
    "",
  ];
  return `${lines.join("\n")}\n`;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener(
      "abort",
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
