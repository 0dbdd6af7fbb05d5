import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type ProcessSpec, ProcessStartError, startProcess } from "./owned-process.ts";

const soon = (): AbortSignal => AbortSignal.timeout(30_000);

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("test/cluster/owned-process", () => {
  let dir: string;
  let logPath: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "kagent-process-"));
    logPath = join(dir, "log");
  });

  afterEach(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  const shell = (script: string): ProcessSpec => ({
    name: "thing",
    command: "/bin/sh",
    args: ["-c", script],
    logPath,
  });
  const says = (text: string) => async (): Promise<boolean> =>
    (await readFile(logPath, "utf8")).includes(text);

  it("is ready when its probe says so, and gone after stop", async () => {
    const spec = shell("echo ready; exec sleep 60");
    const thing = await startProcess(spec, {
      probe: says("ready"),
      timeoutMs: 20_000,
      signal: soon(),
    });
    assert.ok(isRunning(thing.pid));
    await Promise.all([thing.stop(), thing.stop()]);
    assert.ok(!isRunning(thing.pid));
    await thing.stop();
  });

  it("tells how an early end came and what was said last", async () => {
    const asked = join(dir, "asked");
    const spec = shell(`while [ ! -e ${asked} ]; do :; done; echo no such flag >&2; exit 3`);
    const start = startProcess(spec, {
      probe: async () => {
        await writeFile(asked, "");
        return false;
      },
      timeoutMs: 20_000,
      signal: soon(),
    });
    await assert.rejects(start, (error) => {
      assert.ok(error instanceof ProcessStartError);
      assert.match(error.message, /failed to start thing: ended with 3/);
      assert.equal(error.lastLines, "no such flag");
      return true;
    });
  });

  it("does not start what does not exist", async () => {
    const spec = { ...shell(""), command: join(dir, "absent") };
    const start = startProcess(spec, { probe: says("ready"), timeoutMs: 20_000, signal: soon() });
    await assert.rejects(start, ProcessStartError);
  });

  it("ends what is not ready in time", async () => {
    const spec = shell("echo $$; exec sleep 60");
    const start = startProcess(spec, {
      probe: () => Promise.reject(new Error("connection refused")),
      timeoutMs: 500,
      signal: soon(),
    });
    await assert.rejects(start, /within 500 ms: connection refused/);
    assert.ok(!isRunning(Number(await readFile(logPath, "utf8"))));
  });

  it("ends what is given up, with the reason of the signal", async () => {
    const controller = new AbortController();
    const reason = new Error("no longer wanted");
    const start = startProcess(shell("echo $$; exec sleep 60"), {
      probe: async () => {
        if (await says("\n")()) controller.abort(reason);
        return false;
      },
      timeoutMs: 20_000,
      signal: controller.signal,
    });
    await assert.rejects(start, reason);
    assert.ok(!isRunning(Number(await readFile(logPath, "utf8"))));
  });

  for (const signal of ["SIGTERM", "SIGHUP"] as const) {
    it(`ends with the process that started it, on ${signal}`, async () => {
      // The thing alone holds the other end: reading ends when it is gone, whoever its parent is by then.
      const alive = join(dir, "alive");
      execFileSync("/bin/sh", ["-c", 'mkfifo "$1"', "sh", alive]);
      const module = new URL("owned-process.ts", import.meta.url).href;
      const parent = spawn(process.execPath, [
        "--input-type=module",
        "--eval",
        `const { startProcess } = await import(${JSON.stringify(module)});
        await startProcess(
          ${JSON.stringify(shell(`exec sleep 60 3>${alive}`))},
          { probe: async () => true, timeoutMs: 20000, signal: new AbortController().signal },
        );
        process.stdout.write("started");`,
      ]);
      const gone = readFile(alive);
      await once(parent.stdout, "data");
      parent.kill(signal);
      assert.deepEqual(await once(parent, "exit"), [null, signal]);
      assert.equal((await gone).length, 0);
    });
  }
});
