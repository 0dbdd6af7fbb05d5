import type { IncomingMessage, ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { describeError } from "../mcp/describe-error.ts";
import { rpcError } from "../mcp/http-edge.ts";
import type { Clock } from "../process/clock.ts";
import { endToEnd, HttpProxy, ProxyError } from "../process/http-proxy.ts";
import type { Logger } from "../telemetry/log.ts";

/** 1 MiB per request: what a message with data may weigh; files travel by reference. */
const MAX_BODY_BYTES = 1024 * 1024;
/** 5 s for a connection to the controller. */
const CONNECT_MS = 5_000;

/** `/agents/{namespace}/{name}` and what follows: names of Kubernetes, paths of A2A, nothing encoded. */
const PATH =
  /^\/agents\/([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\/([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)((?:\/[A-Za-z0-9._~:@!$&'()*+,;=-]*)*)$/;

/** The A2A side of the gateway. */
export interface A2aRoutesOptions {
  /** Base URL of the controller, e.g. `http://kagent-controller.kagent:8083`. */
  readonly controllerUrl: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Largest body of a request in bytes; 1 MiB unless set. */
  readonly maxBodyBytes?: number;
  /** Longest wait for a connection to the controller in milliseconds; 5 s unless set. */
  readonly connectMs?: number;
}

/** What the server on Node hands along: streams are passed on from socket to socket. */
interface NodeBindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/**
 * `/agents/{namespace}/{name}/*` is passed on to the controller's `/api/a2a/{namespace}/{name}/*`.
 *
 * Streams are passed on chunk by chunk and have no time limit; a client that leaves ends its request at
 * the controller. Agent cards are the controller's, word for word. Errors of the gateway itself are
 * JSON-RPC errors: 404 for a path that names no agent, 413, 502 and 504 when the controller cannot be
 * reached.
 */
export function a2aRoutes(options: A2aRoutesOptions): Hono {
  const { clock, log, maxBodyBytes = MAX_BODY_BYTES, connectMs = CONNECT_MS } = options;
  const base = new URL(options.controllerUrl);
  const proxy = new HttpProxy({ clock, maxBodyBytes, connectMs });
  const app = new Hono();
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.all("/agents/*", async (context) => {
    const url = new URL(context.req.url);
    const path = controllerPath(url.pathname);
    if (path === undefined) return notFound();
    const target = new URL(base);
    target.pathname = base.pathname.replace(/\/$/, "") + path;
    target.search = url.search;
    const { incoming, outgoing } = context.env as NodeBindings;
    const headers = { ...endToEnd(incoming.headers), ...forwarded(incoming, url) };
    try {
      await proxy.forward({ incoming, outgoing, target, headers });
      return RESPONSE_ALREADY_SENT;
    } catch (error) {
      return failure(error, { log, maxBodyBytes, path });
    }
  });
  app.notFound(notFound);
  return app;
}

/** The controller's path for one of ours, or `undefined` if it names no agent. */
function controllerPath(path: string): string | undefined {
  const match = PATH.exec(path);
  if (match === null) return undefined;
  const [, namespace = "", name = "", rest = ""] = match;
  const climbs = rest.split("/").some((segment) => segment === "." || segment === "..");
  if (climbs || rest.includes("//")) return undefined;
  return `/api/a2a/${namespace}/${name}${rest === "" ? "/" : rest}`;
}

/** Where the request came from, as the controller is told. */
function forwarded({ headers, socket }: IncomingMessage, url: URL): Record<string, string> {
  const chain = [headers["x-forwarded-for"] ?? [], socket.remoteAddress ?? []].flat().join(", ");
  return {
    ...(chain === "" ? {} : { "x-forwarded-for": chain }),
    "x-forwarded-host": url.host,
    "x-forwarded-proto": url.protocol.replace(":", ""),
  };
}

interface Failure {
  readonly log: Logger;
  readonly maxBodyBytes: number;
  readonly path: string;
}

function failure(error: unknown, { log, maxBodyBytes, path }: Failure): Response {
  if (error instanceof ProxyError && error.kind === "too-large") {
    return rpcError(413, -32600, `the request body is larger than ${maxBodyBytes} bytes`);
  }
  const cause = error instanceof ProxyError ? (error.cause ?? error) : error;
  log.warn("controller does not answer", { path, error: describeError(cause) });
  const late = error instanceof ProxyError && error.kind === "connect-timeout";
  return rpcError(late ? 504 : 502, -32603, "the controller does not answer");
}

function notFound(): Response {
  return rpcError(404, -32600, "no agent here: the path is /agents/{namespace}/{name}/");
}
