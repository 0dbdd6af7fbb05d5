import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { ModelSettings, OllamaSettings } from "../../../runtime/api/agent-config.ts";
import { type ChatRequest, ModelError } from "../../../runtime/model/chat-model.ts";
import { ollamaModel } from "../../../runtime/model/ollama.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { answerLines, ScriptedOllama } from "../../support/scripted-ollama.ts";
import { callsIn, chatModelContract, readAll, textIn } from "./chat-model-contract.ts";

const open = new AbortController().signal;
const timeouts = { connectMs: 5_000, firstTokenMs: 120_000, idleMs: 60_000 };

const POD_TOOL = {
  name: "k8s-tools-demo_k8s_get_resources",
  description: "Lists objects.",
  inputSchema: {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: {
      resource_type: { type: "string" },
      filter: {
        type: "object",
        properties: {
          labels: { type: "array", items: { $ref: "#/$defs/Label" } },
          depth: { anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }] },
        },
        required: ["labels"],
        additionalProperties: false,
      },
    },
    required: ["resource_type"],
    $defs: {
      Label: {
        type: "object",
        properties: { key: { type: "string", pattern: "^[a-z]+$" }, value: { type: "string" } },
        required: ["key"],
      },
    },
  },
};

const REQUEST: ChatRequest = {
  messages: [
    { role: "system", text: "You look after clusters." },
    { role: "user", text: "Which pods are failing?" },
  ],
  tools: [POD_TOOL],
};

function settings(url: string, ollama: Partial<OllamaSettings> = {}): ModelSettings {
  return {
    ref: { namespace: "kagent", name: "default-model-config" },
    provider: "Ollama",
    model: "qwen2.5:14b",
    ollama: { host: url, options: {}, truncate: false, timeouts, ...ollama },
  };
}

function isModelError(code: ModelError["code"], retryable: boolean, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ModelError, String(error));
    assert.equal(error.code, code);
    assert.equal(error.retryable, retryable);
    assert.match(error.message, message);
    return true;
  };
}

chatModelContract("runtime/model/ollama", async () => {
  const clock = new FakeClock();
  const ollama = await ScriptedOllama.start({
    onChat: (chat) =>
      chat.messages.at(-1)?.role === "tool"
        ? { lines: answerLines({ text: ["checkout", " is", " failing"] }) }
        : {
            lines: answerLines({
              text: ["Looking."],
              calls: [{ name: POD_TOOL.name, args: { resource_type: "pods" } }],
            }),
          },
  });
  return {
    model: ollamaModel({ settings: settings(ollama.url), clock }),
    toolRequest: REQUEST,
    toolResult: "checkout CrashLoopBackOff",
    mentions: /checkout is failing/,
    idle: async () => {
      await ollama.idle();
      assert.equal(clock.pending, 0);
    },
    close: () => ollama.close(),
  };
});

describe("runtime/model/ollama", () => {
  let ollama: ScriptedOllama;
  let clock: FakeClock;

  beforeEach(async () => {
    ollama = await ScriptedOllama.start();
    clock = new FakeClock();
  });
  afterEach(async () => {
    await ollama.idle();
    assert.equal(clock.pending, 0, "a timer is left");
    await ollama.close();
  });

  const model = (own: Partial<OllamaSettings> = {}, extra: Partial<ModelSettings> = {}) =>
    ollamaModel({ settings: { ...settings(ollama.url, own), ...extra }, clock });
  const sent = async (
    own: Partial<OllamaSettings>,
    extra: Partial<ModelSettings> = {},
    request = REQUEST,
  ) => {
    ollama.reply({ lines: answerLines({ text: ["ok"] }) });
    await readAll(model(own, extra).chat(request, open));
    return ollama.chats.at(-1)!;
  };

  describe("the wire", () => {
    it("carries every setting, options with their real types", async () => {
      const chat = await sent({
        options: {
          temperature: "0.1",
          num_ctx: "2048",
          seed: "-7",
          use_mmap: "false",
          stop: '["</s>","42"]',
          top_p: "1e-1",
        },
        numCtx: 16_384,
        keepAlive: "15m",
        think: "low",
      });
      assert.equal(chat.model, "qwen2.5:14b");
      assert.equal(chat.stream, true);
      assert.deepEqual(chat["options"], {
        temperature: 0.1,
        num_ctx: 16_384,
        seed: -7,
        use_mmap: false,
        stop: ["</s>", "42"],
        top_p: 0.1,
      });
      assert.equal(chat["keep_alive"], "15m");
      assert.equal(chat["think"], "low");
      assert.equal(chat["truncate"], false);
      assert.equal(chat["shift"], false);
    });

    it("sends seconds of keep_alive as a number, for ever included", async () => {
      assert.equal((await sent({ keepAlive: "-1" }))["keep_alive"], -1);
      assert.equal((await sent({ keepAlive: "300" }))["keep_alive"], 300);
    });

    it("sends a stop word that looks like a number as text", async () => {
      assert.deepEqual((await sent({ options: { stop: "42" } }))["options"], { stop: ["42"] });
    });

    it("takes num_ctx from the options, else from the model's context window", async () => {
      const extra = { contextWindow: 8_192 };
      assert.deepEqual((await sent({ options: { num_ctx: "4096" } }, extra))["options"], {
        num_ctx: 4_096,
      });
      assert.deepEqual((await sent({}, extra))["options"], { num_ctx: 8_192 });
    });

    it("leaves out what is not set, so that the server's own defaults hold", async () => {
      const chat = await sent({});
      for (const key of ["options", "keep_alive", "think", "format"])
        assert.ok(!(key in chat), key);
    });

    it("lets Ollama cut a long prompt only when asked to", async () => {
      const chat = await sent({ truncate: true });
      assert.deepEqual([chat["truncate"], chat["shift"]], [true, true]);
    });

    it("carries nested tool schemas whole, references resolved", async () => {
      const [tool] = (await sent({})).tools ?? [];
      const label = POD_TOOL.inputSchema.$defs.Label;
      const { resource_type, filter } = POD_TOOL.inputSchema.properties;
      assert.deepEqual(tool, {
        type: "function",
        function: {
          name: POD_TOOL.name,
          description: "Lists objects.",
          parameters: {
            type: "object",
            properties: {
              resource_type,
              filter: {
                ...filter,
                properties: { ...filter.properties, labels: { type: "array", items: label } },
              },
            },
            required: ["resource_type"],
          },
        },
      });
    });

    it("carries a format only without tools", async () => {
      const format = { type: "object", properties: { summary: { type: "string" } } };
      assert.ok(!("format" in (await sent({}, {}, { ...REQUEST, format }))));
      assert.deepEqual((await sent({}, {}, { ...REQUEST, tools: [], format }))["format"], format);
      assert.ok(!("tools" in ollama.chats.at(-1)!));
    });

    it("carries calls and their results with ids and names", async () => {
      const chat = await sent(
        {},
        {},
        {
          ...REQUEST,
          messages: [
            ...REQUEST.messages,
            {
              role: "assistant",
              text: "Looking.",
              toolCalls: [{ id: "call_1", name: POD_TOOL.name, args: { resource_type: "pods" } }],
            },
            { role: "tool", callId: "call_1", name: POD_TOOL.name, text: "none" },
          ],
        },
      );
      assert.deepEqual(chat.messages.slice(1), [
        { role: "user", content: "Which pods are failing?" },
        {
          role: "assistant",
          content: "Looking.",
          tool_calls: [
            {
              id: "call_1",
              function: { name: POD_TOOL.name, arguments: { resource_type: "pods" } },
            },
          ],
        },
        { role: "tool", content: "none", tool_name: POD_TOOL.name, tool_call_id: "call_1" },
      ]);
    });

    it("takes the credentials of the host into a header and out of every message", async () => {
      const url = ollama.url.replace("http://", "http://me:s3cret@");
      ollama.reply({ status: 400, body: '{"error":"bad"}' });
      await assert.rejects(
        readAll(ollamaModel({ settings: settings(url), clock }).chat(REQUEST, open)),
        (error: Error) => !error.message.includes("s3cret") && error.message.includes("127.0.0.1"),
      );
      assert.equal(ollama.headers[0]?.authorization, `Basic ${btoa("me:s3cret")}`);
    });
  });

  describe("the answer", () => {
    it("comes as thoughts, text and calls, each in its own piece", async () => {
      ollama.reply({
        lines: answerLines({
          thinking: "Hm.",
          text: ["One ", "moment."],
          calls: [
            { id: "call_a", name: POD_TOOL.name, args: { resource_type: "pods" } },
            { name: POD_TOOL.name, args: '{"resource_type":"nodes"}' },
          ],
          inputTokens: 321,
          outputTokens: 12,
          doneReason: "length",
        }),
      });
      const chunks = await readAll(model().chat(REQUEST, open));
      assert.deepEqual(
        chunks.map(({ type }) => type),
        ["thought", "text", "text", "tool-call", "tool-call", "done"],
      );
      const [first, second] = callsIn(chunks);
      assert.equal(first?.id, "call_a");
      assert.match(second?.id ?? "", /^call_[0-9a-f-]{36}$/);
      assert.deepEqual(second?.args, { resource_type: "nodes" });
      assert.deepEqual(chunks.at(-1), {
        type: "done",
        inputTokens: 321,
        outputTokens: 12,
        cachedTokens: 0,
        stop: "length",
      });
    });

    it("gives a call whose id the conversation has seen a new one", async () => {
      const call = { id: "call_0", name: POD_TOOL.name, args: {} };
      ollama.reply({ lines: answerLines({ calls: [call, call] }) });
      const messages = [
        ...REQUEST.messages,
        { role: "assistant" as const, text: "", toolCalls: [call] },
        { role: "tool" as const, callId: "call_0", name: POD_TOOL.name, text: "none" },
      ];
      const calls = callsIn(await readAll(model().chat({ ...REQUEST, messages }, open)));
      assert.equal(new Set(["call_0", ...calls.map(({ id }) => id)]).size, 3);
    });

    it("takes unreadable arguments for none", async () => {
      for (const args of ["{broken", 7, null, ["a"]]) {
        ollama.reply({ lines: answerLines({ calls: [{ name: POD_TOOL.name, args }] }) });
        const [call] = callsIn(await readAll(model().chat(REQUEST, open)));
        assert.deepEqual(call?.args, {});
      }
    });

    it("is whole however the network cuts it", async () => {
      const lines = answerLines({ text: ["Zürich ", "→ ", "日本"] });
      for (const pieceBytes of [1, 3, 7, 100_000]) {
        ollama.reply({ lines, pieceBytes });
        assert.equal(textIn(await readAll(model().chat(REQUEST, open))), "Zürich → 日本");
      }
    });

    it("has no counts when the server sends none", async () => {
      ollama.reply({ lines: [{ message: { content: "x", tool_calls: null }, done: true }] });
      const done = (await readAll(model().chat(REQUEST, open))).at(-1);
      assert.deepEqual(done, {
        type: "done",
        inputTokens: 0,
        outputTokens: 0,
        cachedTokens: 0,
        stop: "end",
      });
    });
  });

  describe("failures", () => {
    const rows = [
      {
        claim: "names the pull line for an unknown model",
        reply: { status: 404, body: '{"error":"model \'qwen2.5:14b\' not found"}' },
        expected: isModelError("not-found", false, /: ollama pull qwen2\.5:14b$/),
      },
      {
        claim: "says that an address is not Ollama's",
        reply: { status: 404, body: "<html>", contentType: "text/html" },
        expected: isModelError("not-found", false, /not the address of an Ollama server/),
      },
      {
        claim: "calls 503 overloaded",
        reply: { status: 503, body: '{"error":"server busy"}' },
        expected: isModelError("overloaded", true, /server busy/),
      },
      {
        claim: "passes on why a request was refused, in one short line",
        reply: { status: 400, body: JSON.stringify({ error: `no\ntools ${"x".repeat(999)}` }) },
        expected: isModelError("rejected", false, /^.*400: no tools x{290,300}\.\.\.$/),
      },
      {
        claim: "takes a 500 for passing",
        reply: { status: 500, body: '{"error":"runner terminated"}' },
        expected: isModelError("rejected", true, /runner terminated/),
      },
      {
        claim: "follows no redirect",
        reply: { status: 301, body: "" },
        expected: isModelError("rejected", false, /answered 301/),
      },
      {
        claim: "reports an error inside the stream",
        reply: {
          lines: [{ message: { content: "a" }, done: false }, { error: "out of memory" }],
        },
        expected: isModelError("rejected", true, /out of memory/),
      },
      {
        claim: "reports a line that is no JSON",
        reply: { raw: '{"message":{"content":"a"},"done":false}\n<garbage>\n' },
        expected: isModelError("protocol", true, /no JSON/),
      },
      {
        claim: "reports a line of another shape",
        reply: { raw: '{"message":{"tool_calls":"all"},"done":false}\n' },
        expected: isModelError("protocol", true, /no piece of an answer/),
      },
      {
        claim: "reports an answer that ends early",
        reply: { lines: [{ message: { content: "a" }, done: false }], then: "stop" },
        expected: isModelError("protocol", true, /before it was complete/),
      },
      {
        claim: "reports a connection cut in the middle",
        reply: { lines: [{ message: { content: "a" }, done: false }], then: "reset" },
        expected: isModelError("unreachable", true, /failed to talk to/),
      },
      {
        claim: "reports an empty answer",
        reply: { raw: "" },
        expected: isModelError("protocol", true, /before it was complete/),
      },
    ] as const;
    for (const { claim, reply, expected } of rows)
      it(claim, async () => {
        ollama.reply(reply);
        await assert.rejects(readAll(model().chat(REQUEST, open)), expected);
      });

    it("writes nothing to the console, whatever the server says", async () => {
      const written: unknown[] = [];
      const { log, warn, error } = console;
      Object.assign(console, {
        log: written.push.bind(written),
        warn: written.push.bind(written),
        error: written.push.bind(written),
      });
      try {
        ollama.reply({ status: 500, body: "text", contentType: "text/plain" }, { raw: "<x>\n\n" });
        await assert.rejects(readAll(model().chat(REQUEST, open)));
        await assert.rejects(readAll(model().chat(REQUEST, open)));
      } finally {
        Object.assign(console, { log, warn, error });
      }
      assert.deepEqual(written, []);
    });

    it("calls a server that does not listen unreachable", async () => {
      const gone = await ScriptedOllama.start();
      const { url } = gone;
      await gone.close();
      await assert.rejects(
        readAll(ollamaModel({ settings: settings(url), clock }).chat(REQUEST, open)),
        isModelError("unreachable", true, /ECONNREFUSED/),
      );
    });

    it("does not hang when the server is unplugged in the middle", async () => {
      ollama.reply({ lines: [{ message: { content: "a" }, done: false }], then: "silence" });
      await assert.rejects(
        (async () => {
          for await (const chunk of model().chat(REQUEST, open))
            if (chunk.type === "text") ollama.unplug();
        })(),
        isModelError("unreachable", true, /ECONNRESET|UND_ERR_SOCKET/),
      );
    });

    for (const host of ["ftp://gpu", "http://", "http://u:pw@:x"])
      it(`refuses the host of ${JSON.stringify(host)} without repeating it`, () => {
        assert.throws(
          () => ollamaModel({ settings: settings(host) }),
          isModelError("rejected", false, /^the host of Ollama is not an HTTP address$/),
        );
      });
  });

  describe("time", () => {
    it("limits the wait for the first piece", async () => {
      ollama.reply({ silence: true });
      const answer = readAll(model().chat(REQUEST, open));
      const rejected = assert.rejects(
        answer,
        isModelError("timeout", false, /no answer within 120000 ms/),
      );
      await ollama.chatted(1);
      await clock.advance(119_999);
      assert.equal(clock.pending, 1);
      await clock.advance(1);
      await rejected;
    });

    it("limits the silence between pieces, and only while it waits itself", async () => {
      ollama.reply({ lines: [{ message: { content: "a" }, done: false }], then: "silence" });
      const answer = model().chat(REQUEST, open)[Symbol.asyncIterator]();
      assert.equal((await answer.next()).done, false);
      await clock.advance(600_000);
      const rejected = assert.rejects(
        answer.next(),
        isModelError("timeout", false, /no next piece of the answer within 60000 ms/),
      );
      await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(60_000);
      await rejected;
    });

    it("limits the wait for the connection, TLS included", async () => {
      const { server, url, accepted } = await deafServer();
      const answer = ollamaModel({
        settings: settings(url.replace("http:", "https:")),
        clock,
      }).chat(REQUEST, open);
      const rejected = assert.rejects(
        readAll(answer),
        isModelError("timeout", true, /no connection within 5000 ms/),
      );
      const socket = await accepted;
      const closed = new Promise((resolve) => socket.once("close", resolve));
      await clock.advance(5_000);
      await rejected;
      await closed;
      server.close();
    });
  });

  describe("an abort", () => {
    it("works before the headers, at once", async () => {
      ollama.reply({ silence: true });
      const caller = new AbortController();
      const reason = new Error("given up");
      const rejected = assert.rejects(
        readAll(model().chat(REQUEST, caller.signal)),
        (error) => error === reason,
      );
      await ollama.chatted(1);
      caller.abort(reason);
      await rejected;
    });

    it("works in the middle of the stream, at once", async () => {
      ollama.reply({ lines: [{ message: { content: "a" }, done: false }], then: "silence" });
      const caller = new AbortController();
      const reason = new Error("given up");
      const answer = model().chat(REQUEST, caller.signal)[Symbol.asyncIterator]();
      await answer.next();
      const rejected = assert.rejects(answer.next(), (error) => error === reason);
      caller.abort(reason);
      await rejected;
    });

    it("closes the connection while nobody reads", async () => {
      ollama.reply({ lines: [{ message: { content: "a" }, done: false }], then: "silence" });
      const caller = new AbortController();
      const answer = model().chat(REQUEST, caller.signal)[Symbol.asyncIterator]();
      await answer.next();
      caller.abort(new Error("given up"));
      await ollama.idle();
      await assert.rejects(answer.next(), /given up/);
    });

    it("works while it connects", async () => {
      const { server, url, accepted } = await deafServer();
      const caller = new AbortController();
      const answer = ollamaModel({
        settings: settings(url.replace("http:", "https:")),
        clock,
      }).chat(REQUEST, caller.signal);
      const rejected = assert.rejects(readAll(answer), /given up/);
      const socket = await accepted;
      const closed = new Promise((resolve) => socket.once("close", resolve));
      caller.abort(new Error("given up"));
      await rejected;
      await closed;
      server.close();
    });

    it("ends only the call it is for", async () => {
      const line = { message: { content: "a" }, done: false };
      ollama.reply({ silence: true }, { lines: [line, ...answerLines({ text: ["b"] })] });
      const caller = new AbortController();
      const shared = model();
      const rejected = assert.rejects(readAll(shared.chat(REQUEST, caller.signal)), /given up/);
      await ollama.chatted(1);
      const other = readAll(shared.chat(REQUEST, open));
      caller.abort(new Error("given up"));
      await rejected;
      assert.equal(textIn(await other), "ab");
    });
  });
});

/** Accepts connections and never says a word. */
async function deafServer(): Promise<{ server: Server; url: string; accepted: Promise<Socket> }> {
  const server = createServer();
  const accepted = new Promise<Socket>((resolve) =>
    server.once("connection", (socket) => {
      socket.on("error", () => undefined).resume();
      resolve(socket);
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, accepted };
}
