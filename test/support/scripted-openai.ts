import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A request as it came over the wire. */
export interface CapturedRequest {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Readonly<Record<string, unknown>>;
}

/** What the server does with one request. */
export type OpenAiReply =
  /** Server-sent events, in order; then the end of the stream, a reset, or silence. */
  | { readonly events: readonly unknown[]; readonly then?: "end" | "reset" | "silence" }
  | { readonly status: number; readonly body: string }
  /** Never sends headers. */
  | { readonly silence: true };

/** A server that speaks OpenAI's protocol from a script; nothing in it is a model. */
export class ScriptedOpenAi {
  readonly requests: CapturedRequest[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #replies: OpenAiReply[] = [];
  readonly #onRequest: ((request: CapturedRequest, index: number) => OpenAiReply) | undefined;

  private constructor(onRequest?: (request: CapturedRequest, index: number) => OpenAiReply) {
    this.#onRequest = onRequest;
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(
    onRequest?: (request: CapturedRequest, index: number) => OpenAiReply,
  ): Promise<ScriptedOpenAi> {
    const scripted = new ScriptedOpenAi(onRequest);
    await new Promise<void>((resolve) => {
      scripted.#server.listen(0, "127.0.0.1", resolve);
    });
    return scripted;
  }

  /** Base URL with its version. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Answers the next request. */
  reply(reply: OpenAiReply): void {
    this.#replies.push(reply);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const captured: CapturedRequest = {
      path: request.url ?? "",
      headers: request.headers,
      body: JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>,
    };
    this.requests.push(captured);
    const reply = this.#onRequest?.(captured, this.requests.length - 1) ?? this.#replies.shift();
    if (reply === undefined) throw new Error("no reply is scripted");
    if ("silence" in reply) return;
    if ("status" in reply) {
      response.writeHead(reply.status, { "content-type": "application/json" }).end(reply.body);
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of reply.events) {
      const data = typeof event === "string" ? event : JSON.stringify(event);
      response.write(`data: ${data}\n\n`);
      // each event in a piece of its own, as a model makes them
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (reply.then === "silence") return;
    if (reply.then === "reset") response.destroy();
    else response.end();
  }
}

/** What a scripted model says. */
export interface Said {
  readonly text?: readonly string[];
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly args: object }[];
  readonly finish?: string;
}

/** Events of a chat completion. */
export function chatEvents({ text = [], calls = [], finish }: Said): readonly unknown[] {
  const chunk = (delta: object, reason: string | null = null) => ({
    id: "c1",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta, finish_reason: reason }],
  });
  const reason = finish ?? (calls.length > 0 ? "tool_calls" : "stop");
  return [
    chunk({ role: "assistant", content: "" }),
    ...text.map((piece) => chunk({ content: piece })),
    ...calls.map(({ id, name, args }, index) =>
      chunk({
        tool_calls: [
          { index, id, type: "function", function: { name, arguments: JSON.stringify(args) } },
        ],
      }),
    ),
    chunk({}, reason),
    {
      ...chunk({}),
      choices: [],
      usage: {
        prompt_tokens: 12,
        completion_tokens: 5,
        total_tokens: 17,
        prompt_tokens_details: { cached_tokens: 4 },
      },
    },
    "[DONE]",
  ];
}

/** Events of a response. */
export function responseEvents({ text = [], calls = [], finish }: Said): readonly unknown[] {
  const message = { type: "message", id: "msg_1", role: "assistant", content: [] };
  const said = text.length === 0 ? [] : [message];
  const usage = {
    input_tokens: 12,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 17,
  };
  const incomplete = finish === "length" ? { reason: "max_output_tokens" } : null;
  return [
    { type: "response.created", response: { id: "r1", created_at: 1, model: "m" } },
    ...said.flatMap((item) => [
      { type: "response.output_item.added", output_index: 0, item },
      ...text.map((delta) => ({
        type: "response.output_text.delta",
        item_id: "msg_1",
        output_index: 0,
        content_index: 0,
        delta,
      })),
      { type: "response.output_item.done", output_index: 0, item },
    ]),
    ...calls.flatMap(({ id, name, args }, index) => {
      const item = { type: "function_call", id: `fc_${index}`, call_id: id, name };
      const whole = { ...item, arguments: JSON.stringify(args), status: "completed" };
      return [
        {
          type: "response.output_item.added",
          output_index: index,
          item: { ...item, arguments: "" },
        },
        { type: "response.output_item.done", output_index: index, item: whole },
      ];
    }),
    {
      type: incomplete === null ? "response.completed" : "response.incomplete",
      response: { id: "r1", incomplete_details: incomplete, usage },
    },
  ];
}
