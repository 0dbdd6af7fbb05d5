import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, describe, it } from "mocha";
import { makeHttpRequest } from "../../../../runtime/toolservers/code/http-tool.ts";
import { isPublicAddress } from "../../../../runtime/toolservers/code/public-address.ts";
import { callTool, failureOf, textOf } from "../call-tool.ts";

const TOOL = "make_http_request";

describe("runtime/toolservers/code/make_http_request", () => {
  let server: Server;
  let seen: IncomingMessage[];
  let port: number;
  /** Answers by path. */
  const answers: Record<string, (respond: import("node:http").ServerResponse) => void> = {
    "/plain": (response) => response.end("hello"),
    "/big": (response) => response.end("x".repeat(100_000)),
    "/to-plain": (response) => response.writeHead(302, { location: "/plain" }).end(),
    "/to-metadata": (response) =>
      response.writeHead(302, { location: "http://169.254.169.254/latest/" }).end(),
    "/loop": (response) => response.writeHead(302, { location: "/loop" }).end(),
    "/silent": () => undefined,
  };

  beforeEach(async () => {
    seen = [];
    server = createServer((request, response) => {
      seen.push(request);
      answers[request.url ?? ""]?.(response);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    port = (server.address() as AddressInfo).port;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const tools = (over: Partial<Parameters<typeof makeHttpRequest>[0]> = {}) => [
    makeHttpRequest({
      allowedHosts: ["docs.test", "*.example.test"],
      privateHosts: ["docs.test"],
      lookup: () => Promise.resolve(["127.0.0.1"]),
      ...over,
    }),
  ];
  const url = (path: string, host = "docs.test") => `http://${host}:${port}${path}`;

  it("shows status, type and body", async () => {
    assert.equal(
      await textOf(tools(), TOOL, { url: url("/plain") }),
      "HTTP 200 (unknown type)\nhello",
    );
    assert.equal(seen[0]?.headers.host, `docs.test:${port}`);
  });

  it("shows 4 KB and says that there is more", async () => {
    const text = await textOf(tools(), TOOL, { url: url("/big") });
    assert.ok(text.length < 4_300);
    assert.match(text, /cut after 4 KB/);
  });

  it("follows redirects, each checked anew", async () => {
    assert.match(await textOf(tools(), TOOL, { url: url("/to-plain") }), /hello/);
    assert.match(
      await failureOf(tools(), TOOL, { url: url("/to-metadata") }),
      /169\.254.*allow-list/,
    );
    assert.match(await failureOf(tools(), TOOL, { url: url("/loop") }), /more than 3 redirects/);
  });

  it("asks no host that is not on the list, and says which are", async () => {
    for (const host of ["evil.test", "docs.test.evil.test", "example.test", "127.0.0.1"])
      assert.match(
        await failureOf(tools(), TOOL, { url: url("/plain", host) }),
        /not on the allow-list \(docs\.test, \*\.example\.test\)/,
      );
    assert.deepEqual(seen, []);
  });

  it("asks no allowed name that leads into a private network", async () => {
    const text = await failureOf(tools(), TOOL, { url: url("/plain", "a.example.test") });
    assert.match(text, /private network/);
    const mixed = tools({ lookup: () => Promise.resolve(["93.184.215.14", "10.0.0.1"]) });
    assert.match(
      await failureOf(mixed, TOOL, { url: url("/plain", "a.example.test") }),
      /private network/,
    );
    assert.deepEqual(seen, []);
  });

  it("refuses credentials in the URL, other protocols, and the connection's own headers", async () => {
    assert.match(await failureOf(tools(), TOOL, { url: "http://u:p@docs.test/" }), /credentials/);
    assert.match(await failureOf(tools(), TOOL, { url: "file:///etc/passwd" }), /http/);
    await textOf(tools(), TOOL, { url: url("/plain"), headers: { Host: "x", "x-a": "1" } });
    assert.equal(seen[0]?.headers.host, `docs.test:${port}`);
    assert.equal(seen[0].headers["x-a"], "1");
  });

  it("ends with its caller", async () => {
    const caller = new AbortController();
    const call = callTool(tools(), TOOL, { url: url("/silent") }, { signal: caller.signal });
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    caller.abort(new Error("cancelled"));
    await assert.rejects(call, /cancelled/);
  });

  it("says why a request failed", async () => {
    await new Promise((resolve) => server.close(resolve));
    assert.match(await failureOf(tools(), TOOL, { url: url("/plain") }), /ECONNREFUSED/);
  });
});

describe("runtime/toolservers/code/isPublicAddress", () => {
  const PRIVATE = [
    ...["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"],
    ...["100.64.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fd00::1"],
    ...["::ffff:10.0.0.1", "::ffff:7f00:1", "64:ff9b::a00:1", "2002:a00:1::"],
  ];
  for (const address of PRIVATE)
    it(`says no to ${address}`, () => {
      assert.equal(isPublicAddress(address), false);
    });

  for (const address of ["93.184.215.14", "8.8.8.8", "2606:4700:4700::1111"])
    it(`says yes to ${address}`, () => {
      assert.equal(isPublicAddress(address), true);
    });

  it("answers for every address", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        assert.equal(typeof isPublicAddress(address), "boolean");
      }),
    );
  });
});
