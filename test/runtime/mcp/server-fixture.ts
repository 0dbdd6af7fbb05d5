import { EventEmitter, once } from "node:events";
import * as z from "zod";
import { READ_ONLY, type ToolContext, type ToolDefinition } from "../../../runtime/api/tool.ts";
import { mcpHttpApp } from "../../../runtime/mcp/server.ts";
import type { McpServerOptions } from "../../../runtime/mcp/server-options.ts";
import { toolProvider } from "../../../runtime/mcp/tool-definitions.ts";
import { type HttpService, httpService } from "../../../runtime/process/http.ts";
import { LogLines, never } from "./pool-fixture.ts";

/** A built-in tool of a test. */
export function define(
  name: string,
  call: ToolDefinition["call"],
  inputSchema: z.ZodObject = z.strictObject({}),
): ToolDefinition {
  return { name, description: `does ${name}`, inputSchema, hints: READ_ONLY, call };
}

/** Tools that answer, fail, throw and hang. */
export class TestTools {
  /** Emits `hang` with the context of each call that hangs. */
  readonly events = new EventEmitter();
  readonly definitions: readonly ToolDefinition[] = [
    define("ping", () => Promise.resolve({ text: "pong" })),
    define(
      "add",
      ({ a, b }) =>
        Promise.resolve({ text: String(Number(a) + Number(b)), structured: { sum: 3 } }),
      z.strictObject({ a: z.number().describe("first"), b: z.number().default(1) }),
    ),
    define("throw", () => Promise.reject(new Error("password=hunter2 is wrong"))),
    define("hang", (_, context) => {
      this.events.emit("hang", context);
      return new Promise((_resolve, reject) => {
        context.signal.addEventListener("abort", () => {
          reject(new Error("aborted"));
        });
      });
    }),
  ];

  /** Context of the next call that hangs. */
  async hanging(): Promise<ToolContext> {
    const [context] = (await once(this.events, "hang")) as [ToolContext];
    return context;
  }
}

/** An MCP server of ours on a socket. */
export class RunningServer {
  readonly log: LogLines;
  readonly #service: HttpService;

  private constructor(service: HttpService, log: LogLines) {
    this.#service = service;
    this.log = log;
  }

  static async start(
    definitions: readonly ToolDefinition[],
    over: Partial<McpServerOptions> = {},
  ): Promise<RunningServer> {
    const log = new LogLines();
    const tools = toolProvider(definitions, log);
    const app = mcpHttpApp({ name: "tested", version: "1.2.3", tools, log: log.log, ...over });
    const service = httpService({ name: "tested", host: "127.0.0.1", port: 0 }, app, 0);
    await service.start(never);
    return new RunningServer(service, log);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#service.port()}/mcp`;
  }

  async close(): Promise<void> {
    await this.#service.stop();
  }

  /** A POST as the Inspector makes it. */
  async post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return await fetch(this.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
      },
      body: typeof body === "string" ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(4_000),
    });
  }
}

/** A request of JSON-RPC. */
export function rpc(method: string, params?: unknown, id: number | string = 1): unknown {
  return { jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) };
}

/** The handshake's request. */
export const initialize = rpc("initialize", {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "inspector", version: "1" },
});

/** What an answer says, whichever of its two forms it has. */
export async function answerOf(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  const json = response.headers.get("content-type")?.includes("event-stream")
    ? (/^data: (.*)$/m.exec(text)?.[1] ?? "{}")
    : text;
  return JSON.parse(json) as Record<string, unknown>;
}
