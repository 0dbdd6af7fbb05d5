import assert from "node:assert/strict";
import { afterEach, describe, it } from "mocha";
import { ModelError } from "../../../runtime/model/chat-model.ts";
import { discoverOllama } from "../../../runtime/model/discover-ollama.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { ScriptedOllama, type ScriptedOllamaOptions } from "../../support/scripted-ollama.ts";

const open = new AbortController().signal;

const MODELS = [
  { name: "nomic-embed-text:latest", capabilities: ["embedding"], contextLength: 2048 },
  { name: "qwen2.5:14b", capabilities: ["completion", "tools"], contextLength: 32_768 },
  { name: "llama3.1:latest", capabilities: ["completion", "tools"] },
];

describe("runtime/model/discover-ollama", () => {
  let ollama: ScriptedOllama | undefined;
  const start = async (options: ScriptedOllamaOptions) => {
    ollama = await ScriptedOllama.start(options);
    return ollama.url;
  };
  afterEach(async () => {
    await ollama?.idle();
    await ollama?.close();
    ollama = undefined;
  });

  it("chooses the first installed model that can call tools", async () => {
    const url = await start({ models: MODELS });
    assert.deepEqual(await discoverOllama(url, {}, open), {
      host: url,
      version: "0.12.0",
      models: MODELS,
      chosen: MODELS[1],
      pull: undefined,
    });
  });

  it("chooses the model asked for, with or without its tag", async () => {
    const url = await start({ models: MODELS });
    for (const model of ["llama3.1", "llama3.1:latest"])
      assert.deepEqual((await discoverOllama(url, { model }, open)).chosen, MODELS[2]);
  });

  it("names the pull line of a model that is not installed", async () => {
    const url = await start({ models: MODELS });
    const found = await discoverOllama(url, { model: "mistral:7b" }, open);
    assert.equal(found.chosen, undefined);
    assert.equal(found.pull, "ollama pull mistral:7b");
  });

  it("names a pull line when no model can call tools", async () => {
    const url = await start({ models: MODELS.slice(0, 1) });
    assert.equal((await discoverOllama(url, {}, open)).pull, "ollama pull qwen2.5:14b");
  });

  it("reads the capability from the template of servers that name none", async () => {
    const url = await start({
      models: [{ name: "old:1", template: "{{ if .Tools }}{{ .Tools }}{{ end }}" }],
    });
    assert.equal((await discoverOllama(url, {}, open)).chosen?.name, "old:1");
  });

  it("goes on without the details of a model that cannot be described in time", async () => {
    const url = await start({ models: MODELS, silent: ["/api/show"] });
    const clock = new FakeClock();
    const found = discoverOllama(url, { model: "qwen2.5:14b", clock }, open);
    while (ollama?.paths.filter((path) => path.endsWith("show")).length !== MODELS.length)
      await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(2_000);
    assert.deepEqual((await found).chosen, { name: "qwen2.5:14b", capabilities: [] });
    assert.equal(clock.pending, 0);
  });

  it("gives up after two seconds on a server that is silent", async () => {
    const url = await start({ silent: ["/api/version"] });
    const clock = new FakeClock();
    const rejected = assert.rejects(
      discoverOllama(url, { clock }, open),
      (error) => error instanceof ModelError && error.code === "timeout",
    );
    while (ollama?.paths.length !== 1) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(2_000);
    await rejected;
  });

  it("says at once that nothing listens", async () => {
    const url = await start({});
    await ollama?.close();
    await assert.rejects(
      discoverOllama(url, {}, open),
      (error) => error instanceof ModelError && error.code === "unreachable",
    );
  });

  it("stops with the caller's reason", async () => {
    const url = await start({ models: MODELS, silent: ["/api/show"] });
    const caller = new AbortController();
    const reason = new Error("given up");
    const rejected = assert.rejects(
      discoverOllama(url, {}, caller.signal),
      (error) => error === reason,
    );
    while (!ollama?.paths.some((path) => path.endsWith("show")))
      await new Promise((resolve) => setImmediate(resolve));
    caller.abort(reason);
    await rejected;
  });
});
