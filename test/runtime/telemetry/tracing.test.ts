import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { after, before, beforeEach, describe, it } from "mocha";
import { startTracing } from "../../../runtime/telemetry/otel.ts";
import {
  inSpan,
  streamInSpan,
  traceFields,
  traceHeaders,
} from "../../../runtime/telemetry/tracing.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;

function disable(): void {
  trace.disable();
  propagation.disable();
  context.disable();
}

describe("runtime/telemetry/tracing", () => {
  describe("while it is off", () => {
    it("runs the work and carries nothing", async () => {
      assert.equal(await inSpan("x", {}, () => Promise.resolve(7)), 7);
      assert.deepEqual(traceHeaders(), {});
      assert.deepEqual(traceFields(), {});
    });
  });

  describe("while it is on", () => {
    const exporter = new InMemorySpanExporter();
    before(() => {
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
      propagation.setGlobalPropagator(new W3CTraceContextPropagator());
      const spanProcessors = [new SimpleSpanProcessor({ exporter })];
      trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors }));
    });
    after(disable);
    beforeEach(() => {
      exporter.reset();
    });

    it("goes on with the trace of the request and hands it over", async () => {
      const headers = await inSpan("outer", { headers: { traceparent: PARENT } }, async () => {
        await Promise.resolve();
        assert.equal(traceFields()["trace_id"], TRACE);
        return inSpan("inner", { kind: "client" }, () => Promise.resolve(traceHeaders()));
      });
      assert.match(headers["traceparent"] ?? "", new RegExp(`^00-${TRACE}-`));
      const [inner, outer] = exporter.getFinishedSpans();
      assert.equal(inner?.parentSpanContext?.spanId, outer?.spanContext().spanId);
      assert.equal(outer?.parentSpanContext?.spanId, "b7ad6b7169203331");
    });

    it("marks a failure by its name and does not repeat its words", async () => {
      const work = inSpan("x", {}, () => Promise.reject(new TypeError("the password is hunter2")));
      await assert.rejects(work, TypeError);
      const [span] = exporter.getFinishedSpans();
      assert.equal(span?.attributes["error.type"], "TypeError");
      assert.ok(!JSON.stringify([span.status, span.events]).includes("hunter2"));
    });

    it("ends the span of a stream with the stream, also when its reader leaves", async () => {
      async function* numbers() {
        for (let n = 0; ; n++) {
          await Promise.resolve();
          assert.notDeepEqual(traceHeaders(), {});
          yield n;
        }
      }
      for await (const n of streamInSpan("numbers", {}, numbers)) if (n === 3) break;
      assert.deepEqual(
        exporter.getFinishedSpans().map(({ name }) => name),
        ["numbers"],
      );
    });
  });
});

describe("runtime/telemetry/otel", () => {
  let collector: Server;
  let posts: { url: string; bytes: number }[];
  before(async () => {
    posts = [];
    collector = createServer((request, response) => {
      let bytes = 0;
      request.on("data", (chunk: Buffer) => (bytes += chunk.length));
      request.on("end", () => {
        posts.push({ url: request.url ?? "", bytes });
        response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
      });
    });
    await new Promise<void>((resolve) => {
      collector.listen(0, "127.0.0.1", resolve);
    });
  });
  after(async () => {
    collector.closeAllConnections();
    await new Promise((resolve) => collector.close(resolve));
    disable();
  });

  it("stays off unless the environment asks for it", async () => {
    assert.equal(await startTracing("kagent-worker", {}), undefined);
    assert.equal(await startTracing("kagent-worker", { OTEL_TRACING_ENABLED: "false" }), undefined);
  });

  it("names a variable that is wrong", async () => {
    await assert.rejects(
      startTracing("w", { OTEL_EXPORTER_OTLP_PROTOCOL: "carrier-pigeon" }),
      /OTEL_EXPORTER_OTLP_PROTOCOL/,
    );
  });

  it("sends spans to the collector over http/protobuf", async () => {
    const { port } = collector.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}`;
    const before = process.env["OTEL_EXPORTER_OTLP_ENDPOINT"];
    process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint; // the SDK reads the process's own
    try {
      const tracing = await startTracing("kagent-worker", {
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      });
      assert.ok(tracing);
      await inSpan("work", {}, () => Promise.resolve());
      await tracing.stop();
    } finally {
      if (before === undefined) delete process.env["OTEL_EXPORTER_OTLP_ENDPOINT"];
      else process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = before;
    }
    assert.equal(posts[0]?.url, "/v1/traces");
    assert.ok(posts[0].bytes > 50);
  });
});
