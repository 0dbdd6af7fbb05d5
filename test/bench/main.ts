import { type Figure, type PrintedFigure, printed } from "./figure.ts";

/** Benches by name; each is loaded when it runs. */
const BENCHES: Readonly<Record<string, () => Promise<() => AsyncIterable<Figure>>>> = {
  start: async () => (await import("./start.bench.ts")).startBench,
  turn: async () => (await import("./turn.bench.ts")).turnBench,
  reconcile: async () => (await import("./reconcile.bench.ts")).reconcileBench,
  rules: async () => (await import("./rules.bench.ts")).rulesBench,
  worker: async () => (await import("./worker.bench.ts")).workerBench,
  proxy: async () => (await import("./proxy.bench.ts")).proxyBench,
  store: async () => (await import("./store.bench.ts")).storeBench,
};

function line(figure: PrintedFigure): string {
  const peer =
    figure.peer === null
      ? ""
      : `  ${figure.peerName ?? "peer"} ${figure.peer}, ratio ${figure.ratio ?? "-"}`;
  const verdict =
    figure.ok === null ? "" : `  goal ${figure.goal ?? ""} ${figure.ok ? "ok" : "MISSED"}`;
  return `${figure.bench.padEnd(8)} ${figure.scenario.padEnd(58)} ${String(figure.ours).padStart(9)} ${figure.unit}${peer}${verdict}\n`;
}

/** `npm run bench [-- name] [--json]`. @returns 1 when a bench could not run, whatever the figures. */
async function main(args: readonly string[]): Promise<number> {
  const json = args.includes("--json");
  const names = args.filter((arg) => !arg.startsWith("--"));
  const unknown = names.find((name) => !(name in BENCHES));
  if (unknown !== undefined) {
    process.stderr.write(`no bench '${unknown}'; one of: ${Object.keys(BENCHES).join(", ")}\n`);
    return 2;
  }
  let failed = 0;
  for (const name of names.length === 0 ? Object.keys(BENCHES) : names) {
    try {
      const bench = await BENCHES[name]?.();
      if (bench === undefined) continue;
      for await (const figure of bench()) {
        const result = printed(figure);
        process.stdout.write(json ? `${JSON.stringify(result)}\n` : line(result));
      }
    } catch (error) {
      failed += 1;
      process.stderr.write(`bench ${name} could not run: ${String(error)}\n`);
    }
  }
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
