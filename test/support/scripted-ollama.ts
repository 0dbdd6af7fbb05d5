import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** Body of a captured `POST /api/chat`, as it came over the wire. */
export interface CapturedChat {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly {
    readonly role: string;
    readonly content: string;
    readonly tool_calls?: readonly {
      readonly id?: string;
      readonly function: { readonly name: string; readonly arguments: Record<string, unknown> };
    }[];
    readonly tool_name?: string;
    readonly tool_call_id?: string;
  }[];
  readonly tools?: readonly {
    readonly type: string;
    readonly function: {
      readonly name: string;
      readonly description: string;
      readonly parameters: Record<string, unknown>;
    };
  }[];
  readonly [key: string]: unknown;
}

/** What the server does with one `POST /api/chat`. */
export type OllamaReply =
  /** Streams `lines`, then ends well, resets the connection, ends without `done`, or says nothing more. */
  | {
      readonly lines: readonly unknown[];
      readonly then?: "end" | "reset" | "stop" | "silence";
      /** Sends all lines in one piece, cut into this many bytes each. */
      readonly pieceBytes?: number;
      /** Milliseconds between two pieces; for tests with other processes, which no fake clock reaches. */
      readonly everyMs?: number;
    }
  /** Streams text as it is. */
  | { readonly raw: string }
  /** Answers with a status. */
  | { readonly status: number; readonly body?: string; readonly contentType?: string }
  /** Never sends headers. */
  | { readonly silence: true };

/** A model that the server claims to have. */
interface ScriptedModel {
  readonly name: string;
  readonly capabilities?: readonly string[];
  readonly contextLength?: number;
  readonly template?: string;
}

/** How {@link ScriptedOllama.start} sets up the server. */
export interface ScriptedOllamaOptions {
  /** Installed models; when given, a chat with any other is answered 404. */
  readonly models?: readonly ScriptedModel[];
  /** Answers chats; else the replies of {@link ScriptedOllama.reply} in order. */
  readonly onChat?: (chat: CapturedChat, index: number) => OllamaReply;
  /** Paths that are never answered, e.g. `/api/show`. */
  readonly silent?: readonly string[];
  /** Interface; 127.0.0.1 unless set. */
  readonly host?: string;
}

/** Lines of an answer: thoughts, text pieces, tool calls, then the last line with its counts. */
export function answerLines(answer: {
  readonly thinking?: string;
  readonly text?: readonly string[];
  readonly calls?: readonly {
    readonly id?: string;
    readonly name: string;
    readonly args: unknown;
  }[];
  readonly doneReason?: string;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}): readonly unknown[] {
  const line = (message: object) => ({
    model: "scripted",
    created_at: "2026-01-01T00:00:00Z",
    message: { role: "assistant", content: "", ...message },
    done: false,
  });
  return [
    ...(answer.thinking === undefined ? [] : [line({ thinking: answer.thinking })]),
    ...(answer.text ?? []).map((content) => line({ content })),
    ...(answer.calls ?? []).map(({ id, name, args }, index) =>
      line({ tool_calls: [{ ...(id && { id }), function: { index, name, arguments: args } }] }),
    ),
    {
      ...line({}),
      done: true,
      done_reason: answer.doneReason ?? "stop",
      total_duration: 5_000_000,
      load_duration: 1_000_000,
      prompt_eval_count: answer.inputTokens ?? 11,
      prompt_eval_duration: 1_000_000,
      eval_count: answer.outputTokens ?? 7,
      eval_duration: 1_000_000,
    },
  ];
}

/** A server on loopback that speaks Ollama's wire and says what it was told to. */
export class ScriptedOllama {
  /** Bodies of `POST /api/chat` in the order they came. */
  readonly chats: CapturedChat[] = [];
  /** Method and path of every request in the order they came. */
  readonly paths: string[] = [];
  /** Headers of the requests, beside {@link paths}. */
  readonly headers: IncomingMessage["headers"][] = [];
  readonly #options: ScriptedOllamaOptions;
  readonly #replies: OllamaReply[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #changed: () => void = () => undefined;

  /** Listens on a free port. */
  static async start(options: ScriptedOllamaOptions = {}): Promise<ScriptedOllama> {
    const ollama = new ScriptedOllama(options);
    await new Promise<void>((resolve) =>
      ollama.#server.listen(0, options.host ?? "127.0.0.1", resolve),
    );
    return ollama;
  }

  private constructor(options: ScriptedOllamaOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#changed();
      });
    });
  }

  /** Base URL. */
  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Queues replies, one per chat. */
  reply(...replies: readonly OllamaReply[]): void {
    this.#replies.push(...replies);
  }

  /** Resolves when `count` chats have come. */
  async chatted(count: number): Promise<void> {
    await this.#until(() => this.chats.length >= count);
  }

  /** Resolves when no connection is open. */
  async idle(): Promise<void> {
    await this.#until(() => this.#sockets.size === 0);
  }

  /** Cuts every connection. */
  unplug(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Stops listening and cuts what is open. */
  async close(): Promise<void> {
    this.unplug();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #until(reached: () => boolean): Promise<void> {
    while (!reached())
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "";
    this.paths.push(`${request.method ?? ""} ${path}`);
    this.headers.push(request.headers);
    let text = "";
    for await (const bytes of request) text += String(bytes);
    if (this.#options.silent?.includes(path)) return;
    const body = (text === "" ? {} : JSON.parse(text)) as CapturedChat;
    if (path === "/api/chat") await this.#chat(body, response);
    else json(response, ...this.#about(path, body.model));
  }

  #about(path: string, model: string): [number, unknown] {
    const models = this.#options.models ?? [];
    if (path === "/api/version") return [200, { version: "0.12.0" }];
    if (path === "/api/tags" || path === "/api/ps")
      return [200, { models: models.map(({ name }) => ({ name, model: name, size: 1 })) }];
    const found = path === "/api/show" ? models.find(({ name }) => name === model) : undefined;
    if (found === undefined) return [404, { error: `model '${model}' not found` }];
    return [
      200,
      {
        template: found.template ?? "{{ .Prompt }}",
        ...(found.capabilities && { capabilities: found.capabilities }),
        model_info: {
          "general.architecture": "qwen2",
          ...(found.contextLength && { "qwen2.context_length": found.contextLength }),
        },
      },
    ];
  }

  async #chat(chat: CapturedChat, response: ServerResponse): Promise<void> {
    const index = this.chats.push(chat) - 1;
    this.#changed();
    const { models, onChat } = this.#options;
    if (models && !models.some(({ name }) => name === chat.model)) {
      json(response, 404, { error: `model '${chat.model}' not found` });
      return;
    }
    const reply = onChat?.(chat, index) ?? this.#replies.shift();
    if (reply === undefined) json(response, 500, { error: "no reply is scripted" });
    else if ("status" in reply) {
      response.writeHead(reply.status, { "content-type": reply.contentType ?? "application/json" });
      response.end(reply.body ?? JSON.stringify({ error: `scripted ${reply.status}` }));
    } else if ("raw" in reply) {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.end(reply.raw);
    } else if ("lines" in reply) await stream(reply, response);
  }
}

async function stream(
  reply: Extract<OllamaReply, { lines: unknown }>,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  const texts = reply.lines.map((line) => `${JSON.stringify(line)}\n`);
  for (const bytes of reply.pieceBytes === undefined
    ? texts.map((text) => Buffer.from(text))
    : cut(Buffer.from(texts.join("")), reply.pieceBytes)) {
    response.write(bytes);
    await (reply.everyMs === undefined
      ? new Promise((resolve) => setImmediate(resolve))
      : new Promise((resolve) => setTimeout(resolve, reply.everyMs)));
  }
  if (reply.then === "silence") return;
  if (reply.then === "reset") response.socket?.resetAndDestroy();
  else response.end();
}

function* cut(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
