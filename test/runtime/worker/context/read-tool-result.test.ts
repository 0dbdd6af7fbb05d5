import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Event } from "../../../../runtime/api/events.ts";
import { readToolResult } from "../../../../runtime/worker/context/read-tool-result.ts";
import type { Turn } from "../../../../runtime/worker/turn-context.ts";
import { agentConfig, serverUse } from "../../../support/agent-config.ts";
import { ScriptedModel } from "../../../support/scripted-model.ts";
import { Conversation } from "../turn-harness.ts";
import { call, logOf, modelOf, result, World } from "./worlds.ts";

const text = Array.from({ length: 2_000 }, (_, index) => `line ${index} of the log`).join("\n");

async function read(args: Record<string, unknown>, events: Event[]): Promise<string> {
  const turn = { history: () => events, config: agentConfig() } as unknown as Turn;
  const { parts, ok } = await readToolResult(turn).run(args, new AbortController().signal);
  const [part] = parts;
  return `${ok ? "" : "failed: "}${part !== undefined && "text" in part ? part.text : ""}`;
}

describe("runtime/worker/context/read_tool_result", () => {
  const events = logOf(["t", call("7")], ["t", result("7", text)]);

  it("gives any part of a result, and says where to go on", async () => {
    let whole = "";
    for (let offset = 0; ; ) {
      const answer = await read({ call_id: "7", offset, length: 4_000 }, events);
      const [head = "", ...lines] = answer.split("\n");
      whole += lines.join("\n");
      const next = /go on with offset (\d+)/.exec(head)?.[1];
      assert.ok(answer.length <= 4_200);
      if (next === undefined) break;
      offset = Number(next);
    }
    assert.equal(whole, text);
  });
  it("finds lines in it, whatever their case, within its length", async () => {
    assert.match(
      await read({ call_id: "7", pattern: "LINE 1999 " }, events),
      /^\[1 of 2000 .*\]\n2000: line 1999 of the log$/,
    );
    const many = await read({ call_id: "7", pattern: "line", length: 500 }, events);
    assert.match(many, /^\[2000 of 2000 lines hold it; the first \d+\]/);
    assert.ok(many.length < 700);
  });
  it("takes what looks like a pattern for words", async () => {
    const odd = logOf(["t", result("1", "a(b+c)*")]);
    assert.match(await read({ call_id: "1", pattern: "(b+c)*" }, odd), /1: a\(b\+c\)\*/);
  });
  it("answers calls that are wrong with what is right", async () => {
    assert.match(
      await read({ call_id: "8" }, events),
      /^failed: .*no result of a call "8".*7 \(k8s_get\)/,
    );
    assert.match(await read({ length: 99_999_999 }, events), /^failed: /);
    assert.match(await read({ call_id: "7", offset: 999_999 }, events), /nothing at 999999/);
  });
  it("names files and does not show their bytes", async () => {
    const raw = Buffer.alloc(3_000).toString("base64");
    const file = { raw, filename: "heap.bin", mediaType: "application/octet-stream" };
    const body = {
      ...(result("1", "x") as Extract<Event["body"], { type: "tool-result" }>),
      parts: [file],
    };
    const answer = await read({ call_id: "1" }, logOf(["t", body]));
    assert.match(
      answer,
      /file heap\.bin, application\/octet-stream, 3000 bytes; its content is not shown/,
    );
    assert.ok(!answer.includes("AAAA"));
  });
  it("is offered once a result was shortened, and gives the model the rest", async () => {
    const model = new ScriptedModel(
      { calls: [["k8s_get", {}]] },
      { calls: [["read_tool_result", { call_id: "call-1", pattern: "line 1000 " }]] },
      { text: "found" },
    );
    const config = agentConfig({
      toolServers: [serverUse()],
      toolResultMaxBytes: 4_000,
      model: modelOf(32_768),
    });
    const world = new World();
    world.answer = () => Promise.resolve({ ok: true, parts: [{ text }] });
    const talk = new Conversation(config, model, world);
    assert.equal((await talk.send("look")).state, "completed");
    const offered = model.requests.map(({ tools }) =>
      tools.some(({ name }) => name === "read_tool_result"),
    );
    assert.deepEqual(offered, [false, true, true]);
    const shown = model.requests[1]?.messages.at(-1)?.text ?? "";
    assert.match(shown, /bytes left out; read_tool_result with call_id "call-1" gives them/);
    assert.ok(Buffer.byteLength(shown) < 4_150);
    assert.match(model.requests[2]?.messages.at(-1)?.text ?? "", /1001: line 1000 of the log/);
    const target = talk.bodies.findLast((body) => body.type === "tool-call");
    assert.equal(target?.type === "tool-call" && target.target.kind, "builtin");
  });
});
