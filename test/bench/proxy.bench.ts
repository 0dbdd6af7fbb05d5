import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import * as http from "node:http";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { type Figure, median, quantile } from "./figure.ts";

const STREAMS = 200;
/** Streams over the direct path beside them: what else the machine does at the moment slows down both alike. */
const PROBES = 50;
/** Time in which all streams have begun: as long as one lasts, so that afterwards one begins when another ends. */
const RAMP_MS = 4_000;
/** Time that is measured afterwards. */
const MEASURED_MS = 8_000;
const ROUNDS = 3;
const PATH = "/api/a2a/kagent/bench/";
const BODY = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "message/stream",
  params: {
    message: {
      kind: "message",
      role: "user",
      messageId: "1",
      parts: [{ kind: "text", text: "which pods are failing and why?" }],
    },
  },
});

/** Latencies of one round in milliseconds. */
interface Round {
  /** From an event being written to its being read. */
  readonly events: number[];
  /** From a request being written to its first event. */
  readonly firsts: number[];
}

/**
 * What the controller's door adds to streams of agents: worker, controller and client are processes of their own, and
 * some streams go past the door at the same time.
 */
export async function* proxyBench(): AsyncGenerator<Figure, void, void> {
  const source = fork(join(import.meta.dirname, "proxy", "source.ts"));
  const sourcePort = await portOf(source);
  const front = fork(join(import.meta.dirname, "proxy", "front.ts"), [
    `http://127.0.0.1:${sourcePort}`,
  ]);
  const frontPort = await portOf(front);
  prefer(front);
  try {
    const direct: Round[] = [];
    const proxied: Round[] = [];
    for (let run = 0; run < ROUNDS; run++) {
      const both = await Promise.all([round(sourcePort, PROBES), round(frontPort, STREAMS)]);
      direct.push(both[0]);
      proxied.push(both[1]);
    }
    yield { ...figure("added to each event", "events", direct, proxied), goal: "<= 2" };
    yield figure("added until the first event", "firsts", direct, proxied);
  } finally {
    for (const child of [front, source]) {
      child.disconnect();
      if (child.exitCode === null) await once(child, "exit");
    }
  }
}

function figure(
  what: string,
  of: keyof Round,
  direct: readonly Round[],
  proxied: readonly Round[],
): Figure {
  const p99 = (round: Round | undefined) => quantile(round?.[of] ?? [], 0.99);
  const base = median(direct.map(p99));
  return {
    bench: "proxy",
    scenario: `${what}, p99, ${STREAMS} streams (direct path ${base.toFixed(2)} ms)`,
    unit: "ms",
    ours: median(proxied.map((each, at) => p99(each) - p99(direct[at]))),
  };
}

/**
 * Three busy processes share the processors here, and a scheduler's slice is longer than what is measured: the door goes
 * first where that is allowed, as it does where it has a processor to itself.
 */
function prefer(child: ChildProcess): void {
  try {
    setPriority(child.pid ?? 0, constants.priority.PRIORITY_HIGHEST);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    process.stderr.write(
      "proxy: no right to raise a priority; figures hold the machine's slices\n",
    );
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  const [port] = (await once(child, "message")) as [number];
  return port;
}

/** Keeps so many streams open: each that ends is followed by another one. */
async function round(port: number, count: number): Promise<Round> {
  const agent = new http.Agent({ keepAlive: true });
  const latencies: Round = { events: [], firsts: [] };
  const begin = performance.now();
  const slots = Array.from({ length: count }, async (_, slot) => {
    await pause((slot / count) * RAMP_MS);
    while (performance.now() - begin < RAMP_MS + MEASURED_MS) {
      const isMeasured = performance.now() - begin >= RAMP_MS;
      await stream(port, agent, isMeasured ? latencies : { events: [], firsts: [] });
    }
  });
  await Promise.all(slots);
  agent.destroy();
  return latencies;
}

function stream(port: number, agent: http.Agent, latencies: Round): Promise<void> {
  return new Promise((resolve, reject) => {
    const begun = process.hrtime.bigint();
    const request = http.request({
      port,
      agent,
      host: "127.0.0.1",
      path: PATH,
      method: "POST",
      headers: { "content-type": "application/json" },
    });
    request.once("error", reject);
    request.once("response", (response) => {
      let count = 0;
      response.setEncoding("latin1");
      response.on("data", (chunk: string) => {
        const now = process.hrtime.bigint();
        if (count === 0) latencies.firsts.push(Number(now - begun) / 1e6);
        for (const [, at = "0"] of chunk.matchAll(/"at":(\d+)/g)) {
          count += 1;
          latencies.events.push(Number(now - BigInt(at)) / 1e6);
        }
      });
      response.once("error", reject);
      response.once("end", () => {
        if (count === 40) resolve();
        else reject(new Error(`${count} events of 40, HTTP ${response.statusCode ?? 0}`));
      });
    });
    request.end(BODY);
  });
}
