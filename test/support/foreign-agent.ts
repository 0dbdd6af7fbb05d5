import { AgentCard } from "@a2a-js/sdk";
import { LegacyJsonRpcTransportHandler } from "@a2a-js/sdk/compat/v0_3/server";
import {
  type AgentExecutor,
  DefaultRequestHandler,
  InMemoryTaskStore,
  JsonRpcTransportHandler,
  ServerCallContext,
} from "@a2a-js/sdk/server";
import { Hono } from "hono";

/**
 * An agent of somebody else: the SDK's own server, in one version only, as a pod of kagent 0.9 is.
 *
 * @param onRequest - Told of every request: its headers and JSON-RPC method.
 */
export function foreignAgent(
  version: "0.3" | "1.0",
  executor: AgentExecutor,
  onRequest: (headers: Headers, method: string) => void = () => {},
): Hono {
  // what a card says of addresses is nobody's business: a pod names itself as its cluster knows it
  const url = "http://foreign.kagent:8080/";
  const capabilities = { streaming: true };
  const at = { url, protocolBinding: "JSONRPC", protocolVersion: version };
  const card = AgentCard.fromJSON({ name: "foreign", capabilities, supportedInterfaces: [at] });
  const handler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor);
  const transport =
    version === "1.0"
      ? new JsonRpcTransportHandler(handler)
      : new LegacyJsonRpcTransportHandler(handler);
  const legacy = { name: "foreign", url, protocolVersion: "0.3.0", preferredTransport: "JSONRPC" };
  const legacyCard = {
    ...legacy,
    description: "",
    version: "1",
    capabilities,
    defaultInputModes: ["text"],
    defaultOutputModes: ["text"],
    skills: [],
  };
  const app = new Hono();
  app.get("/.well-known/agent-card.json", (context) =>
    context.json(version === "1.0" ? (AgentCard.toJSON(card) as object) : legacyCard),
  );
  app.post("/", async (context) => {
    const body = await context.req.json<{ method: string }>();
    onRequest(context.req.raw.headers, body.method);
    const answer = await transport.handle(
      body,
      new ServerCallContext({ requestedVersion: version }),
    );
    if (!(Symbol.asyncIterator in answer)) return context.json(answer as object);
    const encoder = new TextEncoder();
    const events = answer as AsyncGenerator<unknown, void, undefined>;
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const step = await events.next();
        if (step.done === true) controller.close();
        else controller.enqueue(encoder.encode(`data: ${JSON.stringify(step.value)}\n\n`));
      },
      async cancel() {
        await events.return();
      },
    });
    return new Response(stream, { headers: { "content-type": "text/event-stream" } });
  });
  return app;
}
