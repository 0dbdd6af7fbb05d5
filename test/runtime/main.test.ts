import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "mocha";
import { ROLE_MODULES } from "../../stacks/bundle/roles.ts";

const MAIN = join(import.meta.dirname, "..", "..", "runtime", "main.ts");

function run(...args: readonly string[]) {
  return spawnSync(process.execPath, [MAIN, ...args], {
    encoding: "utf8",
    timeout: 30_000,
    env: { PATH: process.env["PATH"] },
  });
}

describe("runtime/main", function () {
  this.timeout(60_000);

  it("lists its roles, every one that is bundled among them", () => {
    const { status, stdout } = run("--help");
    assert.equal(status, 0);
    for (const role of Object.keys(ROLE_MODULES))
      assert.match(stdout, new RegExp(`^  ${role} `, "m"));
  });

  for (const args of [[], ["nobody"]]) {
    it(`ends with 2 and its usage for ${JSON.stringify(args)}`, () => {
      const { status, stderr } = run(...args);
      assert.equal(status, 2);
      assert.match(stderr, /usage: node main\.js <role>/);
    });
  }

  it("ends with 2 and everything that is wrong with the settings", () => {
    const { status, stderr } = run("worker", "--port", "1");
    assert.equal(status, 2);
    assert.match(stderr, /failed to start: the environment is wrong: KAGENT_URL/);
  });
});
