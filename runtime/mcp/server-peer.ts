import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js";
import {
  ErrorCode,
  McpError,
  type RequestId,
  type ServerNotification,
  type ServerRequest,
} from "@modelcontextprotocol/sdk/types.js";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv";
import * as z from "zod";
import { check, sentence } from "../api/checked.ts";
import { HEADERS } from "../api/names.ts";
import type { ToolDescription } from "../api/tool.ts";
import { toCallContent } from "./call-content.ts";
import type { Change, McpServerOptions, ResourceProvider } from "./server-options.ts";
import { thrown } from "./tool-definitions.ts";
import type { CallContext, RequestContext, ToolResult } from "./tool-provider.ts";

/** Tools per page of `tools/list`. */
const PAGE_SIZE = 100;
/** JSON-RPC code of an unknown resource (specification 2025-11-25, Resources, error handling). */
const RESOURCE_NOT_FOUND = -32002;
/** One for all servers: building one takes half a millisecond, and a stateless server is built per request. */
const validator = new AjvJsonSchemaValidator();

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

const ListParams = z.looseObject({ cursor: z.string().optional() }).optional();
const CallParams = z.looseObject({
  name: z.string(),
  arguments: z.record(z.string(), z.unknown()).default({}),
});
const UriParams = z.looseObject({ uri: z.string() });

/** Whether a peer answers one request, and how, or keeps a session. */
export type PeerMode =
  | { readonly kind: "single"; readonly answer: "json" | "stream" }
  | {
      readonly kind: "session";
      readonly sessionId: () => string;
      /** The client has opened the session. */
      readonly onOpened: (sessionId: string) => void;
      /** The session is over: the client ended it, or `close` was called. */
      readonly onClosed: () => void;
    };

/** One server of the SDK with its transport: for one request, or for one session. */
export class ServerPeer {
  readonly #mcp: McpServer;
  readonly #transport: WebStandardStreamableHTTPServerTransport;
  readonly #options: McpServerOptions;
  readonly #subscribed = new Set<string>();

  private constructor(options: McpServerOptions, mode: PeerMode) {
    const { name, version, instructions, resources } = options;
    const session = mode.kind === "session" ? mode : undefined;
    this.#options = options;
    this.#transport = new WebStandardStreamableHTTPServerTransport(
      session === undefined
        ? { enableJsonResponse: mode.kind === "single" && mode.answer === "json" }
        : { sessionIdGenerator: session.sessionId, onsessioninitialized: session.onOpened },
    );
    this.#mcp = new McpServer(
      { name, version },
      { ...(instructions === undefined ? {} : { instructions }), jsonSchemaValidator: validator },
    );
    this.#mcp.server.registerCapabilities({
      tools: session === undefined ? {} : { listChanged: true },
      ...(resources === undefined ? {} : { resources: session ? { subscribe: true } : {} }),
    });
    this.#mcp.server.onclose = () => session?.onClosed();
    this.#handleTools();
    if (resources !== undefined) this.#handleResources(resources);
  }

  /** A peer ready for its first request. */
  static async open(options: McpServerOptions, mode: PeerMode): Promise<ServerPeer> {
    const peer = new ServerPeer(options, mode);
    await peer.#mcp.connect(peer.#transport);
    return peer;
  }

  /** Answers a request whose body, if it has one, was read and parsed. */
  handle(request: Request, parsedBody?: unknown): Promise<Response> {
    return this.#transport.handleRequest(request, { parsedBody });
  }

  /** What the client would do by `notifications/cancelled`, for requests whose client went away. */
  cancel(ids: readonly RequestId[]): void {
    for (const requestId of ids) {
      const params = { requestId, reason: "the client went away" };
      this.#transport.onmessage?.({ jsonrpc: "2.0", method: "notifications/cancelled", params });
    }
  }

  /** Tells the client of a change, if it is of interest; one that cannot be told is forgotten. */
  notify(change: Change): void {
    const { server } = this.#mcp;
    if (change.kind === "tools") server.sendToolListChanged().catch(ignored);
    else if (this.#subscribed.has(change.uri)) {
      server.sendResourceUpdated({ uri: change.uri }).catch(ignored);
    }
  }

  /** Aborts the handlers under way and ends all streams. */
  async close(): Promise<void> {
    await this.#mcp.close();
  }

  #handleTools(): void {
    const { tools, log } = this.#options;
    this.#mcp.server.setRequestHandler(requestOf("tools/list"), async ({ params }, extra) => {
      const cursor = parsed(ListParams, params)?.cursor;
      return pageOf(await tools.listTools(contextOf(extra)), cursor);
    });
    this.#mcp.server.setRequestHandler(requestOf("tools/call"), async ({ params }, extra) => {
      const { name, arguments: args } = parsed(CallParams, params);
      const endStream = () => {
        this.#transport.closeSSEStream(extra.requestId); // there will be no answer to a cancelled call
      };
      extra.signal.addEventListener("abort", endStream, { once: true });
      let result: ToolResult;
      try {
        result = await tools.callTool(name, args, callContextOf(extra));
      } catch (error) {
        extra.signal.throwIfAborted();
        result = thrown(name, error, log);
      }
      return toCallContent(result);
    });
  }

  #handleResources(resources: ResourceProvider): void {
    const { server } = this.#mcp;
    server.setRequestHandler(requestOf("resources/list"), async (_, extra) => ({
      resources: await resources.listResources(contextOf(extra)),
    }));
    server.setRequestHandler(requestOf("resources/templates/list"), () => ({
      resourceTemplates: [],
    }));
    server.setRequestHandler(requestOf("resources/read"), async ({ params }, extra) => {
      const { uri } = parsed(UriParams, params);
      const content = await resources.readResource(uri, contextOf(extra));
      if (content === undefined)
        throw new McpError(RESOURCE_NOT_FOUND, "Resource not found", { uri });
      return { contents: [{ uri, ...content }] };
    });
    server.setRequestHandler(requestOf("resources/subscribe"), ({ params }) => {
      this.#subscribed.add(parsed(UriParams, params).uri);
      return {};
    });
    server.setRequestHandler(requestOf("resources/unsubscribe"), ({ params }) => {
      this.#subscribed.delete(parsed(UriParams, params).uri);
      return {};
    });
  }
}

function ignored(): void {
  // The client has no stream open: it will see the change when it asks.
}

/** A request by its method alone: the SDK answers -32603 to parameters its own schemas refuse, ours -32602. */
function requestOf<M extends string>(method: M) {
  return z.object({ method: z.literal(method), params: z.unknown().optional() });
}

function parsed<T>(schema: z.ZodType<T>, params: unknown): T {
  const checked = check(schema, params, "params");
  if (checked.ok) return checked.value;
  throw new McpError(ErrorCode.InvalidParams, sentence(checked.violations));
}

/** The tools after `cursor`, which names the last tool of the page before. */
function pageOf(all: readonly ToolDescription[], cursor: string | undefined) {
  const last = cursor === undefined ? undefined : Buffer.from(cursor, "base64url").toString();
  const start = last === undefined ? 0 : all.findIndex(({ name }) => name === last) + 1;
  if (cursor !== undefined && start === 0) {
    throw new McpError(ErrorCode.InvalidParams, "params.cursor: no such page");
  }
  const page = all.slice(start, start + PAGE_SIZE);
  const end = page.at(-1)?.name;
  const more = end !== undefined && start + PAGE_SIZE < all.length;
  return {
    tools: page.map(({ hints, ...tool }) => ({
      ...tool,
      ...(hints ? { annotations: hints } : {}),
    })),
    ...(more ? { nextCursor: Buffer.from(end).toString("base64url") } : {}),
  };
}

function contextOf(extra: Extra): RequestContext {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(extra.requestInfo?.headers ?? {})) {
    if (value !== undefined)
      headers[name.toLowerCase()] = Array.isArray(value) ? value.join(", ") : value;
  }
  return { user: headers[HEADERS.userId] ?? "", headers, signal: extra.signal };
}

function callContextOf(extra: Extra): CallContext {
  const context = contextOf(extra);
  const contextId =
    context.headers[HEADERS.parentContextId] ?? context.headers[HEADERS.rootContextId];
  const progressToken = extra._meta?.progressToken;
  return {
    ...context,
    ...(contextId === undefined ? {} : { contextId }),
    progress: (progress) => {
      if (progressToken === undefined) return;
      const params = { progressToken, ...progress };
      extra.sendNotification({ method: "notifications/progress", params }).catch(ignored);
    },
  };
}
