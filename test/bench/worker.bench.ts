import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Hono } from "hono";
import { pooledKey } from "../../runtime/api/agent-files/names.ts";
import { writeAgentFiles } from "../../runtime/api/agent-files.ts";
import { httpService } from "../../runtime/process/http.ts";
import { openStore } from "../../runtime/store/open-store.ts";
import { STORE_PATH } from "../../runtime/store/remote/protocol.ts";
import { sessionRoutes } from "../../runtime/store/remote/session-routes.ts";
import { silentLog } from "../../runtime/telemetry/log.ts";
import { bundleRole, contentOf } from "../../stacks/bundle/bundle-role.ts";
import { agentConfig, serverUse } from "../support/agent-config.ts";
import { type Figure, median } from "./figure.ts";

const STARTS = 9;
const AGENTS = 1_000;
const PORT = 28_180;
/** Garbage of the start is gone by then. */
const IDLE_MS = 5_000;
const LONGEST_START_MS = 60_000;
const CARD = "/.well-known/agent-card.json";

/** A worker from its bundle: process start to card served beside a bare Node, and memory of many idle agents. */
export async function* workerBench(): AsyncGenerator<Figure, void, void> {
  const folder = mkdtempSync(join(tmpdir(), "kagent-bench-"));
  const store = await openStore({ path: ":memory:" });
  const app = new Hono();
  const routes = { sessions: store.sessions, mayServe: () => true, log: silentLog };
  app.route(STORE_PATH, sessionRoutes(routes));
  const controller = httpService({ name: "bench", host: "127.0.0.1", port: 0 }, app);
  await controller.start(AbortSignal.timeout(LONGEST_START_MS));
  const worker = new BenchWorker(folder, `http://127.0.0.1:${controller.port()}`);
  try {
    await worker.prepare();
    yield await startFigure(worker);
    yield await memoryFigure(worker);
  } finally {
    await controller.stop();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startFigure(worker: BenchWorker): Promise<Figure> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let run = 0; run < STARTS; run += 1) {
    bare.push(await bareNode());
    const started = performance.now();
    const child = worker.spawn("one", { KAGENT_NAME: "bench" });
    try {
      await served(child, CARD);
      ours.push(performance.now() - started);
    } finally {
      await end(child);
    }
  }
  return {
    bench: "worker",
    scenario: "process start to card served, bundled",
    unit: "ms",
    ours: median(ours),
    peer: median(bare),
    peerName: "node -e 0",
    goal: "<= 300",
  };
}

async function memoryFigure(worker: BenchWorker): Promise<Figure> {
  const child = worker.spawn("many", {});
  try {
    await served(child, `/agents/bench/agent-${AGENTS - 1}${CARD}`);
    await pause(IDLE_MS);
    return {
      bench: "worker",
      scenario: `resident memory of ${AGENTS} idle agents in one pooled worker`,
      unit: "MB",
      ours: residentMegabytes(child),
      goal: "<= 400",
    };
  } finally {
    await end(child);
  }
}

/** The bundle and the agents' files in a folder, and processes that run them. */
class BenchWorker {
  readonly #folder: string;
  readonly #controllerUrl: string;

  constructor(folder: string, controllerUrl: string) {
    this.#folder = folder;
    this.#controllerUrl = controllerUrl;
  }

  async prepare(): Promise<void> {
    const { files } = await bundleRole("worker");
    for (const [name, file] of Object.entries(files)) this.#write("app", name, contentOf(file));
    for (const [file, text] of Object.entries(agentFiles("bench"))) this.#write("one", file, text);
    for (let index = 0; index < AGENTS; index += 1) {
      const name = `agent-${index}`;
      for (const [file, text] of Object.entries(agentFiles(name)))
        this.#write("many", pooledKey(name, file), text);
    }
  }

  spawn(config: string, env: Readonly<Record<string, string>>): ChildProcess {
    const args = [join(this.#folder, "app", "main.mjs"), "--host", "127.0.0.1"];
    args.push("--port", String(PORT), "--filepath", join(this.#folder, config));
    return spawn(process.execPath, args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: {
        PATH: process.env["PATH"],
        KAGENT_NAMESPACE: "bench",
        KAGENT_URL: this.#controllerUrl,
        LOG_LEVEL: "error",
        ...env,
      },
    });
  }

  #write(part: string, name: string, content: Uint8Array | string): void {
    mkdirSync(join(this.#folder, part), { recursive: true });
    writeFileSync(join(this.#folder, part, name), content);
  }
}

/** An agent as people write them: a page of instructions, two tool servers, a key. */
function agentFiles(name: string): Readonly<Record<string, string>> {
  const instruction = `You are ${name}. ${"Look at the cluster before you answer. ".repeat(50)}`;
  const model = { ref: { namespace: "bench", name: "m" }, provider: "OpenAI", model: "gpt" };
  return writeAgentFiles(
    agentConfig({
      ref: { namespace: "bench", name },
      instruction,
      model: { ...model, apiKey: `sk-${name}` },
      toolServers: [serverUse(), serverUse({ toolNames: ["a", "b", "c"] })],
    }),
  );
}

async function served(child: ChildProcess, path: string): Promise<void> {
  const late = AbortSignal.timeout(LONGEST_START_MS);
  for (;;) {
    late.throwIfAborted();
    if (child.exitCode !== null) throw new Error(`the worker ended with ${child.exitCode}`);
    try {
      const response = await fetch(`http://127.0.0.1:${PORT}${path}`);
      await response.body?.cancel();
      if (response.ok) return;
    } catch {
      // not listening yet
    }
    await pause(2);
  }
}

async function bareNode(): Promise<number> {
  const started = performance.now();
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
  return performance.now() - started;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  if (child.exitCode === null) await once(child, "exit");
}

function residentMegabytes(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid ?? 0}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}
