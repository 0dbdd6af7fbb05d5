import assert from "node:assert/strict";
import { Hono } from "hono";
import { describe, it } from "mocha";
import { httpService, ListenError } from "../../../runtime/process/http.ts";

const address = { name: "test", host: "127.0.0.1", port: 0 };

describe("runtime/process/httpService", () => {
  it("names the part, the address and the code when a port is taken", async () => {
    const first = httpService(address, new Hono());
    await first.start(AbortSignal.timeout(5_000));
    const second = httpService({ ...address, name: "gateway", port: first.port() }, new Hono());
    await assert.rejects(second.start(AbortSignal.timeout(5_000)), (error) => {
      assert.ok(error instanceof ListenError);
      assert.equal(error.code, "EADDRINUSE");
      assert.match(error.message, /127\.0\.0\.1:\d+ for gateway/);
      return true;
    });
    await second.stop();
    await first.stop();
  });

  it("lets an answer under way finish before it stops", async () => {
    const answer = Promise.withResolvers<Response>();
    const asked = Promise.withResolvers<undefined>();
    const app = new Hono().get("/", () => {
      asked.resolve(undefined);
      return answer.promise;
    });
    const service = httpService(address, app);
    await service.start(AbortSignal.timeout(5_000));
    const response = fetch(`http://127.0.0.1:${service.port()}/`);
    await asked.promise;
    const stopped = service.stop();
    answer.resolve(new Response("late"));
    assert.equal(await (await response).text(), "late");
    await stopped;
  });

  it("closes a stream that never ends once the drain time is over", async () => {
    const app = new Hono().get(
      "/",
      () =>
        new Response(
          new ReadableStream({
            start: (c) => {
              c.enqueue(new Uint8Array([1]));
            },
          }),
        ),
    );
    const service = httpService(address, app, 5);
    await service.start(AbortSignal.timeout(5_000));
    const response = await fetch(`http://127.0.0.1:${service.port()}/`);
    await service.stop();
    await assert.rejects(response.text());
  });
});
