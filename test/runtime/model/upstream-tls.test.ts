import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { ModelSettings, TlsSettings } from "../../../runtime/api/agent-config.ts";
import { ModelError } from "../../../runtime/model/chat-model.ts";
import { chatModelFor } from "../../../runtime/model/model-factory.ts";
import { systemClock } from "../../../runtime/process/clock.ts";
import { answerLines, ScriptedOllama } from "../../support/scripted-ollama.ts";
import { chatEvents, ScriptedOpenAi } from "../../support/scripted-openai.ts";
import { TlsFront } from "../../support/tls-front.ts";
import { readAll, textIn } from "./chat-model-contract.ts";

const open = new AbortController().signal;
const ref = { namespace: "kagent", name: "m" };
const PLAIN = { messages: [{ role: "user" as const, text: "hi" }], tools: [] };

interface Upstream {
  readonly url: string;
  readonly settings: (url: string) => ModelSettings;
  answer(): void;
  headers(): Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

const UPSTREAMS: Readonly<Record<string, () => Promise<Upstream>>> = {
  Ollama: async () => {
    const server = await ScriptedOllama.start();
    return {
      url: server.url,
      settings: (host) => ({
        ref,
        provider: "Ollama",
        model: "m",
        ollama: {
          host,
          options: {},
          truncate: false,
          timeouts: { connectMs: 5_000, firstTokenMs: 5_000, idleMs: 5_000 },
        },
      }),
      answer: () => {
        server.reply({ lines: answerLines({ text: ["hello"] }) });
      },
      headers: () => ({}),
      close: () => server.close(),
    };
  },
  OpenAI: async () => {
    const server = await ScriptedOpenAi.start();
    return {
      url: server.url,
      settings: (baseUrl) => ({
        ref,
        provider: "OpenAI",
        model: "m",
        openAI: { baseUrl: `${baseUrl}/v1`, apiFormat: "chatCompletions" },
      }),
      answer: () => {
        server.reply({ events: chatEvents({ text: ["hello"] }) });
      },
      headers: () => server.requests.at(-1)?.headers ?? {},
      close: () => server.close(),
    };
  },
};

for (const [provider, start] of Object.entries(UPSTREAMS))
  describe(`TLS settings of a ModelConfig (${provider})`, () => {
    let upstream: Upstream;
    let front: TlsFront;
    beforeEach(async () => {
      upstream = await start();
      front = await TlsFront.start(upstream.url);
    });
    afterEach(async () => {
      await front.close();
      await upstream.close();
    });

    async function ask(tls: TlsSettings | undefined): Promise<string> {
      upstream.answer();
      const settings = { ...upstream.settings(front.url), ...(tls === undefined ? {} : { tls }) };
      const model = await chatModelFor(settings, { clock: systemClock });
      return textIn(await readAll(model.chat(PLAIN, open)));
    }

    it("trust the authority of their Secret, beside the system's or alone", async () => {
      for (const systemCas of [true, false])
        assert.equal(await ask({ verify: true, caPem: front.caPem, systemCas }), "hello");
    });

    it("trust nobody else", async () => {
      for (const tls of [undefined, { verify: true, systemCas: true }])
        await assert.rejects(ask(tls), (error) => {
          assert.ok(error instanceof ModelError);
          assert.match(error.message, /UNABLE_TO_VERIFY|SELF_SIGNED/);
          return true;
        });
    });

    it("trust anybody where verification is off", async () => {
      assert.equal(await ask({ verify: false, systemCas: true }), "hello");
    });
  });
