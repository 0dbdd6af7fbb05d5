import assert from "node:assert/strict";
import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, describe, it } from "mocha";
import { a2aRoutes } from "../../../runtime/gateway/a2a-routes.ts";
import { type HttpService, httpService } from "../../../runtime/process/http.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { LogLines, macrotask, never } from "../mcp/pool-fixture.ts";

const AGENT = "/agents/kagent/cluster-agent";

/** Stands for the controller. */
class Controller {
  readonly seen: {
    readonly method: string;
    readonly url: string;
    readonly headers: IncomingMessage["headers"];
  }[] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
    void response.end("ok");
  readonly #server: Server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    this.seen.push({ method, url, headers });
    this.answer(request, response);
  });

  async start(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

describe("runtime/gateway/a2aRoutes", () => {
  let clock: FakeClock;
  let log: LogLines;
  let controller: Controller;
  let gateway: HttpService;
  const at = (path: string) => `http://127.0.0.1:${gateway.port()}${path}`;
  const post = (body: string | Uint8Array<ArrayBuffer>, headers = {}) =>
    fetch(at(`${AGENT}/`), { method: "POST", body, headers, signal: AbortSignal.timeout(4_000) });

  async function openGateway(controllerUrl: string): Promise<void> {
    const app = a2aRoutes({ controllerUrl, log: log.log, clock });
    gateway = httpService({ name: "gateway", host: "127.0.0.1", port: 0 }, app, 0);
    await gateway.start(never);
  }

  beforeEach(async () => {
    clock = new FakeClock();
    log = new LogLines();
    controller = new Controller();
    await controller.start();
    await openGateway(controller.url);
  });
  afterEach(async () => {
    await gateway.stop();
    await controller.stop();
    assert.equal(clock.pending, 0, "timers are left");
  });

  it("passes method, path, query, headers and body on, and the answer back", async () => {
    controller.answer = (request, response) => {
      response.writeHead(201, { "x-answer": "yes", "set-cookie": ["a=1", "b=2"] });
      request.pipe(response);
    };
    const response = await fetch(at(`${AGENT}/v1/message:send?a=1&b=%2F`), {
      method: "POST",
      headers: { "a2a-version": "1.0", "x-user-id": "ann", authorization: "Bearer t" },
      body: '{"jsonrpc":"2.0"}',
    });
    assert.equal(response.status, 201);
    assert.equal(await response.text(), '{"jsonrpc":"2.0"}');
    assert.equal(response.headers.get("x-answer"), "yes");
    assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
    const { method, url, headers } = controller.seen[0]!;
    assert.equal(method, "POST");
    assert.equal(url, "/api/a2a/kagent/cluster-agent/v1/message:send?a=1&b=%2F");
    assert.equal(headers["a2a-version"], "1.0");
    assert.equal(headers["x-user-id"], "ann");
    assert.equal(headers.authorization, "Bearer t");
  });

  it("says where a request came from, and drops what concerns one hop only", async () => {
    const request = httpRequest(at(`${AGENT}/`), {
      method: "POST",
      headers: {
        connection: "close, x-private",
        "x-private": "1",
        te: "trailers",
        "keep-alive": "5",
        "proxy-authorization": "Basic x",
        "x-forwarded-for": "10.0.0.9",
        "x-forwarded-host": "forged",
      },
    });
    request.end("{}");
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.resume();
    const { headers } = controller.seen[0]!;
    assert.equal(headers["x-forwarded-for"], "10.0.0.9, 127.0.0.1");
    assert.equal(headers["x-forwarded-host"], `127.0.0.1:${gateway.port()}`);
    assert.equal(headers["x-forwarded-proto"], "http");
    assert.equal(headers.host, new URL(controller.url).host);
    for (const name of ["x-private", "te", "proxy-authorization"]) {
      assert.equal(headers[name], undefined, name);
    }
  });

  it("passes a card on word for word, with its own slash for the bare path", async () => {
    const card = '{"url":"http://127.0.0.1:9091/agents/kagent/cluster-agent/"}';
    controller.answer = (_, response) => void response.end(card);
    const response = await fetch(at(`${AGENT}/.well-known/agent-card.json`));
    assert.equal(await response.text(), card);
    await (await fetch(at(AGENT))).text();
    assert.deepEqual(
      controller.seen.map(({ url }) => url),
      [
        "/api/a2a/kagent/cluster-agent/.well-known/agent-card.json",
        "/api/a2a/kagent/cluster-agent/",
      ],
    );
  });

  it("passes every event of a stream on at once", async () => {
    const stream = Promise.withResolvers<ServerResponse>();
    controller.answer = (request, response) => {
      request.resume();
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      stream.resolve(response);
    };
    const response = await post("{}");
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (const event of ["data: 1\n\n", ": comment\n\n", "data: 2\n\n"]) {
      (await stream.promise).write(event);
      assert.equal((await reader.read()).value, event);
    }
    (await stream.promise).end();
    assert.equal((await reader.read()).done, true);
  });

  it("drops its request when the client leaves, before and during the answer", async () => {
    for (const answers of ["nothing", "a stream"]) {
      const closed = Promise.withResolvers<undefined>();
      const asked = Promise.withResolvers<undefined>();
      controller.answer = (request, response) => {
        request.resume();
        if (answers === "a stream") response.writeHead(200).write("data: 1\n\n");
        response.once("close", () => {
          closed.resolve(undefined);
        });
        asked.resolve(undefined);
      };
      const leave = new AbortController();
      const response = fetch(at(`${AGENT}/`), { method: "POST", body: "{}", signal: leave.signal });
      await asked.promise;
      if (answers === "a stream") await response;
      leave.abort();
      if (answers === "nothing") await assert.rejects(response);
      await closed.promise;
    }
    assert.deepEqual(log.lines, []);
  });

  it("breaks its answer off when the controller does", async () => {
    controller.answer = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n", () => response.destroy());
    };
    await assert.rejects((await post("{}")).text());
  });

  it("reads no faster than its client does", async () => {
    let sent = 0;
    const full = Promise.withResolvers<undefined>();
    controller.answer = (request, response) => {
      request.resume();
      const chunk = Buffer.alloc(65_536);
      const more = () => {
        full.resolve(undefined);
        for (let goesOn = true; goesOn && sent < 100_000_000; sent += chunk.length) {
          goesOn = response.write(chunk);
        }
      };
      response.on("drain", more);
      more();
    };
    const socket = connect(gateway.port(), "127.0.0.1");
    socket.pause();
    socket.write(`POST ${AGENT}/ HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\n\r\n`);
    await full.promise;
    for (let last = -1; last !== sent; ) {
      last = sent;
      for (let i = 0; i < 200; i += 1) await macrotask();
    }
    assert.ok(
      sent > 0 && sent < 50_000_000,
      `${sent} bytes were read for a client that reads nothing`,
    );
    socket.destroy();
  });

  it("refuses a body that says it is too large", async () => {
    const response = await post("x".repeat(1024 * 1024 + 1));
    assert.equal(response.status, 413);
    assert.deepEqual(await response.json(), {
      jsonrpc: "2.0",
      error: { code: -32600, message: "the request body is larger than 1048576 bytes" },
      id: null,
    });
    assert.equal(controller.seen.length, 0);
  });

  it("takes a body of exactly the limit", async () => {
    let size = 0;
    controller.answer = (request, response) => {
      request.on("data", (chunk: Buffer) => (size += chunk.length));
      request.on("end", () => response.end());
    };
    assert.equal((await post("x".repeat(1024 * 1024))).status, 200);
    assert.equal(size, 1024 * 1024);
  });

  it("refuses a body that turns out to be too large, and drops what it passed on", async () => {
    const dropped = Promise.withResolvers<undefined>();
    controller.answer = (request) => {
      request.on("error", () => {
        dropped.resolve(undefined);
      });
      request.resume();
    };
    const request = httpRequest(at(`${AGENT}/`), { method: "POST" });
    request.on("error", () => undefined); // the gateway may close while we still write
    const answered = once(request, "response");
    for (let i = 0; i < 32; i += 1) request.write("x".repeat(65_536));
    const [response] = (await answered) as [IncomingMessage];
    assert.equal(response.statusCode, 413);
    await dropped.promise;
    request.destroy();
  });

  const bad = [
    "/agents",
    "/agents/",
    "/agents/kagent",
    "/agents/kagent/",
    "/agents/Kagent/x/",
    "/agents/kagent/x_y/",
    "/agents/kagent/-x/",
    `/agents/${"n".repeat(64)}/x/`,
    `/agents/kagent/${"n".repeat(254)}/`,
    "/agents/kagent/x//y",
    "/agents/kagent/x/..%2f..%2fapi",
    "/agents/kagent/x/%2e%2e%2fapi",
    "/agents/kagent/x/a%5cb",
    "/agents/kagent/x/a%00b",
    "/agents/kagent%2fx/y/",
    "/api/a2a/kagent/x/",
    "/",
  ];
  for (const path of bad) {
    it(`knows no agent at ${path.slice(0, 60)}`, async () => {
      const response = await fetch(at(path), { method: "POST", body: "{}" });
      assert.equal(response.status, 404);
      assert.equal(((await response.json()) as { jsonrpc: string }).jsonrpc, "2.0");
      assert.equal(controller.seen.length, 0);
    });
  }

  it("never leaves the controller's agents, whatever the path", async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "..",
        ".",
        "%2e%2e",
        "%2f",
        "%5c",
        "/",
        "//",
        "\\",
        ";",
        "api",
        "kagent",
        "x",
        "?",
        "#",
      ),
      fc.stringMatching(/^[!-~]{1,6}$/),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
        const socket = connect(gateway.port(), "127.0.0.1");
        socket.write(
          `GET /agents/kagent/x/${pieces.join("/")} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`,
        );
        socket.resume();
        await once(socket, "close");
        for (const { url } of controller.seen.splice(0)) {
          const { pathname } = new URL(url, "http://controller");
          assert.match(pathname, /^\/api\/a2a\/[a-z0-9][-a-z0-9]*\/[a-z0-9][-a-z0-9.]*\//);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("answers 502 when the controller is not there, and says so in the log", async () => {
    await gateway.stop();
    const gone = new Controller();
    await gone.start();
    const { url } = gone;
    await gone.stop();
    await openGateway(url);
    const response = await post("{}");
    assert.equal(response.status, 502);
    assert.deepEqual(await response.json(), {
      jsonrpc: "2.0",
      error: { code: -32603, message: "the controller does not answer" },
      id: null,
    });
    assert.match(String(log.lines[0]?.fields["error"]), /ECONNREFUSED/);
  });

  it("answers 504 when a connection takes too long", async () => {
    await gateway.stop();
    const silent = createTcpServer();
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const connected = once(silent, "connection");
    // It never answers the handshake of TLS.
    await openGateway(`https://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    const response = post("{}");
    await connected;
    await clock.advance(5_000);
    assert.equal((await response).status, 504);
    silent.close();
  });

  it("waits for an answer as long as it takes", async () => {
    const asked = Promise.withResolvers<ServerResponse>();
    controller.answer = (_, response) => {
      asked.resolve(response);
    };
    const response = post("{}");
    const held = await asked.promise;
    await clock.advance(3_600_000);
    held.end("late");
    assert.equal(await (await response).text(), "late");
  });

  it("uses one connection for requests that follow one another", async () => {
    const sockets = new Set<Socket>();
    controller.answer = (request, response) => {
      sockets.add(request.socket);
      request.resume().once("end", () => response.end("ok"));
    };
    for (let i = 0; i < 5; i += 1) await (await post("{}")).text();
    assert.equal(sockets.size, 1);
  });

  it("uses no connection that has been idle for long, and may be closing", async () => {
    const sockets = new Set<Socket>();
    controller.answer = (request, response) => {
      sockets.add(request.socket);
      request.resume().once("end", () => response.end("ok"));
    };
    for (let i = 0; i < 2; i += 1) {
      await (await post("{}")).text();
      await clock.advance(3_000);
    }
    assert.equal(sockets.size, 2);
  });

  it("carries fifty streams at once", async () => {
    controller.answer = (request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      request.on("data", (chunk: Buffer) => response.write(`data: ${chunk.toString()}\n\n`));
      request.on("end", () => response.end());
    };
    const all = Array.from({ length: 50 }, async (_, i) => (await post(String(i))).text());
    assert.deepEqual(
      await Promise.all(all),
      all.map((_, i) => `data: ${i}\n\n`),
    );
  });
});
