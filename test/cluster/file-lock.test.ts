import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { withFileLock } from "./file-lock.ts";

const soon = (): AbortSignal => AbortSignal.timeout(30_000);

describe("test/cluster/file-lock", () => {
  let dir: string;
  let path: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "kagent-lock-"));
    path = join(dir, "lock");
  });

  afterEach(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  it("lets the second in when the first has left", async () => {
    const order: string[] = [];
    const waits = Promise.withResolvers<undefined>();
    const first = withFileLock(
      path,
      async () => {
        order.push("first in");
        await waits.promise;
        order.push("first out");
      },
      { onWait: () => {}, signal: soon() },
    );
    const second = withFileLock(path, async () => order.push("second in"), {
      onWait: () => {
        waits.resolve(undefined);
      },
      signal: soon(),
    });
    await Promise.all([first, second]);
    assert.deepEqual(order, ["first in", "first out", "second in"]);
  });

  it("is free again when the work has thrown", async () => {
    const options = { onWait: () => assert.fail("had to wait"), signal: soon() };
    const failure = new Error("no luck");
    await assert.rejects(
      withFileLock(path, () => Promise.reject(failure), options),
      failure,
    );
    assert.equal(await withFileLock(path, async () => "in", options), "in");
  });

  it("gives the wait up on the signal", async () => {
    const controller = new AbortController();
    const reason = new Error("no longer wanted");
    const outer = { onWait: () => {}, signal: soon() };
    await withFileLock(
      path,
      async () => {
        const inner = withFileLock(path, async () => assert.fail("came in"), {
          onWait: () => {
            controller.abort(reason);
          },
          signal: controller.signal,
        });
        await assert.rejects(inner, reason);
      },
      outer,
    );
  });

  it("is free again when the process that held it was killed", async () => {
    const module = new URL("file-lock.ts", import.meta.url).href;
    const holder = spawn(process.execPath, [
      "--input-type=module",
      "--eval",
      `const { withFileLock } = await import(${JSON.stringify(module)});
      await withFileLock(${JSON.stringify(path)}, () => {
        process.stdout.write("in");
        return new Promise(() => setInterval(() => {}, 1000));
      }, { onWait() {}, signal: new AbortController().signal });`,
    ]);
    let waited = false;
    try {
      await once(holder.stdout, "data");
      await withFileLock(path, async () => {}, {
        onWait: () => {
          waited = true;
          holder.kill("SIGKILL");
        },
        signal: soon(),
      });
    } finally {
      holder.kill("SIGKILL");
    }
    assert.ok(waited);
  });
});
