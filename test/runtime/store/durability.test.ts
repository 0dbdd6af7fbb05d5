import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, it } from "mocha";
import { openStore } from "../../../runtime/store/open-store.ts";

const CHILD = fileURLToPath(new URL("append-until-killed.ts", import.meta.url));

describe("runtime/store/open-store and kill -9", () => {
  let folder: string;
  let child: ChildProcess | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "store-"));
  });
  afterEach(async () => {
    child?.kill("SIGKILL");
    await rm(folder, { recursive: true });
  });

  /** Lets a process append to the store at `path`; `enough` is asked after each line whether to kill it. */
  async function linesUntilKilled(
    path: string,
    enough: (count: number) => boolean | Promise<boolean>,
  ): Promise<readonly string[]> {
    const writer = spawn(process.execPath, [CHILD, path], { stdio: ["ignore", "pipe", "inherit"] });
    child = writer;
    const exited = once(writer, "exit");
    const lines: string[] = [];
    for await (const line of createInterface({ input: writer.stdout })) {
      lines.push(line);
      if (!writer.killed && (await enough(lines.length))) writer.kill("SIGKILL");
    }
    const [, signal] = (await exited) as [number | null, string | null];
    assert.equal(signal, "SIGKILL", "the process ended by itself");
    return lines;
  }

  it("has every acknowledged event afterwards, with its task, and no gap", async () => {
    const path = join(folder, "store.db");
    const acknowledged: string[] = [];
    for (const kill of [1, 222]) {
      acknowledged.push(...(await linesUntilKilled(path, (count) => count >= kill)));
      const store = await openStore({ path });
      const events = await store.sessions.events("c", "ann");
      assert.deepEqual(
        events.map(({ seq }) => seq),
        events.map((_, index) => index + 1),
      );
      const stored = new Set(events.map(({ seq, id, taskId }) => `${seq} ${id} ${taskId}`));
      const lost = acknowledged.filter((line) => !stored.has(line));
      assert.deepEqual(lost, []);
      // Completed tasks stay so; one whose end was not written is open, and is found.
      await store.sessions.failOpenTasks({ code: "WORKER_LOST", message: "killed" });
      const tasks = new Set(acknowledged.map((line) => line.split(" ")[2]!));
      for (const id of tasks) {
        assert.equal((await store.sessions.getTask(id, "ann"))?.state, "completed");
      }
      await store.close();
    }
  }).timeout(30_000);

  it("keeps other processes out while it lives, and lets them in after", async () => {
    const path = join(folder, "store.db");
    await linesUntilKilled(path, async () => {
      await assert.rejects(openStore({ path, busyTimeoutMs: 1 }), {
        name: "StoreFileError",
        reason: "in-use",
        message: `failed to use store ${path}: another process uses it; stop that process or choose another data folder`,
      });
      return true;
    });
    const store = await openStore({ path, busyTimeoutMs: 1 });
    assert.ok((await store.sessions.events("c", "ann")).length >= 1);
    await store.close();
  }).timeout(10_000);
});
