import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { BINARIES, type ObtainDeps, obtainBinary } from "./binaries.ts";

const soon = (): AbortSignal => AbortSignal.timeout(30_000);

describe("test/cluster/binaries", () => {
  const { etcd } = BINARIES;
  let dir: string;
  let cache: string;
  let builds: string[];
  let said: string[];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "kagent-binaries-"));
    cache = join(dir, "cache");
    builds = [];
    said = [];
  });

  afterEach(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  /** Puts a script that prints `version` where an installed etcd would be. */
  async function install(folder: string, version: string): Promise<string> {
    const path = join(dir, folder, "etcd");
    await mkdir(join(dir, folder), { recursive: true });
    await writeFile(path, `#!/bin/sh\necho '${version}'\n`);
    await chmod(path, 0o755);
    return path;
  }

  function deps(env: ObtainDeps["env"] = {}): ObtainDeps {
    return {
      env: { XDG_CACHE_HOME: cache, ...env },
      build: async ({ name }, target) => {
        builds.push(name);
        await writeFile(target, "#!/bin/sh\n", { mode: 0o755 });
      },
      progress: (line) => {
        said.push(line);
      },
    };
  }

  it("builds into the cache, by name and version, and finds it there the next time", async () => {
    const path = await obtainBinary(etcd, deps(), soon());
    assert.equal(path, join(cache, "kagent", `etcd-${etcd.version}`, "etcd"));
    assert.equal(await obtainBinary(etcd, deps(), soon()), path);
    assert.deepEqual(builds, ["etcd"]);
    assert.ok(said.some((line) => line.startsWith(`building etcd ${etcd.version}`)));
  });

  it("builds once when asked twice at the same time", async () => {
    const [one, other] = await Promise.all([
      obtainBinary(etcd, deps(), soon()),
      obtainBinary(etcd, deps(), soon()),
    ]);
    assert.equal(one, other);
    assert.deepEqual(builds, ["etcd"]);
  });

  it("leaves nothing of a failed build, and builds the next time", async () => {
    const failure = new Error("no space left");
    const failing: ObtainDeps = {
      ...deps(),
      build: async (_, target) => {
        await writeFile(target, "half a file", { mode: 0o755 });
        throw failure;
      },
    };
    await assert.rejects(obtainBinary(etcd, failing, soon()), failure);
    const folder = join(cache, "kagent", `etcd-${etcd.version}`);
    assert.deepEqual(await readdir(folder), ["lock"]);
    await obtainBinary(etcd, deps(), soon());
    assert.deepEqual(builds, ["etcd"]);
  });

  it("prefers the folder of KAGENT_TEST_BIN_DIR", async () => {
    await obtainBinary(etcd, deps(), soon());
    const given = await install("given", etcd.versionLine);
    const env = { KAGENT_TEST_BIN_DIR: join(dir, "given") };
    assert.equal(await obtainBinary(etcd, deps(env), soon()), given);
  });

  it("takes an installed one of the version from PATH instead of building", async () => {
    const installed = await install("bin", etcd.versionLine);
    const env = { PATH: `relative:${join(dir, "absent")}:${join(dir, "bin")}` };
    assert.equal(await obtainBinary(etcd, deps(env), soon()), installed);
    assert.deepEqual(builds, []);
  });

  it("does not take another version, wherever it is", async () => {
    await install("bin", "etcd Version: 3.7.30");
    await install("given", "etcd Version: 3.6.0");
    const env = { KAGENT_TEST_BIN_DIR: join(dir, "given"), PATH: join(dir, "bin") };
    await obtainBinary(etcd, deps(env), soon());
    assert.deepEqual(builds, ["etcd"]);
  });
});
