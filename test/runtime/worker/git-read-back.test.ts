import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "mocha";
import { Budget } from "../../../runtime/worker/budget.ts";
import { blobSha, GitReadBack } from "../../../runtime/worker/git-read-back.ts";
import type { ToolAnswer, Turn } from "../../../runtime/worker/turn-context.ts";
import { agentConfig, serverUse } from "../../support/agent-config.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { Outside } from "./turn-harness.ts";

const text = (words: string, ok = true): ToolAnswer => ({ ok, parts: [{ text: words }] });

/** A server whose tools answer so; others are not there. */
function readBack(answers: Readonly<Record<string, ToolAnswer | Error | "hang">>) {
  const outside = Object.assign(new Outside(), { tools: Object.keys(answers) });
  outside.answer = async ({ name }, signal) => {
    const answer = answers[name] ?? new Error("unknown tool");
    if (answer === "hang")
      return await new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          reject(signal.reason as Error);
        });
      });
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const config = agentConfig();
  const turn: Turn = {
    deps: outside.deps(new ScriptedModel()),
    config,
    request: {
      taskId: "t",
      contextId: "c",
      rootContextId: "c",
      user: "ana",
      source: "user",
      parts: [],
      metadata: {},
      headers: {},
    },
    emit: { event: async () => undefined, partial: () => undefined, activity: () => undefined },
    history: () => [],
    budget: new Budget(config.limits),
    signal: new AbortController().signal,
  };
  const writer = { name: "hub_push_files", args: { owner: "o", repo: "r", branch: "agent/x" } };
  return { outside, repository: new GitReadBack(turn, serverUse(), writer) };
}

describe("runtime/worker/GitReadBack", () => {
  const content = "a: ü\n";
  const sha = blobSha(content);

  it("hashes as git does", () => {
    assert.equal(blobSha(""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    assert.equal(sha, createHash("sha1").update(`blob 6\0${content}`).digest("hex"));
  });

  for (const [form, answer, expected] of [
    [
      "text below a line with the hash",
      text(`file a on agent/x (sha ${sha}, 6 bytes)\n${content}`),
      content,
    ],
    [
      "text with a label before it",
      text(`local repository\nfile a (sha ${sha}, 6 bytes)\n${content}`),
      content,
    ],
    ["JSON", text(JSON.stringify({ sha, content })), content],
    [
      "JSON with base64",
      text(
        JSON.stringify({
          sha,
          content: Buffer.from(content).toString("base64"),
          encoding: "base64",
        }),
      ),
      content,
    ],
    [
      "a hash whose content is shown elsewhere",
      text(`successfully downloaded text file (SHA: ${sha})`),
      undefined,
    ],
    [
      "a hash of something else",
      text(`file a (sha ${blobSha("x")}, 6 bytes)\n${content}`),
      undefined,
    ],
  ] as const)
    it(`reads ${form}`, async () => {
      const { outside, repository } = readBack({ hub_get_file_contents: answer });
      const state = await repository.file("a", "agent/x");
      assert.ok(state.kind === "file");
      assert.equal(state.content, expected);
      const [call] = outside.calls;
      assert.deepEqual(call?.args, { owner: "o", repo: "r", path: "a", ref: "agent/x" });
    });

  it("tells what is not there from what cannot be told", async () => {
    const kind = async (answer: ToolAnswer | Error) =>
      (await readBack({ hub_get_file_contents: answer }).repository.file("a", "b")).kind;
    assert.equal(await kind(text("there is no file or folder a", false)), "absent");
    assert.equal(await kind(text("failed to get file: 404 Not Found", false)), "absent");
    assert.equal(await kind(text("502 Bad Gateway", false)), "unknown");
    assert.equal(await kind(new Error("refused")), "unknown");
    assert.equal(await kind(text("no hash in here")), "unknown");
    assert.equal((await readBack({}).repository.file("a", "b")).kind, "unknown", "no such tool");
  });

  it("finds branches and pull requests as both servers tell them", async () => {
    const branch = (answer: ToolAnswer) =>
      readBack({ hub_list_commits: answer }).repository.hasBranch("agent/x");
    assert.equal(await branch(text("[]")), true);
    assert.equal(await branch(text("there is no branch or commit agent/x", false)), false);
    assert.equal(await branch(text("rate limit", false)), undefined);
    const pull = (pulls: readonly unknown[]) =>
      readBack({ hub_list_pull_requests: text(JSON.stringify(pulls)) }).repository.hasPullRequest(
        "agent/x",
        "main",
      );
    assert.equal(await pull([{ head: "agent/x", base: "main" }]), true);
    assert.equal(await pull([{ head: { ref: "agent/x" }, base: { ref: "main" } }]), true);
    assert.equal(await pull([{ head: "agent/x", base: "release" }, null, 7]), false);
    const page = Array.from({ length: 30 }, () => ({ head: "agent/y", base: "main" }));
    assert.equal(await pull(page), undefined, "there may be more behind a full page");
  });

  it("does not wait for a server that hangs", async () => {
    const { outside, repository } = readBack({ hub_get_file_contents: "hang" });
    const reading = repository.file("a", "b");
    await new Promise(setImmediate);
    await outside.clock.advance(10_000);
    assert.equal((await reading).kind, "unknown");
    assert.equal(outside.clock.pending, 0);
  });
});
