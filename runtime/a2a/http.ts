import { type Context, Hono } from "hono";
import { type ObjectRef, refKey } from "../api/names.ts";
import type { A2aAppOptions } from "./app-options.ts";
import { cardJson } from "./card.ts";
import { agentNotFoundMessage, INTERNAL_MESSAGE, RPC_CODE } from "./errors.ts";
import { refuse, requestedVersion } from "./http-answers.ts";

export type { A2aAppOptions } from "./app-options.ts";

/** Characters of a name in an error; names of Kubernetes objects are no longer. */
const MAX_NAME = 253;

/**
 * Serves every agent over A2A 1.0 and 0.3 (JSON-RPC and server-sent events) with its card.
 *
 * A client that goes away ends its stream, never the task. Errors are JSON-RPC objects; their HTTP
 * status is 200 except for an unknown agent (404), version (400), content type (415), a body that is too
 * large (413) and a fault of ours before the request was understood (500).
 */
export function a2aApp(options: A2aAppOptions): Hono {
  const app = new Hono();
  serveAt(app, `${options.prefix ?? "/api/a2a"}/:namespace/:name`, options);
  if (options.root !== undefined) serveAt(app, "", options);
  app.onError((error, context) => {
    const told = context.req.raw.signal.aborted ? "debug" : "error"; // a client that left is no fault
    options.log[told]("a2a request failed", { path: context.req.path, error: String(error) });
    return refuse(context, 500, RPC_CODE.internal, INTERNAL_MESSAGE);
  });
  return app;
}

/** Serves the agent that `at` names, or the one of the root. */
function serveAt(app: Hono, at: string, options: A2aAppOptions): void {
  for (const path of at === "" ? ["/"] : [at, `${at}/`]) {
    app.post(path, (context) => serveRpc(options, context));
    app.all(path, (context) => {
      context.header("allow", "POST");
      return refuse(context, 405, RPC_CODE.invalidRequest, "send JSON-RPC by POST");
    });
  }
  for (const name of ["agent-card.json", "agent.json"])
    for (const path of [`${at}/.well-known/${name}`, `${at}/.well-known/${name}/`])
      app.get(path, (context) => serveCard(options, context));
}

function serveCard(options: A2aAppOptions, context: Context): Response {
  const ref = refOf(options, context);
  const source = options.agents(ref);
  if (source === undefined) return unknownAgent(context, ref);
  const version = requestedVersion(context) === "1.0" ? "1.0" : "0.3";
  context.header("vary", "A2A-Version");
  context.header("cache-control", "no-cache");
  return context.json(cardJson(source, urlOf(options, ref), version));
}

async function serveRpc(options: A2aAppOptions, context: Context): Promise<Response> {
  const ref = refOf(options, context);
  const source = options.agents(ref);
  if (source === undefined) return unknownAgent(context, ref);
  // Most of the protocol's code is in there; cards do not wait for it.
  const endpoint = await import("./rpc-endpoint.ts");
  return await endpoint.serveRpc(options, { ref, source, url: urlOf(options, ref) }, context);
}

function refOf({ root }: A2aAppOptions, context: Context): ObjectRef {
  const { namespace, name = "" } = context.req.param() as Record<string, string | undefined>;
  if (namespace === undefined) return root?.() ?? { namespace: "", name: "" };
  return { namespace: namespace.slice(0, MAX_NAME), name: name.slice(0, MAX_NAME) };
}

function urlOf({ baseUrl, prefix = "/api/a2a", root }: A2aAppOptions, ref: ObjectRef): string {
  const single = root?.();
  if (single !== undefined && refKey(single) === refKey(ref)) return `${baseUrl}/`;
  return `${baseUrl}${prefix}/${refKey(ref)}/`;
}

function unknownAgent(context: Context, ref: ObjectRef): Response {
  return refuse(context, 404, RPC_CODE.agentNotFound, agentNotFoundMessage(ref));
}
