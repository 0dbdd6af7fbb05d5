import { createHash } from "node:crypto";
import type {
  AgentConfig,
  AgentToolUse,
  RefusalRule,
  RoutingTable,
  ToolServerSettings,
  ToolServerUse,
  TurnLimits,
} from "../api/agent-config.ts";
import { DEFAULT_APPROVAL, DEFAULT_LIMITS, DEFAULT_RETRY } from "../api/agent-limits.ts";
import { canonical } from "../api/approval-decision.ts";
import type { Checked, Violation } from "../api/checked.ts";
import { toMs } from "../api/duration.ts";
import { DEFAULT_MODEL_CONFIG, DEFAULT_NAMESPACE, type ObjectRef, refKey } from "../api/names.ts";
import type { Agent, ModelConfig, RemoteMcpServer } from "../api/objects.ts";
import { resolveModel } from "./resolve-model.ts";

/** Version on the card of an Agent that names none. */
const DEFAULT_VERSION = "1.0.0";
/** Bytes of one tool result in a prompt unless the Agent says otherwise (kagent-api section 1.5). */
const TOOL_RESULT_MAX_BYTES = 16_384;
/** Kind of a tool server that names none (kagent-api section 2.5). */
const DEFAULT_SERVER_KIND = "MCPServer";
/** Longest silence of an SSE stream of a server that names none; kagent's own default. */
const SSE_READ_TIMEOUT_MS = 300_000;

/** What an Agent refers to. */
export interface AgentReferences {
  /** ModelConfig of a namespace. */
  readonly modelConfig: (ref: ObjectRef) => ModelConfig | undefined;
  /** RemoteMCPServer. */
  readonly toolServer: (ref: ObjectRef) => RemoteMcpServer | undefined;
  /** Agent. */
  readonly agent: (ref: ObjectRef) => Agent | undefined;
  /** A key of a ConfigMap or Secret. */
  readonly value: (
    namespace: string,
    source: { readonly type: "ConfigMap" | "Secret"; readonly name: string; readonly key: string },
  ) => string | undefined;
  /** A2A endpoint of an agent, for other agents. */
  readonly agentUrl: (ref: ObjectRef) => string;
}

type Declarative = NonNullable<Agent["spec"]["declarative"]>;
type AgentTool = NonNullable<Declarative["tools"]>[number];

/** Collects what is wrong while the rest goes on, so that one report names everything. */
class Resolution {
  readonly violations: Violation[] = [];
  readonly references: AgentReferences;
  readonly namespace: string;

  constructor(references: AgentReferences, namespace: string) {
    this.references = references;
    this.namespace = namespace;
  }

  missing(path: string, message: string): undefined {
    this.violations.push({ path, message });
    return undefined;
  }
}

/**
 * Resolves an Agent with everything it refers to into what a worker runs.
 *
 * @returns The configuration, or every reference that does not resolve. An Agent of type BYO has none:
 * it brings its own worker.
 */
export function resolveAgent(object: Agent, references: AgentReferences): Checked<AgentConfig> {
  const namespace = object.metadata.namespace ?? DEFAULT_NAMESPACE;
  const ref = { namespace, name: object.metadata.name };
  const resolution = new Resolution(references, namespace);
  const { declarative } = object.spec;
  if (declarative === undefined)
    return failed([{ path: "spec.type", message: "an Agent of this type brings its own worker" }]);
  const model = modelOf(resolution, declarative);
  const instruction = instructionOf(resolution, declarative);
  const tools = (declarative.tools ?? []).map((tool, index) =>
    toolOf(resolution, tool, `spec.declarative.tools[${index}]`),
  );
  if (model === undefined || instruction === undefined || resolution.violations.length > 0)
    return failed(resolution.violations);
  const config = {
    ref,
    ...cardOf(object),
    instruction,
    model: resolveModel(model),
    toolServers: tools.flatMap((tool) => (tool?.kind === "server" ? [tool.use] : [])),
    agents: tools.flatMap((tool) => (tool?.kind === "agent" ? [tool.use] : [])),
    ...behaviourOf(declarative, namespace),
  };
  const hash = createHash("sha256").update(canonical(config)).digest("hex");
  return { ok: true, value: { ...config, hash } };
}

function failed(violations: readonly Violation[]): Checked<never> {
  return { ok: false, violations };
}

function modelOf(resolution: Resolution, declarative: Declarative): ModelConfig | undefined {
  const name = declarative.modelConfig ?? DEFAULT_MODEL_CONFIG;
  const ref = { namespace: resolution.namespace, name };
  const model = resolution.references.modelConfig(ref);
  if (model === undefined)
    resolution.missing("spec.declarative.modelConfig", `ModelConfig ${refKey(ref)} does not exist`);
  return model;
}

function instructionOf(resolution: Resolution, declarative: Declarative): string | undefined {
  const { systemMessage, systemMessageFrom } = declarative;
  if (systemMessage !== undefined && systemMessage !== "") return systemMessage;
  if (systemMessageFrom === undefined) {
    resolution.missing("spec.declarative.systemMessage", "a system message is required");
    return undefined;
  }
  const text = resolution.references.value(resolution.namespace, systemMessageFrom);
  if (text !== undefined) return text;
  const { type, name, key } = systemMessageFrom;
  resolution.missing(
    "spec.declarative.systemMessageFrom",
    `${type} ${resolution.namespace}/${name} has no key ${key}`,
  );
  return undefined;
}

function cardOf({ spec }: Agent) {
  const { iconUrl, documentationUrl, provider } = spec;
  return {
    description: spec.description ?? "",
    version: spec.version ?? DEFAULT_VERSION,
    ...(iconUrl === undefined ? {} : { iconUrl }),
    ...(documentationUrl === undefined ? {} : { documentationUrl }),
    ...(provider === undefined ? {} : { provider }),
    skills: (spec.declarative?.a2aConfig?.skills ?? []).map((skill) => ({
      id: skill.id ?? skill.name,
      name: skill.name,
      description: skill.description ?? "",
      tags: skill.tags ?? [],
      examples: skill.examples ?? [],
      ...(skill.inputModes === undefined ? {} : { inputModes: skill.inputModes }),
      ...(skill.outputModes === undefined ? {} : { outputModes: skill.outputModes }),
    })),
  };
}

type ResolvedTool =
  | { readonly kind: "server"; readonly use: ToolServerUse }
  | { readonly kind: "agent"; readonly use: AgentToolUse };

function toolOf(resolution: Resolution, tool: AgentTool, path: string): ResolvedTool | undefined {
  const headers = headersOf(resolution, tool.headersFrom ?? [], resolution.namespace, path);
  if (tool.agent !== undefined) {
    const { namespace = resolution.namespace, name } = tool.agent;
    const ref = { namespace, name };
    const agent = resolution.references.agent(ref);
    if (agent === undefined) {
      resolution.missing(`${path}.agent`, `Agent ${refKey(ref)} does not exist`);
      return;
    }
    const use = {
      ref,
      description: agent.spec.description ?? "",
      url: resolution.references.agentUrl(ref),
      isolateSessions: tool.isolateSessions ?? false,
      headers,
    };
    return { kind: "agent", use };
  }
  if (tool.mcpServer === undefined) return undefined; // the schema has said what is missing
  return serverTool(resolution, tool.mcpServer, path, headers);
}

function serverTool(
  resolution: Resolution,
  tool: NonNullable<AgentTool["mcpServer"]>,
  path: string,
  headers: Readonly<Record<string, string>>,
): ResolvedTool | undefined {
  const { namespace = resolution.namespace, name } = tool;
  const kind = tool.kind === undefined || tool.kind === "" ? DEFAULT_SERVER_KIND : tool.kind;
  const ref = { namespace, name };
  if (kind !== "RemoteMCPServer") {
    const message = `${kind} ${refKey(ref)} is not served by this platform; use a RemoteMCPServer`;
    resolution.missing(`${path}.mcpServer.kind`, message);
    return;
  }
  const server = resolution.references.toolServer(ref);
  if (server === undefined) {
    resolution.missing(`${path}.mcpServer`, `${kind} ${refKey(ref)} does not exist`);
    return;
  }
  const own = headersOf(resolution, server.spec.headersFrom ?? [], namespace, `${path}.mcpServer`);
  return {
    kind: "server",
    use: {
      server: serverSettings(ref, server, { ...own, ...headers }),
      toolNames: tool.toolNames ?? [],
      requireApproval: tool.requireApproval ?? [],
      allowedHeaders: tool.allowedHeaders ?? [],
    },
  };
}

/** How a RemoteMCPServer is reached. */
export function serverSettings(
  ref: ObjectRef,
  { spec }: RemoteMcpServer,
  headers: Readonly<Record<string, string>>,
): ToolServerSettings {
  return {
    ref,
    url: spec.url,
    protocol: spec.protocol,
    timeoutMs: toMs(spec.timeout),
    sseReadTimeoutMs:
      spec.sseReadTimeout === undefined ? SSE_READ_TIMEOUT_MS : toMs(spec.sseReadTimeout),
    terminateOnClose: spec.terminateOnClose,
    headers,
  };
}

function headersOf(
  resolution: Resolution,
  sources: NonNullable<AgentTool["headersFrom"]>,
  namespace: string,
  path: string,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [index, { name, value, valueFrom }] of sources.entries()) {
    const found = value ?? (valueFrom && resolution.references.value(namespace, valueFrom));
    if (found === undefined)
      resolution.missing(
        `${path}.headersFrom[${index}]`,
        `${valueFrom?.type ?? "value"} ${namespace}/${valueFrom?.name ?? ""} has no key ${valueFrom?.key ?? ""}`,
      );
    else headers[name.toLowerCase()] = found;
  }
  return headers;
}

function behaviourOf(declarative: Declarative, namespace: string) {
  const { retry = DEFAULT_RETRY, approval = DEFAULT_APPROVAL, routing } = declarative;
  return {
    stream: declarative.stream ?? true,
    ...(routing === undefined ? {} : { routing: routingOf(routing, namespace) }),
    refusals: (declarative.refusal?.rules ?? []).map(refusalOf),
    envelope: declarative.envelope,
    limits: limitsOf(declarative.limits ?? DEFAULT_LIMITS),
    toolResultMaxBytes:
      declarative.context?.compaction?.toolResultMaxBytes ?? TOOL_RESULT_MAX_BYTES,
    retry: {
      maxAttempts: retry.maxAttempts,
      initialDelayMs: toMs(retry.initialDelay),
      maxDelayMs: toMs(retry.maxDelay),
    },
    approval: {
      mode: approval.mode,
      timeoutMs: toMs(approval.timeout),
      approvers: approval.approvers ?? [],
    },
  };
}

function limitsOf(limits: NonNullable<Declarative["limits"]>): TurnLimits {
  const { maxDuration, maxTokens, maxDelegations, ...counts } = limits;
  return {
    ...counts,
    maxDurationMs: toMs(maxDuration),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(maxDelegations === undefined ? {} : { maxDelegations }),
  };
}

function routingOf(routing: NonNullable<Declarative["routing"]>, namespace: string): RoutingTable {
  const refOf = (agent: { readonly name: string; readonly namespace?: string | undefined }) => ({
    namespace: agent.namespace ?? namespace,
    name: agent.name,
  });
  const { rules, onNoMatch, maxDelegates } = routing;
  return {
    rules: rules.map(({ agent, ...rule }) => ({ ...rule, agent: refOf(agent) })),
    onNoMatch: typeof onNoMatch === "string" ? onNoMatch : refOf(onNoMatch.agent),
    maxDelegates,
  };
}

type RefusalSpec = NonNullable<Declarative["refusal"]>["rules"][number];

function refusalOf({ name, match, message }: RefusalSpec): RefusalRule {
  const text = message ?? "this request is not allowed here";
  if (match.word !== undefined) return { name, match: { word: match.word }, message: text };
  if (match.phrase !== undefined) return { name, match: { phrase: match.phrase }, message: text };
  // The schema holds exactly one of the three.
  return { name, match: { category: match.category ?? "destructive" }, message: text };
}
