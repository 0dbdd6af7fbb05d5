import type {
  AgentToolUse,
  HandoffRule,
  ToolServerSettings,
  ToolServerUse,
} from "../api/agent-config.ts";
import type { AllowedNamespaces } from "../api/allowed-namespaces.ts";
import { GROUP, type ObjectRef, refKey } from "../api/names.ts";
import { admits } from "../api/namespace-admission.ts";
import type { Agent } from "../api/objects.ts";
import { resolveServer, resolveService } from "./resolve-server.ts";
import type { Resolution } from "./resolve-values.ts";

type Declarative = NonNullable<Agent["spec"]["declarative"]>;
type AgentTool = NonNullable<Declarative["tools"]>[number];
type McpServerTool = NonNullable<AgentTool["mcpServer"]>;
type Target = { readonly name: string; readonly namespace?: string | undefined };

/** Kind of a tool server that names none (kagent-api section 2.5). */
const DEFAULT_SERVER_KIND = "MCPServer";

/** What an Agent's `tools` come to. */
export interface ResolvedTools {
  readonly toolServers: readonly ToolServerUse[];
  readonly agents: readonly AgentToolUse[];
}

/** Resolves every tool; what is wrong is noted at `spec.declarative.tools[n]`. */
export function resolveTools(resolution: Resolution, tools: readonly AgentTool[]): ResolvedTools {
  const toolServers: ToolServerUse[] = [];
  const agents: AgentToolUse[] = [];
  for (const [index, tool] of tools.entries()) {
    const path = `spec.declarative.tools[${index}]`;
    const headers = resolution.headers(tool.headersFrom, path);
    // The schema holds exactly one of the two.
    const agent = tool.agent && agentTool(resolution, tool, tool.agent, { path, headers });
    if (agent !== undefined) agents.push(agent);
    const server = tool.mcpServer && serverTool(resolution, tool.mcpServer, { path, headers });
    if (server !== undefined) toolServers.push(server);
  }
  return { toolServers, agents };
}

/**
 * Resolves hand-offs; what is wrong is noted at `spec.declarative.handoffs[n].agent`.
 *
 * @param tools - Agents among the tools: one of them is called the same way, whoever calls it.
 */
export function resolveHandoffs(
  resolution: Resolution,
  handoffs: NonNullable<Declarative["handoffs"]>,
  tools: readonly AgentToolUse[],
): readonly HandoffRule[] {
  return handoffs.flatMap(({ when, agent, wait }, index) => {
    const ref = refIn(resolution, agent);
    const found = usableAgent(resolution, ref, `spec.declarative.handoffs[${index}].agent`);
    if (found === undefined) return [];
    const tool = tools.find((use) => refKey(use.ref) === refKey(ref));
    return [{ when, use: tool ?? agentUse(resolution, ref, found), wait }];
  });
}

/** The object that a reference of the Agent names. */
function refIn({ namespace }: Resolution, target: Target): ObjectRef {
  return { namespace: target.namespace ?? namespace, name: target.name };
}

interface ToolPlace {
  /** `spec.declarative.tools[n]`. */
  readonly path: string;
  /** Of the tool; they win over the server's own. */
  readonly headers: Readonly<Record<string, string>>;
}

function agentTool(
  resolution: Resolution,
  { isolateSessions = false }: AgentTool,
  target: NonNullable<AgentTool["agent"]>,
  { path, headers }: ToolPlace,
): AgentToolUse | undefined {
  const { kind = "", apiGroup = "" } = target;
  const at = `${path}.agent`;
  if (kind !== "" && kind !== "Agent") {
    resolution.problem(`${at}.kind`, `${kind} is not served by this platform; use an Agent`);
    return undefined;
  }
  if (!isGroup(apiGroup, GROUP)) {
    resolution.problem(`${at}.apiGroup`, `must be "${GROUP}" for an Agent`);
    return undefined;
  }
  const ref = refIn(resolution, target);
  const agent = usableAgent(resolution, ref, at);
  if (agent === undefined) return undefined;
  return { ...agentUse(resolution, ref, agent), isolateSessions, headers };
}

function agentUse({ references }: Resolution, ref: ObjectRef, { spec }: Agent): AgentToolUse {
  const { description = "" } = spec;
  return { ref, description, url: references.agentUrl(ref), isolateSessions: false, headers: {} };
}

function usableAgent(resolution: Resolution, ref: ObjectRef, path: string): Agent | undefined {
  const agent = resolution.references.agent(ref);
  if (agent === undefined) {
    resolution.problem(path, `Agent ${refKey(ref)} does not exist`);
    return undefined;
  }
  const { allowedNamespaces } = agent.spec;
  return mayUse(resolution, "Agent", ref, { allowedNamespaces, path }) ? agent : undefined;
}

function serverTool(
  resolution: Resolution,
  tool: McpServerTool,
  { path, headers }: ToolPlace,
): ToolServerUse | undefined {
  const server = serverOf(resolution, tool, `${path}.mcpServer`);
  if (server === undefined) return undefined;
  return {
    server: { ...server, headers: { ...server.headers, ...headers } },
    toolNames: tool.toolNames ?? [],
    requireApproval: tool.requireApproval ?? [],
    allowedHeaders: tool.allowedHeaders ?? [],
  };
}

function serverOf(
  resolution: Resolution,
  tool: McpServerTool,
  path: string,
): ToolServerSettings | undefined {
  const kind = tool.kind === undefined || tool.kind === "" ? DEFAULT_SERVER_KIND : tool.kind;
  const ref = refIn(resolution, tool);
  if (kind === "RemoteMCPServer") return remoteServer(resolution, ref, tool, path);
  if (kind === "Service") return service(resolution, ref, tool, path);
  resolution.problem(
    `${path}.kind`,
    `${kind} ${refKey(ref)} is not served by this platform; use a RemoteMCPServer or a Service`,
  );
  return undefined;
}

function remoteServer(
  resolution: Resolution,
  ref: ObjectRef,
  { apiGroup = "" }: McpServerTool,
  path: string,
): ToolServerSettings | undefined {
  const title = `RemoteMCPServer ${refKey(ref)}`;
  if (!isGroup(apiGroup, GROUP)) {
    resolution.problem(`${path}.apiGroup`, `must be "${GROUP}" for a RemoteMCPServer`);
    return undefined;
  }
  const server = resolution.references.toolServer(ref);
  if (server === undefined) {
    resolution.problem(path, `${title} does not exist`);
    return undefined;
  }
  const { allowedNamespaces } = server.spec;
  if (!mayUse(resolution, "RemoteMCPServer", ref, { allowedNamespaces, path })) return undefined;
  return resolution.adopt(resolveServer(server, resolution.references), path, title);
}

function service(
  resolution: Resolution,
  ref: ObjectRef,
  { apiGroup = "" }: McpServerTool,
  path: string,
): ToolServerSettings | undefined {
  const title = `Service ${refKey(ref)}`;
  if (!isGroup(apiGroup, "core")) {
    resolution.problem(`${path}.apiGroup`, 'must be empty or "core" for a Service');
    return undefined;
  }
  if (ref.namespace !== resolution.namespace) {
    resolution.problem(path, "a Service of another namespace cannot be used");
    return undefined;
  }
  const found = resolution.references.service(ref);
  if (found === undefined) {
    resolution.problem(path, `${title} does not exist`);
    return undefined;
  }
  return resolution.adopt(resolveService(found), path, title);
}

function isGroup(apiGroup: string, group: string): boolean {
  return apiGroup === "" || apiGroup === group;
}

/** Whether an object admits the Agent's namespace; it does not where that cannot be told. */
function mayUse(
  resolution: Resolution,
  kind: "Agent" | "RemoteMCPServer",
  ref: ObjectRef,
  target: { readonly allowedNamespaces: AllowedNamespaces | undefined; readonly path: string },
): boolean {
  const { namespace, references } = resolution;
  if (ref.namespace === namespace) return true;
  const labels = references.namespaceLabels(namespace);
  const verdict = admits(target.allowedNamespaces, namespace, labels);
  if (verdict === "yes") return true;
  const why =
    verdict === "no" ? "see its spec.allowedNamespaces" : "the namespace's labels are not known";
  const message = `${kind} ${refKey(ref)} may not be used from namespace ${namespace}: ${why}`;
  resolution.problem(target.path, message);
  return false;
}
