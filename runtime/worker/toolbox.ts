import type { AgentToolUse, ToolServerUse } from "../api/agent-config.ts";
import { HEADERS, type ObjectRef, refKey } from "../api/names.ts";
import type { ToolDescription } from "../api/tool.ts";
import { toolAccess } from "../api/tool-catalogue.ts";
import { ASK_USER } from "./ask-user.ts";
import type { BuiltinTool } from "./builtin-tool.ts";
import { builtinTools } from "./builtin-tools.ts";
import type { Turn } from "./turn-context.ts";

/** What stands behind a tool's name. */
export type Tool =
  | {
      readonly kind: "mcp";
      readonly use: ToolServerUse;
      readonly description: ToolDescription;
      readonly needsApproval: boolean;
    }
  | { readonly kind: "agent"; readonly use: AgentToolUse; readonly description: ToolDescription }
  | { readonly kind: "ask-user"; readonly description: ToolDescription }
  | BuiltinTool;

/** The tools of one turn. */
export interface Toolbox {
  /** By name, in the order in which models see them. */
  readonly tools: ReadonlyMap<string, Tool>;
  /** Servers that could not be asked, with the reason; their tools are missing. */
  readonly missing: readonly { readonly server: string; readonly why: string }[];
}

/** Name of an agent as a tool: `ns/name` with `-` as `_` and `/` as `__NS__` (kagent-api section 2.5). */
export function agentToolName(ref: ObjectRef): string {
  return refKey(ref).replaceAll("-", "_").replace("/", "__NS__");
}

/**
 * Collects the tools an agent has in this turn.
 *
 * Servers are asked side by side. One that fails takes only its own tools away: the model and the log
 * are told, the turn goes on.
 */
export async function openToolbox(turn: Turn): Promise<Toolbox> {
  const { config, request } = turn;
  const missing: { server: string; why: string }[] = [];
  const listed = await Promise.all(
    config.toolServers.map((use) => serverTools(turn, use, missing)),
  );
  const tools = new Map<string, Tool>();
  for (const tool of listed.flat()) {
    const { name } = tool.description;
    if (tools.has(name)) turn.deps.log.warn("two servers offer the same tool", { tool: name });
    else tools.set(name, tool);
  }
  for (const use of config.agents) {
    const tool = agentTool(use);
    tools.set(tool.description.name, tool);
  }
  for (const tool of builtinTools(turn)) tools.set(tool.description.name, tool);
  // A delegate cannot reach a person: its caller is an agent.
  if (request.source === "user")
    tools.set(ASK_USER.name, { kind: "ask-user", description: ASK_USER });
  return { tools, missing };
}

async function serverTools(
  turn: Turn,
  use: ToolServerUse,
  missing: { server: string; why: string }[],
): Promise<readonly Tool[]> {
  try {
    const all = await turn.deps.tools.listTools(use.server, toolHeaders(turn, use), turn.signal);
    const allowed = new Set(use.toolNames);
    return all
      .filter(({ name }) => allowed.size === 0 || allowed.has(name))
      .map((description) => ({
        kind: "mcp",
        use,
        description,
        needsApproval: needsApproval(turn, use, description),
      }));
  } catch (error) {
    turn.signal.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    turn.deps.log.warn("tool server is unreachable", { server: refKey(use.server.ref), why });
    missing.push({ server: refKey(use.server.ref), why });
    return [];
  }
}

/**
 * Whether a call of the tool waits for a person: it is listed, or the agent's policy covers it.
 *
 * `destructive` trusts no hint alone: a tool passes only if the catalogue knows it as a reading one, or
 * does not know it and its server says that it only reads.
 */
function needsApproval(turn: Turn, use: ToolServerUse, description: ToolDescription): boolean {
  const { name, hints } = description;
  const { mode } = turn.config.approval;
  if (mode === "all" || use.requireApproval.includes(name)) return true;
  if (mode === "listed") return false;
  const access = toolAccess(name);
  return access === "write" || (access === "unknown" && hints?.readOnlyHint !== true);
}

function agentTool(use: AgentToolUse): Extract<Tool, { kind: "agent" }> {
  return {
    kind: "agent",
    use,
    description: {
      name: agentToolName(use.ref),
      description: use.description,
      inputSchema: {
        type: "object",
        properties: {
          request: { type: "string", description: "The whole request, with everything it needs" },
        },
        required: ["request"],
      },
    },
  };
}

/**
 * Headers of a call to an MCP server, strongest first: those of the server's own configuration, then
 * the request's headers that the agent lists (kagent-api section 2.5).
 */
export function toolHeaders(turn: Turn, use: ToolServerUse): Readonly<Record<string, string>> {
  const { request } = turn;
  const passed = use.allowedHeaders.flatMap((name) => {
    const value = request.headers[name.toLowerCase()];
    return value === undefined ? [] : [[name.toLowerCase(), value] as const];
  });
  const traceparent = request.headers[HEADERS.traceparent];
  return {
    [HEADERS.userId]: request.user,
    [HEADERS.rootContextId]: request.rootContextId,
    ...(traceparent === undefined ? {} : { [HEADERS.traceparent]: traceparent }),
    ...Object.fromEntries(passed),
    ...use.server.headers,
  };
}
