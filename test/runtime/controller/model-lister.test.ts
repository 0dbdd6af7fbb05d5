import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "mocha";
import { httpModelLister, ModelListError } from "../../../runtime/controller/model-lister.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function served<T>(answer: Answer, work: (url: string) => Promise<T>): Promise<T> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
}

const json =
  (body: unknown, status = 200): Answer =>
  (_request, response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };

const never = new AbortController().signal;

describe("runtime/controller/httpModelLister", () => {
  const tables: readonly (readonly [string, string, string, string, unknown])[] = [
    ["Ollama", "", "/api/tags", "authorization: Bearer k", { models: [{ name: "a" }] }],
    ["OpenAI", "", "/v1/models", "authorization: Bearer k", { data: [{ id: "a" }] }],
    ["OpenAI", "/v1/", "/v1/models", "authorization: Bearer k", { data: [{ id: "a" }] }],
    ["OpenAI", "/proxy/v1", "/proxy/v1/models", "authorization: Bearer k", { data: [{ id: "a" }] }],
    ["Anthropic", "", "/v1/models?limit=1000", "x-api-key: k", { data: [{ id: "a" }] }],
    [
      "Gemini",
      "",
      "/v1beta/models?pageSize=1000",
      "x-goog-api-key: k",
      { models: [{ name: "models/a" }] },
    ],
  ];
  for (const [type, base, path, header, body] of tables)
    it(`asks ${type} at ${base === "" ? "its address" : base}`, async () => {
      let asked = "";
      let sent = "";
      const answer: Answer = (request, response) => {
        asked = request.url ?? "";
        const [name = ""] = header.split(":");
        sent = `${name}: ${String(request.headers[name])}`;
        json(body)(request, response);
      };
      const names = await served(answer, (url) =>
        httpModelLister().list({ type, endpoint: `${url}${base}`, apiKey: "k" }, never),
      );
      assert.deepEqual([names, asked, sent], [["a"], path, header]);
    });

  it("sorts names and tells each once", async () => {
    const body = { data: [{ id: "b" }, { id: "a" }, { id: "b" }] };
    const names = await served(json(body), (endpoint) =>
      httpModelLister().list({ type: "OpenAI", endpoint }, never),
    );
    assert.deepEqual(names, ["a", "b"]);
  });

  const failures: readonly (readonly [string, Answer, RegExp, boolean])[] = [
    ["a refused key", json({ error: "key sk-1 is wrong" }, 401), /the key was refused/, false],
    ["a server in trouble", json({}, 503), /status 503/, true],
    ["a wrong address", json({}, 404), /status 404; check the endpoint/, false],
    ["another body", json({ models: 7 }), /no list of models/, false],
    [
      "a redirect",
      (_request, response) => {
        response.writeHead(302, { location: "http://elsewhere/" }).end();
      },
      /redirects/,
      false,
    ],
    ["silence", () => undefined, /no answer within 0.05 s/, true],
  ];
  for (const [what, answer, words, retryable] of failures)
    it(`tells ${what} without what the server said`, async () => {
      await served(answer, (endpoint) =>
        assert.rejects(
          httpModelLister({ timeoutMs: 50 }).list(
            { type: "OpenAI", endpoint, apiKey: "sk-1" },
            never,
          ),
          (error: unknown) => {
            assert.ok(error instanceof ModelListError);
            assert.match(error.message, words);
            assert.doesNotMatch(error.message, /sk-1/);
            assert.equal(error.retryable, retryable);
            return true;
          },
        ),
      );
    });

  it("has no list of providers that need more than a key", async () => {
    await assert.rejects(httpModelLister().list({ type: "Bedrock" }, never), {
      name: "ModelListError",
      retryable: false,
    });
  });

  it("ends with the reason of an abort", async () => {
    const stop = new AbortController();
    const answer: Answer = () => {
      stop.abort(new Error("enough"));
    };
    await served(answer, (endpoint) =>
      assert.rejects(httpModelLister().list({ type: "Ollama", endpoint }, stop.signal), /enough/),
    );
  });
});
