import assert from "node:assert/strict";
import { afterEach, describe, it } from "mocha";
import { ToolFailure } from "../../../runtime/toolservers/define-tool.ts";
import { getJson, type JsonServer } from "../../../runtime/toolservers/json-server.ts";
import { JsonPeer } from "./json-peer.ts";

const TOKEN = "glsa_secretsecretsecretsecret12";
const OPEN = new AbortController().signal;

describe("runtime/toolservers/json-server", () => {
  const peers: JsonPeer[] = [];
  afterEach(async () => {
    await Promise.all(peers.splice(0).map((peer) => peer.close()));
  });

  async function server(
    answer: ConstructorParameters<typeof JsonPeer>[0],
    options: Partial<JsonServer> = {},
  ): Promise<{ readonly at: JsonServer; readonly peer: JsonPeer }> {
    const peer = new JsonPeer(answer);
    peers.push(peer);
    return { at: { name: "Peer", url: await peer.listen(), ...options }, peer };
  }

  const failure = (pattern: RegExp) => (error: unknown) =>
    error instanceof ToolFailure && pattern.test(error.message) && !error.message.includes(TOKEN);

  it("keeps the path of the base address and sends the token", async () => {
    const { at, peer } = await server(() => ({ ok: true }), { token: TOKEN });
    const answer = await getJson(
      { ...at, url: `${at.url}/base/` },
      { path: "/api/x", query: { q: "a b&c", none: undefined } },
      OPEN,
    );
    assert.deepEqual(answer, { ok: true });
    assert.equal(peer.requests[0]?.pathname, "/base/api/x");
    assert.equal(peer.requests[0].searchParams.get("q"), "a b&c");
    assert.equal(peer.requests[0].searchParams.has("none"), false);
    assert.deepEqual(peer.authorizations, [`Bearer ${TOKEN}`]);
  });

  it("sends user and password of the address as basic authentication", async () => {
    const { at, peer } = await server(() => ({}));
    const url = at.url.replace("http://", "http://me:pa%3Ass@");
    await getJson({ ...at, url }, { path: "/" }, OPEN);
    assert.deepEqual(peer.authorizations, [`Basic ${Buffer.from("me:pa:ss").toString("base64")}`]);
  });

  it("follows no redirect", async () => {
    const { at: elsewhere, peer } = await server(() => ({}));
    const { at } = await server(
      (_url, response) => {
        response.writeHead(302, { location: elsewhere.url });
        response.end();
      },
      { token: TOKEN },
    );
    await assert.rejects(getJson(at, { path: "/" }, OPEN), failure(/redirects elsewhere/));
    assert.equal(peer.requests.length, 0);
  });

  it("repeats what the server says is wrong, without the token", async () => {
    const { at } = await server(
      (_url, response) => {
        response.statusCode = 400;
        return { status: "error", error: `parse error near ${TOKEN}` };
      },
      { token: TOKEN },
    );
    await assert.rejects(
      getJson(at, { path: "/" }, OPEN),
      failure(/^Peer answered 400: parse error near <redacted>$/),
    );
  });

  for (const [status, words] of [
    [401, /renew/],
    [403, /does not allow/],
    [500, /answered 500/],
  ] as const)
    it(`tells status ${status} in words`, async () => {
      const { at } = await server((_url, response) => {
        response.statusCode = status;
        response.end("<html>oops</html>");
      });
      await assert.rejects(
        getJson(at, { path: "/" }, OPEN),
        (error) => failure(words)(error) && !(error as Error).message.includes("html"),
      );
    });

  it("gives up on an answer of more than 2 MiB", async () => {
    const { at } = await server((_url, response) => {
      response.end(`"${"x".repeat(2 * 1024 * 1024)}"`);
    });
    await assert.rejects(getJson(at, { path: "/" }, OPEN), failure(/more than 2 MiB/));
  });

  it("says so when the answer is no JSON", async () => {
    const { at } = await server((_url, response) => {
      response.end("hello");
    });
    await assert.rejects(getJson(at, { path: "/" }, OPEN), failure(/JSON/));
  });

  it("says which server cannot be reached", async () => {
    const { at, peer } = await server(() => ({}));
    await peer.close();
    peers.splice(0);
    await assert.rejects(
      getJson(at, { path: "/" }, OPEN),
      failure(/^Peer cannot be reached \(ECONNREFUSED\)$/),
    );
  });

  it("ends a silent server's request at the time limit", async () => {
    const { at } = await server(() => undefined, { timeoutMs: 20 });
    await assert.rejects(getJson(at, { path: "/" }, OPEN), failure(/did not answer within/));
  });

  it("passes on the caller's reason", async () => {
    const caller = new AbortController();
    const reason = new Error("cancelled by the test");
    const { at } = await server(() => {
      caller.abort(reason);
    });
    await assert.rejects(getJson(at, { path: "/" }, caller.signal), reason);
  });
});
