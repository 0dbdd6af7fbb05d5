import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { GoBuildError, type GoCommand, goBuild, MissingGoError } from "./go-build.ts";

const soon = (): AbortSignal => AbortSignal.timeout(60_000);

/** A module that cannot exist: `invalid` is a reserved name. */
const ABSENT: GoCommand = {
  name: "absent",
  module: "kagent.invalid/absent",
  version: "v1.0.0",
  mainPackage: "kagent.invalid/absent",
  linkerFlags: [],
};

describe("test/cluster/go-build", () => {
  const { PATH, GOPROXY, TMPDIR } = process.env;
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "kagent-build-"));
    process.env["TMPDIR"] = dir;
    process.env["GOPROXY"] = "off";
  });

  afterEach(async () => {
    for (const [name, value] of Object.entries({ PATH, GOPROXY, TMPDIR })) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    await rm(dir, { recursive: true, force: true });
  });

  it("says so when there is no Go", async () => {
    process.env["PATH"] = dir;
    await assert.rejects(goBuild(ABSENT, join(dir, "out"), soon()), MissingGoError);
  });

  it("repeats what the Go tool said about a failure, and leaves nothing behind", async function () {
    await assert.rejects(goBuild(ABSENT, join(dir, "out"), soon()), (error) => {
      if (error instanceof MissingGoError) {
        process.stderr.write(`cluster: skipped, there is no Go: ${error.message}\n`);
        this.skip();
      }
      assert.ok(error instanceof GoBuildError);
      assert.match(error.message, /failed to run go mod download/);
      assert.match(error.message, /module lookup disabled by GOPROXY=off/);
      return true;
    });
    assert.deepEqual(await readdir(dir), []);
  });

  it("does not begin when it is not wanted any more", async () => {
    const reason = new Error("no longer wanted");
    await assert.rejects(goBuild(ABSENT, join(dir, "out"), AbortSignal.abort(reason)), reason);
    assert.deepEqual(await readdir(dir), []);
  });
});
