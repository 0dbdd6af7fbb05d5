import { Hono } from "hono";
import * as z from "zod";
import { RESOURCES } from "../../api/cluster.ts";
import { API_VERSION, type ObjectRef, refKey } from "../../api/names.ts";
import { refOf as refOfObject } from "../../api/rules/object-set.ts";
import { ApiError, bodyOf, missing, ok, refOf } from "./answers.ts";
import type { HttpApiDeps, ToolAccess } from "./http-api-deps.ts";
import { admitted } from "./object-rules.ts";
import { clusterSignal, remove, writable, writtenPart } from "./writing.ts";

/** As kagent names the kind. */
const GROUP_KIND = "RemoteMCPServer.kagent.dev";
/** 60 s for a tool that a page of somebody calls. */
const CALL_MS = 60_000;

const NewServer = z.object({
  type: z.string().max(64),
  remoteMCPServer: z
    .looseObject({ metadata: z.looseObject({}), spec: z.looseObject({}) })
    .optional(),
});
const Call = z.object({ arguments: z.record(z.string(), z.unknown()).default({}) });

/** Tool servers and their tools (kagent-api section 3.5). */
export function toolServerRoutes(deps: HttpApiDeps): Hono {
  const { directory } = deps;
  const app = new Hono();
  app.get("/api/toolservertypes", (c) => ok(c, ["RemoteMCPServer"]));
  app.get("/api/toolservers", (c) =>
    ok(
      c,
      directory.servers().map((server) => {
        const ref = refOfObject(server);
        const tools = directory.discovered(ref);
        const discoveredTools = tools.map(({ name, description }) => ({ name, description }));
        return { ref: refKey(ref), groupKind: GROUP_KIND, discoveredTools };
      }),
    ),
  );
  app.post("/api/toolservers", async (c) => {
    const access = writable(deps, c);
    const { type, remoteMCPServer } = await bodyOf(c, NewServer);
    if (type !== "RemoteMCPServer" || remoteMCPServer === undefined)
      throw new ApiError(
        400,
        "type: must be RemoteMCPServer, with the whole of it in remoteMCPServer",
      );
    const object = { apiVersion: API_VERSION, kind: type, ...writtenPart(remoteMCPServer) };
    const { written, parsed } = admitted("RemoteMCPServer", object, directory, access);
    await access.cluster.create(RESOURCES.RemoteMCPServer, written, clusterSignal(c));
    return ok(c, parsed, 201);
  });
  app.delete("/api/toolservers/:namespace/:name", async (c) => {
    const access = writable(deps, c);
    await remove(access, RESOURCES.RemoteMCPServer, refOf(c), clusterSignal(c));
    return ok(c, {});
  });
  app.get("/api/tools", (c) =>
    ok(
      c,
      directory.servers().flatMap((server) => {
        const ref = refOfObject(server);
        const { creationTimestamp: time } = server.metadata;
        return directory.discovered(ref).map(({ name, description }) => ({
          id: name,
          server_name: refKey(ref),
          group_kind: GROUP_KIND,
          description,
          ...(time === undefined ? {} : { created_at: time, updated_at: time }),
        }));
      }),
    ),
  );
  app.route("/", mcpAppRoutes(deps));
  return app;
}

/** Tools as pages inside the UI use them. */
function mcpAppRoutes(deps: HttpApiDeps): Hono {
  const app = new Hono();
  app.get("/api/mcp-apps/:namespace/:name/tools", async (c) => {
    const tools = await toolsOf(deps, refOf(c), c.req.raw.signal);
    return ok(c, tools);
  });
  app.post("/api/mcp-apps/:namespace/:name/tools/:tool/call", async (c) => {
    const server = refOf(c);
    const name = c.req.param("tool");
    const { arguments: args } = await bodyOf(c, Call);
    const signal = AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(CALL_MS)]);
    const tool = (await toolsOf(deps, server, signal)).find((one) => one.name === name);
    if (tool === undefined) throw missing(`tool ${name} at ${refKey(server)}`);
    // What changes something goes through an agent, where people approve it.
    if (tool.hints?.readOnlyHint !== true)
      throw new ApiError(403, `${name} does not say that it only reads; ask an agent to call it`);
    return ok(c, resultView(await accessOf(deps).call(server, name, args, signal)));
  });
  app.get("/api/mcp-apps/:namespace/:name/resources", () => {
    throw new ApiError(501, "resources of tool servers are not passed on by this platform");
  });
  return app;
}

function accessOf({ tools }: HttpApiDeps): ToolAccess {
  if (tools !== undefined) return tools;
  throw new ApiError(501, "tools are called by agents here; this platform passes no calls on");
}

async function toolsOf(deps: HttpApiDeps, server: ObjectRef, signal: AbortSignal) {
  const tools = await listed(accessOf(deps), server, signal);
  if (tools === undefined) throw missing(`tool server ${refKey(server)}`);
  return tools;
}

async function listed(access: ToolAccess, server: ObjectRef, signal: AbortSignal) {
  try {
    return await access.list(server, signal);
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    throw new ApiError(503, `tool server ${refKey(server)} does not answer: ${reason}`, {
      cause: error,
    });
  }
}

/** A result as MCP has it. */
function resultView({
  parts,
  structured,
  isError,
}: Awaited<ReturnType<ToolAccess["call"]>>): object {
  const content = parts.flatMap((part) =>
    "text" in part ? [{ type: "text", text: part.text }] : [],
  );
  return {
    content,
    ...(structured === undefined ? {} : { structuredContent: structured }),
    isError: isError === true,
  };
}
