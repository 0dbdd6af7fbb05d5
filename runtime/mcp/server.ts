import { Hono } from "hono";
import * as z from "zod";
import { HEADERS } from "../api/names.ts";
import { refusedAccess } from "../process/access.ts";
import { BodyTooLargeError, readBody } from "../process/request-body.ts";
import { describeError } from "./describe-error.ts";
import { rpcError, whenSent } from "./http-edge.ts";
import type { McpServerOptions, SessionOptions } from "./server-options.ts";
import { type Session, SessionTable } from "./server-sessions.ts";

/** 4 MiB, the SDK's own limit: bounds memory per request. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** Method and id of a message, as far as they are needed before the SDK looks at it. */
const Envelope = z.looseObject({
  method: z.string().optional(),
  id: z.union([z.string(), z.number()]).optional(),
});
type Envelope = z.output<typeof Envelope>;

/** A POST whose body was read. */
interface Message {
  readonly request: Request;
  readonly body: unknown;
  /** The messages in the body; several in a batch. */
  readonly envelopes: readonly Envelope[];
}

type Handler = (request: Request) => Promise<Response>;

/**
 * An MCP server (streamable HTTP) as a hono app, at `options.path`.
 *
 * @see {@link mcpHandler} for what it answers.
 */
export function mcpHttpApp(options: McpServerOptions): Hono {
  const handle = mcpHandler(options);
  const app = new Hono();
  app.all(options.path ?? "/mcp", (context) => handle(context.req.raw));
  return app;
}

/**
 * Answers the requests of one MCP endpoint; never throws.
 *
 * Status: 403 for a foreign Host or Origin, 406 unless the client accepts JSON and SSE, 413 for a body over
 * the limit, 400 with -32700 for what is not JSON, 405 for GET and DELETE without sessions, 404 with -32001
 * for an unknown session, 503 when there are too many. Everything else is an answer of JSON-RPC.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports
 */
export function mcpHandler(options: McpServerOptions): Handler {
  const { access, log, name, sessions } = options;
  const serve = sessions === undefined ? alone(options) : inSessions(options, sessions);
  return async (request) => {
    const refused = access === undefined ? undefined : refusedAccess(request.headers, access);
    if (refused !== undefined) return rpcError(403, -32000, refused);
    try {
      return await serve(request);
    } catch (error) {
      log.error("request of an MCP client failed", { server: name, error: describeError(error) });
      return rpcError(500, -32603, "Internal error");
    }
  };
}

/** Each request has a server of its own. */
function alone(options: McpServerOptions): Handler {
  return async (request) => {
    if (request.method !== "POST") return notAllowed("POST");
    const message = await read(request, options);
    if (message instanceof Response) return message;
    const { ServerPeer } = await import("./server-peer.ts");
    // A call may take long: its stream keeps the connection alive and carries progress.
    const answer = message.envelopes.some(({ method }) => method === "tools/call")
      ? "stream"
      : "json";
    const peer = await ServerPeer.open(options, { kind: "single", answer });
    const close = () => void peer.close();
    const left = whenAborted(request.signal);
    const response = await Promise.race([peer.handle(message.request, message.body), left.promise]);
    left.stop();
    return whenSent(response, close);
  };
}

/** Requests after the first one find the server of their session. */
function inSessions(options: McpServerOptions, sessionOptions: SessionOptions): Handler {
  const table = new SessionTable(sessionOptions);
  return async (request) => {
    const { method } = request;
    if (method !== "POST" && method !== "GET" && method !== "DELETE") {
      return notAllowed("GET, POST, DELETE");
    }
    const message =
      method === "POST"
        ? await read(request, options)
        : { request, body: undefined, envelopes: [] };
    if (message instanceof Response) return message;
    const id = request.headers.get("mcp-session-id");
    const user = request.headers.get(HEADERS.userId) ?? "";
    if (id === null) return await openSession(options, table, user, message);
    const session = table.get(id, user);
    if (session === undefined) return rpcError(404, -32001, "Session not found");
    return await useSession(table, session, message);
  };
}

async function openSession(
  options: McpServerOptions,
  table: SessionTable,
  user: string,
  message: Message,
): Promise<Response> {
  if (!message.envelopes.some(({ method }) => method === "initialize")) {
    return rpcError(400, -32000, "Bad Request: Mcp-Session-Id header is required");
  }
  if (!table.makeRoom()) return rpcError(503, -32000, "Too many sessions", { "retry-after": "10" });
  const { ServerPeer } = await import("./server-peer.ts");
  let id: string | undefined;
  const peer = await ServerPeer.open(options, {
    kind: "session",
    sessionId: table.newId,
    onOpened: (opened) => {
      id = opened;
      table.add(opened, user, peer);
    },
    onClosed: () => {
      if (id !== undefined) table.remove(id);
    },
  });
  const response = await peer.handle(message.request, message.body);
  if (id === undefined) await peer.close(); // refused: it never became a session
  return response;
}

async function useSession(
  table: SessionTable,
  session: Session,
  message: Message,
): Promise<Response> {
  const ids = message.envelopes.flatMap(({ method, id }) =>
    method === undefined || id === undefined ? [] : [id],
  );
  table.touch(session, 1);
  const done = (how: "sent" | "left") => {
    table.touch(session, -1);
    if (how === "left") session.peer.cancel(ids);
  };
  try {
    return whenSent(await session.peer.handle(message.request, message.body), done);
  } catch (error) {
    done("left");
    throw error;
  }
}

/** The message in a POST, or why there is none. */
async function read(request: Request, options: McpServerOptions): Promise<Message | Response> {
  const maxBytes = options.maxBodyBytes ?? MAX_BODY_BYTES;
  let body: unknown;
  try {
    body = JSON.parse(await readBody(request, maxBytes));
  } catch (error) {
    if (error instanceof BodyTooLargeError)
      return rpcError(413, -32000, `The body is larger than ${maxBytes} bytes`);
    if (!(error instanceof SyntaxError)) throw error;
    return rpcError(400, -32700, "Parse error: the body is not JSON");
  }
  const envelopes = (Array.isArray(body) ? body : [body]).flatMap((item) => {
    const parsed = Envelope.safeParse(item);
    return parsed.success ? [parsed.data] : [];
  });
  return { request: withAccept(request), body, envelopes };
}

/** The request with an `Accept` that the SDK understands: it does not know wildcards. */
function withAccept(request: Request): Request {
  if (request.headers.get("accept")?.includes("*/*") !== true) return request;
  const headers = new Headers(request.headers);
  headers.set("accept", "application/json, text/event-stream");
  return new Request(request.url, { method: request.method, headers });
}

function notAllowed(allow: string): Response {
  return rpcError(405, -32000, "Method not allowed", { allow });
}

/** Resolves with an answer nobody will read as soon as the client went away. */
function whenAborted(signal: AbortSignal): {
  readonly promise: Promise<Response>;
  readonly stop: () => void;
} {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const abandon = () => {
    resolve(new Response(null, { status: 499 }));
  };
  if (signal.aborted) abandon();
  signal.addEventListener("abort", abandon, { once: true });
  return {
    promise,
    stop: () => {
      signal.removeEventListener("abort", abandon);
    },
  };
}
