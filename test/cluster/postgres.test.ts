import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { poll } from "./poll.ts";
import { usePostgres } from "./postgres-use.ts";

const CHILD = fileURLToPath(new URL("postgres-until-killed.ts", import.meta.url));

describe("test/cluster/postgres", () => {
  const server = usePostgres();

  it("is a Postgres 16 with pgvector, on loopback and a socket, with a password", async () => {
    const [row] = await server().query(
      "select current_setting('server_version_num')::int / 10000 as version, current_setting('listen_addresses') as address",
    );
    assert.deepEqual(row, { version: 16, address: "127.0.0.1" });
    await server().query("create extension vector");
    const [distance] = await server().query("select '[1,0]'::vector <=> '[0,1]'::vector as far");
    assert.equal(distance?.["far"], 1);
    const [hba] = await server().query(
      "select count(*)::int as open from pg_hba_file_rules where auth_method <> 'scram-sha-256'",
    );
    assert.equal(hba?.["open"], 0);
  });

  it("ends, with its folder, when the process that started it is killed", async () => {
    const child = spawn(process.execPath, [CHILD], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const lines = createInterface({ input: child.stdout });
      const [line] = (await once(lines, "line")) as [string];
      const { pid, folder } = JSON.parse(line) as { pid: number; folder: string };
      assert.ok(lives(pid) && existsSync(folder));
      child.kill("SIGKILL");
      await poll(() => Promise.resolve(lives(pid) || existsSync(folder) ? undefined : true), {
        what: "the end of postgres",
        timeoutMs: 20_000,
        signal: new AbortController().signal,
      });
    } finally {
      child.kill("SIGKILL");
    }
  });
});

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
