import assert from "node:assert/strict";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, it } from "mocha";
import { pooledKey } from "../../../../runtime/api/agent-files/names.ts";
import { writeAgentFiles } from "../../../../runtime/api/agent-files.ts";
import type { Logger } from "../../../../runtime/telemetry/log.ts";
import { AgentSet } from "../../../../runtime/worker/role/agent-set.ts";
import { readConfigFolder } from "../../../../runtime/worker/role/config-folder.ts";
import { agentConfig } from "../../../support/agent-config.ts";
import { MountedFolder } from "./mounted-folder.ts";

const folders: MountedFolder[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

function mounted(files: Readonly<Record<string, string>> = {}): MountedFolder {
  const folder = new MountedFolder(files);
  folders.push(folder);
  return folder;
}

const ref = (name: string) => ({ namespace: "team", name });
const filesOf = (name: string, instruction: string) => ({
  ...writeAgentFiles(agentConfig({ ref: ref(name), instruction })),
});

function pooled(...agents: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(
    agents.flatMap(([name, instruction]) =>
      Object.entries(filesOf(name, instruction)).map(([file, text]) => [
        pooledKey(name, file),
        text,
      ]),
    ),
  );
}

function keptLog() {
  const lines: string[] = [];
  const keep = (message: string): void => {
    lines.push(message);
  };
  const log: Logger = { debug: () => {}, info: keep, warn: keep, error: keep };
  return { lines, log };
}

describe("runtime/worker/role/agent-set", () => {
  const open = (paths: readonly string[], name?: string) => {
    const { log, lines } = keptLog();
    const named = name === undefined ? {} : { name };
    return { lines, set: new AgentSet({ folders: paths, namespace: "team", log, ...named }) };
  };

  it("serves the one agent of a dedicated folder, secrets in their places", async () => {
    const config = agentConfig({
      ref: ref("one"),
      model: { ref: ref("m"), provider: "OpenAI", model: "gpt", apiKey: "sk-1" },
    });
    const files = writeAgentFiles(config);
    assert.doesNotMatch(files["config.json"] ?? "", /sk-1/);
    const { set } = open([mounted(files).path], "one");
    await set.load();
    assert.deepEqual(set.root, ref("one"));
    assert.equal(set.config(ref("one"))?.model.apiKey, "sk-1");
    assert.equal(set.config(ref("two")), undefined);
  });

  it("swaps a rotated credential like everything else", async () => {
    const model = { ref: ref("m"), provider: "OpenAI", model: "gpt" };
    const write = (apiKey: string) =>
      writeAgentFiles(agentConfig({ ref: ref("one"), model: { ...model, apiKey } }));
    const folder = mounted(write("old"));
    const { set } = open([folder.path], "one");
    await set.load();
    folder.write(write("new"));
    await set.load();
    assert.equal(set.config(ref("one"))?.model.apiKey, "new");
  });

  it("serves every agent of several shared folders, and follows those that come and go", async () => {
    const a = mounted(pooled(["a", "1"], ["b.c", "2"]));
    const b = mounted(pooled(["d", "3"]));
    const { set, lines } = open([a.path, b.path]);
    await set.load();
    assert.equal(set.root, undefined);
    const instruction = (name: string) => set.config(ref(name))?.instruction;
    assert.deepEqual(["a", "b.c", "d"].map(instruction), ["1", "2", "3"]);
    const before = set.config(ref("a"));
    a.write(pooled(["a", "1"], ["e", "4"]));
    await set.load();
    assert.equal(set.config(ref("a")), before); // what did not change is not even read again
    assert.deepEqual(["b.c", "e"].map(instruction), [undefined, "4"]);
    assert.equal(lines.filter((line) => line === "agent removed").length, 1);
  });

  it("keeps what an agent had when its new files are not sound, and says why", async () => {
    const folder = mounted(pooled(["a", "1"], ["b", "1"]));
    const { set, lines } = open([folder.path]);
    await set.load();
    folder.write({ ...pooled(["a", "2"], ["b", "2"]), "b.config.json": "{" });
    await set.load();
    assert.equal(set.config(ref("a"))?.instruction, "2");
    assert.equal(set.config(ref("b"))?.instruction, "1");
    const broken = set.report().agents.find(({ agent }) => agent === "team/b");
    assert.match(broken?.problem ?? "", /config\.json/);
    assert.equal(broken?.hash, set.config(ref("b"))?.hash);
    await set.load();
    const told = lines.filter((line) => line.startsWith("configuration is not sound"));
    assert.equal(told.length, 1);
    folder.write(pooled(["a", "2"], ["b", "3"]));
    await set.load();
    assert.equal(set.config(ref("b"))?.instruction, "3");
    assert.ok(set.report().agents.every(({ problem }) => problem === undefined));
  });

  it("keeps everything when the folder cannot be read or lost its files", async () => {
    const folder = mounted(filesOf("one", "1"));
    const { set } = open([folder.path], "one");
    await set.load();
    folder.write({});
    await set.load();
    assert.equal(set.config(ref("one"))?.instruction, "1");
    assert.match(set.report().agents[0]?.problem ?? "", /config\.json/);
    renameSync(folder.path, `${folder.path}-away`);
    await set.load();
    assert.equal(set.config(ref("one"))?.instruction, "1");
    assert.match(set.report().folders[0]?.problem ?? "", /failed to read the folder/);
    rmSync(`${folder.path}-away`, { recursive: true });
  });
});

describe("runtime/worker/role/config-folder", () => {
  it("reads the files of one version, without what the kubelet keeps beside them", async () => {
    const folder = mounted({ a: "1", b: "1" });
    const first = await readConfigFolder(folder.path);
    assert.deepEqual(first?.files, { a: "1", b: "1" });
    assert.equal(await readConfigFolder(folder.path, first.revision), undefined);
    folder.write({ a: "2" });
    assert.deepEqual((await readConfigFolder(folder.path, first.revision))?.files, { a: "2" });
  });

  it("reads a folder of plain files as well", async () => {
    const folder = mounted();
    rmSync(join(folder.path, "..data"));
    writeFileSync(join(folder.path, "config.json"), "{}");
    writeFileSync(join(folder.path, ".hidden"), "x");
    assert.deepEqual((await readConfigFolder(folder.path))?.files, { "config.json": "{}" });
  });

  it("refuses a file that no Secret could hold", async () => {
    const folder = mounted({ a: "x".repeat(1_048_577) });
    await assert.rejects(readConfigFolder(folder.path), /larger than 1048576 bytes/);
  });

  it("never sees half of a change, however often the kubelet swaps", async () => {
    const folder = mounted({ a: "0", b: "0" });
    const state = { stop: false };
    const swapping = (async () => {
      for (let n = 1; !state.stop; n += 1) {
        folder.write({ a: String(n), b: String(n) });
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let n = 0; n < 100; n += 1) {
      // a folder that changes all the time may stay unreadable for a while; half of a change it must not be
      const content = await readConfigFolder(folder.path).catch(() => undefined);
      assert.equal(content?.files["a"], content?.files["b"]);
    }
    state.stop = true;
    await swapping;
  });
});
