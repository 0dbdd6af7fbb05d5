import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ListToolsRequestSchema,
  type Tool,
} from "@modelcontextprotocol/sdk/types.js";

/** A transport of the SDK's server with what it does with HTTP requests. */
interface ServerTransport extends Transport {
  handleRequest?(request: IncomingMessage, response: ServerResponse, body?: unknown): Promise<void>;
  handlePostMessage?(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** `server/sse.js` without its deprecation. */
interface SseServerModule {
  readonly SSEServerTransport: new (
    endpoint: string,
    response: ServerResponse,
  ) => ServerTransport & { readonly sessionId: string };
}

/** A call as the server saw it. */
export interface SeenCall {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  readonly progress: (progress: number) => Promise<void>;
}

type Answer = (call: SeenCall) => CallToolResult | Promise<CallToolResult>;

/** A tool that takes anything. */
export function tool(name: string, annotations?: Tool["annotations"]): Tool {
  const inputSchema = { type: "object" as const, properties: {} };
  return {
    name,
    description: `does ${name}`,
    inputSchema,
    ...(annotations ? { annotations } : {}),
  };
}

/** A result of one text. */
export const said = (text: string): CallToolResult => ({ content: [{ type: "text", text }] });

/** The official SDK's server over a real socket; sessions live as long as the object. */
export class SdkServer {
  /** Pages of `tools/list`. */
  pages: readonly (readonly Tool[])[] = [[tool("echo", { readOnlyHint: true }), tool("write")]];
  /** Cursor after the last page, when it has one. */
  endlessCursor: (() => string) | undefined;
  /** Whether it announces other tools just before it lists those it has. */
  changesWhileListing = false;
  /** How tools answer. */
  answers: Record<string, Answer> = {};
  /** Handles a request before the SDK sees it; true: it is answered. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  readonly calls: SeenCall[] = [];
  /** Answers to GET: the streams of sessions. */
  readonly streams: ServerResponse[] = [];
  readonly requests: { readonly method: string; readonly headers: IncomingMessage["headers"] }[] =
    [];
  lists = 0;
  /** Emits `call` for each of {@link calls}, `request` for each of {@link requests}. */
  readonly events = new EventEmitter();
  readonly #sessions = new Map<
    string,
    { readonly mcp: McpServer; readonly transport: ServerTransport }
  >();
  readonly #http: Server;
  readonly #protocol: "STREAMABLE_HTTP" | "SSE";

  private constructor(protocol: "STREAMABLE_HTTP" | "SSE") {
    this.#protocol = protocol;
    this.#http = createServer((request, response) => {
      this.requests.push({ method: request.method ?? "", headers: request.headers });
      if (request.method === "GET") this.streams.push(response);
      this.events.emit("request");
      if (this.intercept(request, response)) return;
      void (this.#protocol === "SSE"
        ? this.#sse(request, response)
        : this.#streamable(request, response));
    });
  }

  static async start(
    protocol: "STREAMABLE_HTTP" | "SSE" = "STREAMABLE_HTTP",
    port = 0,
  ): Promise<SdkServer> {
    const server = new SdkServer(protocol);
    server.#http.listen(port, "127.0.0.1");
    await once(server.#http, "listening");
    return server;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Open TCP connections. */
  async connections(): Promise<number> {
    return await new Promise((resolve, reject) => {
      this.#http.getConnections((error, count) => {
        if (error) reject(error);
        else resolve(count);
      });
    });
  }

  /** What a restart does to clients: all sessions and connections are gone, the address stays. */
  restart(): void {
    this.forgetSessions();
    this.#http.closeAllConnections();
  }

  /** Answers 404 from now on to whoever has a session. */
  forgetSessions(): void {
    this.#sessions.clear();
  }

  /** Tells every session that the tools changed. */
  async announceTools(): Promise<void> {
    for (const { mcp } of this.#sessions.values()) await mcp.server.sendToolListChanged();
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
  }

  #mcp(): McpServer {
    const mcp = new McpServer(
      { name: "peer", version: "1" },
      { capabilities: { tools: { listChanged: true } } },
    );
    mcp.server.setRequestHandler(ListToolsRequestSchema, async ({ params }, extra) => {
      this.lists += 1;
      if (this.changesWhileListing) {
        await extra.sendNotification({ method: "notifications/tools/list_changed" });
      }
      const index = Number(params?.cursor ?? "0");
      const more = index + 1 < this.pages.length ? String(index + 1) : this.endlessCursor?.();
      const tools = [...(this.pages[index] ?? this.pages[0] ?? [])];
      return { tools, ...(more === undefined ? {} : { nextCursor: more }) };
    });
    mcp.server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
      const token = extra._meta?.progressToken;
      const call: SeenCall = {
        name: params.name,
        args: params.arguments ?? {},
        signal: extra.signal,
        progress: async (progress) => {
          if (token === undefined) return;
          const update = { progressToken: token, progress, total: 3, message: `step ${progress}` };
          await extra.sendNotification({ method: "notifications/progress", params: update });
        },
      };
      this.calls.push(call);
      this.events.emit("call", call);
      return await (this.answers[params.name] ?? (() => said(JSON.stringify(call.args))))(call);
    });
    return mcp;
  }

  async #streamable(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = request.headers["mcp-session-id"];
    const known = typeof id === "string" ? this.#sessions.get(id) : undefined;
    if (known !== undefined) {
      await known.transport.handleRequest?.(request, response);
      return;
    }
    if (id !== undefined) {
      const error = { code: -32001, message: "Session not found" };
      response.writeHead(404, { "content-type": "application/json" });
      response.end(JSON.stringify({ jsonrpc: "2.0", error, id: null }));
      return;
    }
    const mcp = this.#mcp();
    const transport: ServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (opened) => {
        this.#sessions.set(opened, { mcp, transport });
      },
      onsessionclosed: (closed) => {
        this.#sessions.delete(closed);
      },
    });
    await mcp.connect(transport);
    await transport.handleRequest?.(request, response);
  }

  async #sse(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = new URL(request.url ?? "", "http://peer").searchParams.get("sessionId") ?? "";
    if (request.method === "GET") {
      const sse: SseServerModule = await import("@modelcontextprotocol/sdk/server/sse.js");
      const transport = new sse.SSEServerTransport("/messages", response);
      const mcp = this.#mcp();
      this.#sessions.set(transport.sessionId, { mcp, transport });
      response.once("close", () => this.#sessions.delete(transport.sessionId));
      await mcp.connect(transport);
      return;
    }
    const known = this.#sessions.get(id);
    if (known === undefined) response.writeHead(404).end("Session not found");
    else await known.transport.handlePostMessage?.(request, response);
  }
}
