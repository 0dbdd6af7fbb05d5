import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Figure, median } from "./figure.ts";

const AGENTS = 1_000;
const RUNS = 3;
/** A run that takes longer than this has failed. */
const LONGEST_MS = 120_000;

/** 1,000 Agents from cold on the in-memory cluster, which is in the same process; each run in a fresh one. */
export async function* reconcileBench(): AsyncGenerator<Figure, void, void> {
  const seconds: number[] = [];
  const megabytes: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const script = join(import.meta.dirname, "reconcile-cold.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [script, String(AGENTS)], {
      timeout: LONGEST_MS,
    });
    const result = JSON.parse(stdout) as { seconds: number; peakMegabytes: number };
    seconds.push(result.seconds);
    megabytes.push(result.peakMegabytes);
  }
  const bench = "reconcile";
  yield {
    bench,
    scenario: "1,000 Agents from cold to Accepted",
    unit: "s",
    ours: median(seconds),
    goal: "<= 30",
  };
  yield {
    bench,
    scenario: "highest resident memory meanwhile, cluster included",
    unit: "MB",
    ours: median(megabytes),
    goal: "<= 300",
  };
}
