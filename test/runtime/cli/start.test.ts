import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "mocha";
import { type RunningCommand, runCommand, startCommand } from "../../support/command.ts";
import { freePortBase } from "../../support/free-port-base.ts";
import { answerLines, ScriptedOllama } from "../../support/scripted-ollama.ts";

/** Nothing listens there: port 9 is discard's. */
const NO_OLLAMA = { OLLAMA_HOST: "http://127.0.0.1:9" };
const READY = "Stop with Ctrl-C.";
/** Longest time from Ctrl-C to the end. */
const STOP_MS = 2_000;

interface Task {
  readonly id: string;
  readonly status: { readonly state: string };
  readonly artifacts?: readonly { readonly parts: readonly { readonly text?: string }[] }[];
}

async function rpc(base: number, method: string, params: object): Promise<Task> {
  const response = await fetch(`http://127.0.0.1:${base + 1}/api/a2a/kagent/code-agent/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal: AbortSignal.timeout(10_000),
  });
  const answer = (await response.json()) as { result?: Task; error?: unknown };
  assert.ok(answer.result !== undefined, JSON.stringify(answer.error));
  return answer.result;
}

const ask = (base: number, text: string, blocking: boolean): Promise<Task> =>
  rpc(base, "message/send", {
    message: {
      kind: "message",
      messageId: "m-1",
      role: "user",
      parts: [{ kind: "text", text }],
    },
    configuration: { blocking },
  });

describe("runtime/cli/start", function () {
  this.timeout(30_000);
  const running: RunningCommand[] = [];
  let folder: string;
  let base: number;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "kagent-start-"));
    base = await freePortBase();
  });
  afterEach(async () => {
    for (const command of running.splice(0)) {
      command.signal("SIGKILL");
      await command.ended;
    }
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const flags = (data: string): string[] => [
    ...["start", "--data-dir", join(folder, data), "--port-base", String(base)],
  ];
  const start = async (data: string, env: Record<string, string> = NO_OLLAMA) => {
    const command = startCommand(flags(data), env);
    running.push(command);
    await command.printed(READY);
    return command;
  };

  it("runs until Ctrl-C: tells where it answers, keeps others out, leaves no run file", async () => {
    const command = await start("a");
    const runFile = join(folder, "a", "run.json");
    const api = `http://127.0.0.1:${base + 1}`;
    assert.equal((await fetch(`${api}/health`)).status, 200);
    const run = JSON.parse(readFileSync(runFile, "utf8")) as { pid: number; apiUrl: string };
    assert.deepEqual([run.pid, run.apiUrl], [command.pid, api]);

    const [same, other] = await Promise.all([
      runCommand(flags("a"), NO_OLLAMA),
      runCommand(flags("b"), NO_OLLAMA),
    ]);
    assert.equal(same.code, 1);
    assert.match(
      same.stderr,
      new RegExp(`runs in .* already \\(process ${command.pid}, ${api}\\)`),
    );
    assert.equal(other.code, 1);
    assert.match(
      other.stderr,
      new RegExp(`^Port ${base + 4} is taken \\(needed for MCP gateway\\)\\..*--port-base`, "m"),
    );
    assert.equal((await fetch(`${api}/health`)).status, 200, "the first one goes on");

    const stopped = performance.now();
    command.signal("SIGINT");
    const { code, stdout, stderr } = await command.ended;
    assert.ok(performance.now() - stopped < STOP_MS, `${performance.now() - stopped} ms`);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    assert.equal(existsSync(runFile), false);
    for (const [name, port] of [
      ["HTTP API, A2A", base + 1],
      ["MCP gateway", base + 4],
      ["A2A gateway", base + 5],
    ] as const)
      assert.match(stdout, new RegExp(`^ +${name} +http://127\\.0\\.0\\.1:${port}`, "m"));
    assert.match(stdout, /Ready in \d+\.\d s\. 10 agents answer\./);
    assert.match(stdout, /^ +model +offline \(stand-in/m);
  });

  it("keeps what was answered over kill -9; what was under way is failed, and says why", async () => {
    const asked = Promise.withResolvers<undefined>();
    const ollama = await ScriptedOllama.start({
      models: [{ name: "qwen:7b", capabilities: ["completion", "tools"] }],
      onChat: (_, index) => {
        if (index === 0) return { lines: answerLines({ text: ["It is 714."] }) };
        asked.resolve(undefined);
        return { silence: true };
      },
    });
    try {
      const killed = await start("c", { OLLAMA_HOST: ollama.url });
      const answered = await ask(base, "calculate 17 % of 4200", true);
      const open = await ask(base, "and 18 %?", false);
      await asked.promise;
      killed.signal("SIGKILL");
      assert.equal((await killed.ended).code, null);

      const next = await start("c");
      const kept = await rpc(base, "tasks/get", { id: answered.id });
      assert.equal(kept.status.state, "completed");
      assert.match(JSON.stringify(kept.artifacts), /It is 714\./);
      const lost = await rpc(base, "tasks/get", { id: open.id });
      assert.equal(lost.status.state, "failed");
      assert.match(JSON.stringify(lost), /WORKER_LOST/);
      next.signal("SIGINT");
      const { code, stdout } = await next.ended;
      assert.equal(code, 0);
      assert.match(stdout, /1 unfinished task.* marked failed/);
    } finally {
      await ollama.close();
    }
  });

  it("explains itself, and refuses what makes no sense", async () => {
    const [help, port, environment] = await Promise.all([
      runCommand(["start", "--help"]),
      runCommand(["start", "--port-base", "x"]),
      runCommand(flags("d"), { GRAFANA_URL: "nonsense" }),
    ]);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /--data-dir.*--reset.*--context.*--model.*--port-base/s);
    assert.equal(port.code, 2);
    assert.match(port.stderr, /--port-base .*whole number from 1 to \d+/);
    assert.equal(environment.code, 1);
    assert.match(
      environment.stderr,
      /^failed to start: .*GRAFANA_URL: must be an http or https URL/,
    );
    assert.doesNotMatch(environment.stderr, /\n\s+at /, "no stack");
    assert.equal(existsSync(join(folder, "d")), false);
  });
});
