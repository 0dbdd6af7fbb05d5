import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ModelError } from "../../../runtime/model/chat-model.ts";
import { embeddingModelFor } from "../../../runtime/model/embedding-factory.ts";
import { chatModelFor } from "../../../runtime/model/model-factory.ts";
import { systemClock } from "../../../runtime/process/clock.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { answerLines, ScriptedOllama } from "../../support/scripted-ollama.ts";
import { readAll, textIn } from "./chat-model-contract.ts";

const open = new AbortController().signal;
const ref = { namespace: "kagent", name: "fast-model-config" };
const clock = new FakeClock();

describe("runtime/model/model-factory", () => {
  it("makes an Ollama model that asks the host of the platform when the settings name none", async () => {
    const ollama = await ScriptedOllama.start();
    ollama.reply({ lines: answerLines({ text: ["hello"] }) });
    const model = await chatModelFor(
      { ref, provider: "Ollama", model: "qwen2.5:14b" },
      { clock, ollamaHost: ollama.url },
    );
    assert.equal(model.label, "ollama qwen2.5:14b");
    const request = { messages: [{ role: "user" as const, text: "Hi" }], tools: [] };
    assert.equal(textIn(await readAll(model.chat(request, open))), "hello");
    await ollama.close();
  });

  it("names a provider that it does not know and the ModelConfig that asks for it", async () => {
    await assert.rejects(
      chatModelFor({ ref, provider: "Bedrock", model: "x" }, { clock }),
      (error) =>
        error instanceof ModelError &&
        error.code === "rejected" &&
        !error.retryable &&
        /Bedrock of ModelConfig kagent\/fast-model-config is not supported yet/.test(error.message),
    );
  });
});

describe("headers of a ModelConfig (Ollama)", () => {
  it("reach the wire with the key, for chat and embeddings", async () => {
    const ollama = await ScriptedOllama.start();
    try {
      const settings = {
        ref,
        provider: "Ollama",
        model: "m",
        apiKey: "k-1",
        headers: { "x-team": "platform" },
      };
      ollama.reply({ lines: answerLines({ text: ["hello"] }) });
      const model = await chatModelFor(settings, { clock: systemClock, ollamaHost: ollama.url });
      await readAll(model.chat({ messages: [{ role: "user", text: "Hi" }], tools: [] }, open));
      const embedding = await embeddingModelFor(settings, {
        clock: systemClock,
        ollamaHost: ollama.url,
      });
      await embedding.embed(["x"], open).catch(() => undefined); // the script has no embeddings
      for (const path of ["POST /api/chat", "POST /api/embed"]) {
        const headers = ollama.headers[ollama.paths.indexOf(path)];
        assert.equal(headers?.authorization, "Bearer k-1", path);
        assert.equal(headers["x-team"], "platform", path);
      }
    } finally {
      await ollama.close();
    }
  });
});
