import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "mocha";
import type { ModelSettings } from "../../../runtime/api/agent-config.ts";
import { ModelError } from "../../../runtime/model/chat-model.ts";
import { embeddingModelFor } from "../../../runtime/model/embedding-factory.ts";
import { OLLAMA_DEFAULTS } from "../../../runtime/model/ollama-request.ts";
import { systemClock } from "../../../runtime/process/clock.ts";
import { FakeClock } from "../../support/fake-clock.ts";

interface Asked {
  readonly path: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: Readonly<Record<string, unknown>>;
}

let server: Server | undefined;

/** A server that answers each request by `answer`; `undefined` is silence. */
async function serve(answer: (asked: Asked) => [number, string] | undefined) {
  const asked: Asked[] = [];
  const arrived = Promise.withResolvers<undefined>();
  const started = createServer((request, response) => {
    let text = "";
    request.on("data", (bytes) => (text += String(bytes)));
    request.on("end", () => {
      const body = JSON.parse(text) as Asked["body"];
      const given = answer({ path: request.url, headers: request.headers, body });
      asked.push({ path: request.url, headers: request.headers, body });
      arrived.resolve(undefined);
      if (given === undefined) return;
      response.writeHead(given[0], { "content-type": "application/json" }).end(given[1]);
    });
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  const host = `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
  return { asked, host, arrived: arrived.promise };
}

function settings(host: string, over: Partial<ModelSettings> = {}): ModelSettings {
  const ref = { namespace: "kagent", name: "embedding" };
  const ollama = { ...OLLAMA_DEFAULTS, host, keepAlive: "15m", numCtx: 2_048 };
  return { ref, provider: "Ollama", model: "nomic-embed-text", ollama, ...over };
}

const embeddings = (...vectors: (readonly number[])[]) => JSON.stringify({ embeddings: vectors });
const vector = (value: number, size = 768) => Array.from({ length: size }, () => value);
const signal = () => new AbortController().signal;

describe("runtime/model/ollama-embedding", () => {
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  it("makes a vector of length 1 for each text, on the host of its own settings", async () => {
    const { asked, host } = await serve(() => [200, embeddings(vector(2), vector(-3))]);
    const model = await embeddingModelFor(settings(host, { headers: { "x-team": "a" } }), {
      clock: systemClock,
      ollamaHost: "http://127.0.0.1:1",
    });
    const vectors = await model.embed(["one", "two"], signal());
    assert.deepEqual(
      vectors.map((each) => Math.hypot(...each).toFixed(9)),
      ["1.000000000", "1.000000000"],
    );
    assert.ok((vectors[0]?.[0] ?? 0) > 0 && (vectors[1]?.[0] ?? 0) < 0);
    const [request] = asked;
    assert.equal(request?.path, "/api/embed");
    assert.equal(request.headers["x-team"], "a");
    assert.deepEqual(request.body, {
      model: "nomic-embed-text",
      input: ["one", "two"],
      truncate: true,
      keep_alive: "15m",
      options: { num_ctx: 2_048 },
    });
    assert.deepEqual(await model.embed([], signal()), []);
    assert.equal(asked.length, 1);
  });

  for (const [what, status, body, message] of [
    [
      "of another size",
      200,
      embeddings(vector(1, 1_024)),
      /vector of 1024 numbers; .*768 dimensions, e\.g\. nomic/,
    ],
    ["without length", 200, embeddings(vector(0)), /vector without length/],
    ["too few", 200, embeddings(), /no embedding for each text/],
    ["none", 200, '{"embedding":[1]}', /no embedding for each text/],
    [
      "of a model that is missing",
      404,
      '{"error":"model not found"}',
      /ollama pull nomic-embed-text/,
    ],
    ["without end", 200, `{"embeddings":[[${"1,".repeat(5_000_000)}1]]}`, /too long/],
  ] as const)
    it(`refuses vectors ${what}`, async () => {
      const { host } = await serve(() => [status, body]);
      const model = await embeddingModelFor(settings(host), { clock: systemClock });
      await assert.rejects(model.embed(["x"], signal()), (error) => {
        assert.ok(error instanceof ModelError);
        assert.match(error.message, message);
        return true;
      });
    });

  it("waits no longer than for the first token of a chat, and ends with its signal", async () => {
    const { host, arrived } = await serve(() => undefined);
    const clock = new FakeClock();
    const model = await embeddingModelFor(settings(host), { clock });
    const late = model.embed(["x"], signal());
    await arrived;
    await Promise.all([assert.rejects(late, /no answer within 120000 ms/), clock.advance(120_000)]);
    const abort = new AbortController();
    const left = model.embed(["x"], abort.signal);
    abort.abort(new Error("enough"));
    await assert.rejects(left, /enough/);
    assert.equal(clock.pending, 0);
  });

  it("names what to use instead of a provider without embeddings", async () => {
    const other = settings("http://x", { provider: "Anthropic" });
    await assert.rejects(embeddingModelFor(other, { clock: systemClock }), /Anthropic.*use Ollama/);
  });
});
