import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Figure, median } from "./figure.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const RUNS = 5;
/** First port; far from those that a developer's own run uses. */
const PORT_BASE = 28_080;
/** Garbage of the start is gone by then. */
const IDLE_MS = 5_000;
const LONGEST_START_MS = 60_000;

/** Cold start to `/health` 200 and resident memory when idle, process by process. */
export async function* startBench(): AsyncGenerator<Figure, void, void> {
  const seconds: number[] = [];
  const megabytes: number[] = [];
  const answers: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const directory = mkdtempSync(join(tmpdir(), "kagent-bench-"));
    const started = performance.now();
    const child = launch(directory);
    try {
      await healthy(child);
      seconds.push((performance.now() - started) / 1_000);
      const asked = performance.now();
      await firstAnswer();
      answers.push((performance.now() - asked) / 1_000);
      await pause(IDLE_MS);
      megabytes.push(residentMegabytes(child));
    } finally {
      child.kill("SIGINT");
      if (child.exitCode === null) await once(child, "exit");
      rmSync(directory, { recursive: true, force: true });
    }
  }
  yield {
    bench: "start",
    scenario: "launch to GET /health 200, demo cluster",
    unit: "s",
    ours: median(seconds),
    goal: "<= 3",
  };
  yield {
    bench: "start",
    scenario: "first routed answer after ready, offline model",
    unit: "s",
    ours: median(answers),
    goal: "<= 3",
  };
  yield {
    bench: "start",
    scenario: `resident memory ${IDLE_MS / 1_000} s after the first answer`,
    unit: "MB",
    ours: median(megabytes),
    goal: "<= 250",
  };
}

function launch(directory: string): ChildProcess {
  const script = join(ROOT, "runtime", "cli", "launch.js");
  const args = [script, "start", "--data-dir", directory, "--port-base", String(PORT_BASE)];
  return spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
}

async function healthy(child: ChildProcess): Promise<void> {
  const late = AbortSignal.timeout(LONGEST_START_MS);
  for (;;) {
    late.throwIfAborted();
    if (child.exitCode !== null) throw new Error(`the platform ended with ${child.exitCode}`);
    try {
      const response = await fetch(`http://127.0.0.1:${PORT_BASE + 1}/health`);
      await response.body?.cancel();
      if (response.ok) return;
    } catch {
      // not listening yet
    }
    await pause(10);
  }
}

async function firstAnswer(): Promise<void> {
  const response = await fetch(
    `http://127.0.0.1:${PORT_BASE + 1}/api/a2a/kagent/coordinator-agent/`,
    {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "message/send",
        params: {
          message: {
            kind: "message",
            role: "user",
            messageId: "1",
            parts: [{ kind: "text", text: "which pods are failing and why?" }],
          },
        },
      }),
    },
  );
  const { result } = (await response.json()) as { result?: { status?: { state?: string } } };
  if (result?.status?.state !== "completed") throw new Error("the first question was not answered");
}

function residentMegabytes(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid ?? 0}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}
