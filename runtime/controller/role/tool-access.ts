import * as z from "zod";
import type { ToolServerSettings } from "../../api/agent-config.ts";
import { sentence } from "../../api/checked.ts";
import { type Cluster, RESOURCES } from "../../api/cluster.ts";
import type { ObjectRef } from "../../api/names.ts";
import type { McpClientPool } from "../../mcp/client-pool.ts";
import type { AgentDirectory } from "../agent-directory.ts";
import type { ToolLister } from "../discovery.ts";
import type { ToolAccess } from "../http/http-api-deps.ts";
import type { AgentReferences, ValueKey } from "../resolve-references.ts";
import { resolveServer } from "../resolve-server.ts";

const Data = z.record(z.string(), z.string());

/** What {@link toolAccess} needs. */
export interface ToolAccessDeps {
  readonly directory: Pick<AgentDirectory, "references" | "server">;
  readonly cluster: Pick<Cluster, "get">;
  readonly pool: Pick<McpClientPool, "callTool" | "listTools">;
}

/** Asks tool servers over the wire, on the platform's own behalf. */
export function poolLister(pool: Pick<McpClientPool, "listTools">): ToolLister {
  return { listTools: (server, signal) => pool.listTools(server, {}, signal) };
}

/** Tools of the servers that the directory knows, with the headers that their objects name. */
export function toolAccess(deps: ToolAccessDeps): ToolAccess {
  return {
    async list(ref, signal) {
      const server = await settingsOf(deps, ref, signal);
      return server === undefined ? undefined : await deps.pool.listTools(server, {}, signal);
    },
    async call(ref, tool, args, signal) {
      const server = await settingsOf(deps, ref, signal);
      if (server === undefined) throw new Error("the server is gone");
      return await deps.pool.callTool(server, tool, args, {}, signal);
    },
  };
}

/** How a server is reached. @throws Error naming what its object refers to and is not there. */
async function settingsOf(
  { directory, cluster }: ToolAccessDeps,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<ToolServerSettings | undefined> {
  const server = directory.server(ref);
  if (server === undefined) return undefined;
  // Resolved twice: the first time tells which values it takes, the second time they are at hand.
  const wanted: ValueKey[] = [];
  const values = new Map<string, string | undefined>();
  const references: AgentReferences = {
    ...directory.references,
    value: (_, source) => {
      wanted.push(source);
      return values.get(keyOf(source));
    },
  };
  resolveServer(server, references);
  for (const source of wanted.splice(0))
    values.set(keyOf(source), await valueOf(cluster, ref.namespace, source, signal));
  const resolved = resolveServer(server, references);
  if (!resolved.ok) throw new Error(sentence(resolved.violations));
  return resolved.value;
}

async function valueOf(
  cluster: Pick<Cluster, "get">,
  namespace: string,
  { type, name, key }: ValueKey,
  signal: AbortSignal,
): Promise<string | undefined> {
  const object = await cluster.get(RESOURCES[type], { namespace, name }, signal);
  const value = Data.safeParse(object?.["data"]).data?.[key];
  return value !== undefined && type === "Secret"
    ? Buffer.from(value, "base64").toString("utf8")
    : value;
}

function keyOf({ type, name, key }: ValueKey): string {
  return `${type}/${name}/${key}`;
}
