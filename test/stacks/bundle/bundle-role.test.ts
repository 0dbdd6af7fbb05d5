import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import {
  type Bundle,
  bundleRole,
  bytesOf,
  contentOf,
  MAX_BUNDLE_BYTES,
} from "../../../stacks/bundle/bundle-role.ts";
import { ROLE_MODULES, type Role } from "../../../stacks/bundle/roles.ts";

describe("stacks/bundle/bundle-role", function () {
  this.timeout(60_000);
  const made = new Map<Role, Promise<Bundle>>();
  const bundleOf = (role: Role): Promise<Bundle> => {
    const bundle = made.get(role) ?? bundleRole(role);
    made.set(role, bundle);
    return bundle;
  };
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bundle-"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  for (const role of Object.keys(ROLE_MODULES) as Role[]) {
    it(`fits ${role} into a ConfigMap, under keys that one takes`, async () => {
      const bundle = await bundleOf(role);
      assert.match(bundle.name, new RegExp(`^${role}-[0-9a-f]{10}$`));
      assert.ok(bytesOf(bundle.files) <= MAX_BUNDLE_BYTES);
      for (const key of Object.keys(bundle.files)) assert.match(key, /^[-._a-zA-Z0-9]{1,253}$/);
      assert.ok("main.mjs" in bundle.files);
    });
  }

  it("makes the same bytes of the same sources", async () => {
    const again = await bundleRole("worker");
    assert.deepEqual(again, await bundleOf("worker"));
  });

  it("runs from a folder that holds nothing else, and ends with 0 on SIGTERM", async () => {
    for (const [name, file] of Object.entries((await bundleOf("worker")).files))
      writeFileSync(join(folder, name), contentOf(file), { mode: 0o444 });
    const args = ["--host", "127.0.0.1", "--port", "0", "--filepath", folder];
    const child = spawn(process.execPath, [join(folder, "main.mjs"), ...args], {
      cwd: tmpdir(),
      env: { PATH: process.env["PATH"], KAGENT_URL: "http://127.0.0.1:9", KAGENT_NAME: "one" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      let said = "";
      for await (const chunk of child.stdout.setEncoding("utf8")) {
        said += String(chunk);
        // the heartbeat that finds no controller: what runs turns has been loaded too
        if (said.includes('"service ready"') && said.includes("heartbeat")) break;
      }
      child.kill("SIGTERM");
      const [code] = (await once(child, "exit")) as [number | null];
      assert.equal(code, 0, said);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
