import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { ModelSettings, OpenAiSettings } from "../../../runtime/api/agent-config.ts";
import { type ChatRequest, ModelError } from "../../../runtime/model/chat-model.ts";
import { openAiModel } from "../../../runtime/model/openai.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import {
  type CapturedRequest,
  chatEvents,
  responseEvents,
  type Said,
  ScriptedOpenAi,
} from "../../support/scripted-openai.ts";
import { callsIn, chatModelContract, readAll, textIn } from "./chat-model-contract.ts";

const open = new AbortController().signal;
const KEY = "sk-test-0123456789";
const LONG_TOOL = `k8s-tools-services-amer_${"get_".repeat(15)}pods`;

const FORMATS = { chatCompletions: chatEvents, responses: responseEvents } as const;
type Format = keyof typeof FORMATS;

const TOOL = {
  name: LONG_TOOL,
  description: "Lists pods.",
  inputSchema: { type: "object", properties: { namespace: { type: "string" } } },
};
const ASK: ChatRequest = {
  messages: [
    { role: "system", text: "You help." },
    { role: "user", text: "pods?" },
  ],
  tools: [TOOL],
};
const PLAIN: ChatRequest = { messages: [{ role: "user", text: "hi" }], tools: [] };

function settings(
  url: string,
  own: Partial<OpenAiSettings> = {},
  over: Partial<ModelSettings> = {},
): ModelSettings {
  return {
    ref: { namespace: "kagent", name: "gpt" },
    provider: "OpenAI",
    model: "gpt-test",
    apiKey: KEY,
    openAI: { baseUrl: url, apiFormat: "chatCompletions", ...own },
    ...over,
  };
}

/** Names a scripted model has to use are those of the request: it must not know them otherwise. */
function toolNameIn({ body }: CapturedRequest): string {
  const [tool] = body["tools"] as { name?: string; function?: { name: string } }[];
  return tool?.function?.name ?? tool?.name ?? "";
}

for (const format of Object.keys(FORMATS) as Format[])
  chatModelContract(`an OpenAI model (${format})`, async () => {
    const events = FORMATS[format];
    const server = await ScriptedOpenAi.start((request) => {
      const answered = JSON.stringify(request.body).includes("three pods");
      const said: Said = answered
        ? { text: ["There ", "are ", "three pods."] }
        : { calls: [{ id: "call_1", name: toolNameIn(request), args: { namespace: "kagent" } }] };
      return { events: events(said) };
    });
    return {
      model: openAiModel({ settings: settings(server.url, { apiFormat: format }) }),
      toolRequest: ASK,
      toolResult: "three pods",
      mentions: /three pods/,
      idle: async () => {
        for (let turn = 0; turn < 100 && server.connections > 0; turn++)
          await new Promise((resolve) => setImmediate(resolve));
        assert.equal(server.connections, 0);
      },
      close: () => server.close(),
    };
  });

describe("runtime/model/openai", () => {
  let server: ScriptedOpenAi;
  beforeEach(async () => {
    server = await ScriptedOpenAi.start();
  });
  afterEach(() => server.close());

  async function sent(
    own: Partial<OpenAiSettings>,
    over: Partial<ModelSettings> = {},
    request = PLAIN,
  ): Promise<CapturedRequest> {
    server.reply({ events: FORMATS[own.apiFormat ?? "chatCompletions"]({ text: ["ok"] }) });
    await readAll(openAiModel({ settings: settings(server.url, own, over) }).chat(request, open));
    const [captured] = server.requests.slice(-1);
    assert.ok(captured);
    return captured;
  }

  it("puts every field of the ModelConfig on the wire of chat completions", async () => {
    const { body, path, headers } = await sent(
      {
        organization: "org-1",
        temperature: 0.1,
        topP: 0.9,
        frequencyPenalty: 0.2,
        presencePenalty: 0.3,
        seed: 7,
        n: 1,
        maxTokens: 100,
        reasoningEffort: "low",
      },
      { headers: { "x-team": "platform" } },
    );
    assert.equal(path, "/v1/chat/completions");
    const { temperature, top_p, frequency_penalty, presence_penalty, seed, n } = body;
    assert.deepEqual(
      { temperature, top_p, frequency_penalty, presence_penalty, seed, n },
      {
        temperature: 0.1,
        top_p: 0.9,
        frequency_penalty: 0.2,
        presence_penalty: 0.3,
        seed: 7,
        n: 1,
      },
    );
    assert.equal(body["max_tokens"], 100);
    assert.equal(body["reasoning_effort"], "low");
    assert.equal(body["model"], "gpt-test");
    assert.equal(headers.authorization, `Bearer ${KEY}`);
    assert.equal(headers["openai-organization"], "org-1");
    assert.equal(headers["x-team"], "platform");
    assert.equal((await sent({ maxCompletionTokens: 9 })).body["max_completion_tokens"], 9);
  });

  it("puts the fields that responses have on their wire and keeps nothing at the provider", async () => {
    const { body, path } = await sent({
      apiFormat: "responses",
      temperature: 0.1,
      topP: 0.9,
      maxTokens: 100,
      reasoningEffort: "high",
    });
    assert.equal(path, "/v1/responses");
    assert.equal(body["temperature"], 0.1);
    assert.equal(body["top_p"], 0.9);
    assert.equal(body["max_output_tokens"], 100);
    assert.deepEqual(body["reasoning"], { effort: "high" });
    assert.equal(body["store"], false);
  });

  it("refuses by name what responses do not have", () => {
    const own = { apiFormat: "responses", seed: 1, n: 1 } as const;
    assert.throws(
      () => openAiModel({ settings: settings(server.url, own) }),
      (error) => error instanceof ModelError && /openAI\.seed, openAI\.n;/.test(error.message),
    );
  });

  it("sends fields even for models whose name the package takes for one that lacks them", async () => {
    const { body } = await sent({ temperature: 0.5 }, { model: "o3-mini" });
    assert.equal(body["temperature"], 0.5);
  });

  it("sends no authorization where there is no key", async () => {
    server.reply({ events: chatEvents({ text: ["ok"] }) });
    const { apiKey: _, ...keyless } = settings(server.url);
    await readAll(openAiModel({ settings: keyless }).chat(PLAIN, open));
    assert.equal(server.requests[0]?.headers.authorization, undefined);
  });

  it("needs the caller's token where the ModelConfig passes it on", () => {
    const { apiKey: _, ...keyless } = settings(server.url);
    assert.throws(
      () => openAiModel({ settings: { ...keyless, apiKeyPassthrough: true } }),
      /bearer token/,
    );
  });

  it("constrains an answer without tools by its schema, in both forms", async () => {
    const format = { type: "object", properties: { a: { type: "number" } } };
    const chat = await sent({}, {}, { ...PLAIN, format });
    assert.deepEqual(
      (chat.body["response_format"] as { json_schema: { schema: object } }).json_schema.schema,
      format,
    );
    const response = await sent({ apiFormat: "responses" }, {}, { ...PLAIN, format });
    assert.deepEqual(
      (response.body["text"] as { format: { schema: object } }).format.schema,
      format,
    );
  });

  it("shortens names the wire does not take and gives calls their own names back", async () => {
    const calls = [{ id: "c", name: "", args: {} }];
    const named = await ScriptedOpenAi.start((request) => ({
      events: chatEvents({ calls: calls.map((call) => ({ ...call, name: toolNameIn(request) })) }),
    }));
    try {
      const chunks = await readAll(openAiModel({ settings: settings(named.url) }).chat(ASK, open));
      assert.deepEqual(
        callsIn(chunks).map(({ name }) => name),
        [LONG_TOOL],
      );
      assert.ok(toolNameIn(named.requests[0] as CapturedRequest).length <= 64);
    } finally {
      await named.close();
    }
  });

  it("counts cached tokens and tells an answer that was cut", async () => {
    for (const [format, events] of Object.entries(FORMATS)) {
      server.reply({ events: events({ text: ["cut"], finish: "length" }) });
      const own = { apiFormat: format as Format };
      const model = openAiModel({ settings: settings(server.url, own) });
      const done = (await readAll(model.chat(PLAIN, open))).at(-1);
      const counts = { inputTokens: 12, outputTokens: 5, cachedTokens: 4 };
      assert.deepEqual(done, { type: "done", ...counts, stop: "length" }, format);
    }
  });

  it("tells a refusal in the provider's words without the key", async () => {
    server.reply({
      status: 401,
      body: JSON.stringify({ error: { message: `Incorrect API key provided: ${KEY}.` } }),
    });
    const model = openAiModel({ settings: settings(server.url) });
    await assert.rejects(readAll(model.chat(PLAIN, open)), (error) => {
      assert.ok(error instanceof ModelError);
      assert.match(error.message, /answered 401: Incorrect API key provided: \*\*\*/);
      assert.ok(!error.retryable && error.status === 401);
      return true;
    });
  });

  for (const [name, status, code] of [
    ["an overload", 429, "overloaded"],
    ["a gateway without a server", 502, "unreachable"],
  ] as const)
    it(`says that ${name} may pass`, async () => {
      server.reply({ status, body: "{}" });
      const model = openAiModel({ settings: settings(server.url) });
      await assert.rejects(
        readAll(model.chat(PLAIN, open)),
        (error) => error instanceof ModelError && error.retryable && error.code === code,
      );
    });

  it("fails on an answer that breaks off", async () => {
    server.reply({ events: chatEvents({ text: ["half"] }).slice(0, 2), then: "reset" });
    const model = openAiModel({ settings: settings(server.url) });
    await assert.rejects(readAll(model.chat(PLAIN, open)), ModelError);
  });

  it("limits the wait for the first piece", async () => {
    const clock = new FakeClock();
    server.reply({ silence: true });
    const model = openAiModel({ settings: settings(server.url, { timeoutMs: 30_000 }), clock });
    const reading = readAll(model.chat(PLAIN, open));
    while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const failed = assert.rejects(
      reading,
      (error) => error instanceof ModelError && error.code === "timeout",
    );
    await clock.advance(30_000);
    await failed;
  });

  it("says what it heard", async () => {
    server.reply({ events: responseEvents({ text: ["a", "b"] }) });
    const model = openAiModel({ settings: settings(server.url, { apiFormat: "responses" }) });
    assert.equal(textIn(await readAll(model.chat(PLAIN, open))), "ab");
  });
});
