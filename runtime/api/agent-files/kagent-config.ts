import * as z from "zod";
import type {
  AgentToolUse,
  CompactionSettings,
  ToolServerSettings,
  ToolServerUse,
} from "../agent-config.ts";
import type { UnhashedConfig } from "../config-hash.ts";
import { type ObjectRef, refKey } from "../names.ts";
import {
  fromKagentEmbedding,
  fromKagentModel,
  fromKagentTls,
  KAGENT_TLS,
  KagentEmbedding,
  KagentModel,
  toKagentEmbedding,
  toKagentModel,
  toKagentTls,
} from "./kagent-model.ts";

/** 1,000 entries of any list: far above what the CRDs admit; bounds what a broken file costs. */
const MAX_ITEMS = 1_000;
/** What kagent's runtimes wait for an MCP server that names no limits. */
const MCP_TIMEOUT_MS = 30_000;
const SSE_READ_TIMEOUT_MS = 300_000;
/** kagent-api section 1.1. */
const DEFAULT_TTL_DAYS = 15;
const DEFAULT_INTERVAL = 5;
const DEFAULT_OVERLAP = 2;

const texts = z.array(z.string()).max(MAX_ITEMS).nullish();
const textMap = z.record(z.string(), z.string()).nullish();

const McpServer = z.object({
  params: z.object({
    url: z.string(),
    headers: textMap,
    timeout: z.number().nullish(),
    sse_read_timeout: z.number().nullish(),
    terminate_on_close: z.boolean().nullish(),
    ...KAGENT_TLS,
  }),
  tools: texts,
  allowed_headers: texts,
  require_approval: texts,
});
type McpServer = z.output<typeof McpServer>;

const RemoteAgent = z.object({
  name: z.string(),
  url: z.string(),
  headers: textMap,
  description: z.string().nullish(),
  isolate_sessions: z.boolean().nullish(),
});

const Compaction = z.object({
  compaction_interval: z.number().nullish(),
  overlap_size: z.number().nullish(),
  summarizer_model: KagentModel.nullish(),
  prompt_template: z.string().nullish(),
  token_threshold: z.number().nullish(),
  event_retention_size: z.number().nullish(),
});

/** `config.json` as kagent and we write it; keys that mean nothing to us are left out. */
export const KagentConfig = z.object({
  model: KagentModel,
  description: z.string().nullish(),
  instruction: z.string(),
  http_tools: z.array(McpServer).max(MAX_ITEMS).nullish(),
  sse_tools: z.array(McpServer).max(MAX_ITEMS).nullish(),
  remote_agents: z.array(RemoteAgent).max(MAX_ITEMS).nullish(),
  stream: z.boolean().nullish(),
  memory: z.object({ ttl_days: z.number().nullish(), embedding: KagentEmbedding }).nullish(),
  network: z.object({ allowed_domains: texts }).nullish(),
  context_config: z.object({ compaction: Compaction.nullish() }).nullish(),
});
type KagentConfig = z.output<typeof KagentConfig>;

/** What `config.json` says of an agent; the rest is of the card and of `runtime.json`. */
type KagentPart = Pick<
  UnhashedConfig,
  | "description"
  | "instruction"
  | "model"
  | "toolServers"
  | "agents"
  | "stream"
  | "memory"
  | "allowedDomains"
  | "compaction"
>;

/** The file's content for an agent, keys in kagent's order; `undefined` where a key is left out. */
export function toKagentConfig(config: UnhashedConfig): object {
  const { memory, compaction, allowedDomains } = config;
  const http = config.toolServers.filter(({ server }) => server.protocol === "STREAMABLE_HTTP");
  const sse = config.toolServers.filter(({ server }) => server.protocol === "SSE");
  return {
    model: toKagentModel(config.model),
    description: config.description,
    instruction: config.instruction,
    http_tools: unlessEmpty(http.map(toMcpServer)),
    sse_tools: unlessEmpty(sse.map(toMcpServer)),
    remote_agents: unlessEmpty(config.agents.map(toRemoteAgent)),
    stream: config.stream,
    memory: memory && {
      ttl_days: memory.ttlDays,
      embedding: toKagentEmbedding(memory.embedding),
    },
    network: allowedDomains.length === 0 ? undefined : { allowed_domains: allowedDomains },
    context_config: compaction && { compaction: toCompaction(compaction) },
  };
}

/** The reverse of {@link toKagentConfig}, as far as the file goes. */
export function fromKagentConfig(file: KagentConfig, { namespace }: ObjectRef): KagentPart {
  const { memory, context_config: context } = file;
  const compaction = context?.compaction;
  return {
    description: file.description ?? "",
    instruction: file.instruction,
    model: fromKagentModel(file.model, namespace),
    toolServers: [
      ...(file.http_tools ?? []).map((server) =>
        fromMcpServer(server, "STREAMABLE_HTTP", namespace),
      ),
      ...(file.sse_tools ?? []).map((server) => fromMcpServer(server, "SSE", namespace)),
    ],
    agents: (file.remote_agents ?? []).map((agent) => ({
      ref: refOfIdentifier(agent.name, namespace),
      description: agent.description ?? "",
      url: agent.url,
      isolateSessions: agent.isolate_sessions ?? false,
      headers: agent.headers ?? {},
    })),
    stream: file.stream ?? false,
    ...(memory
      ? {
          memory: {
            ttlDays: memory.ttl_days ?? DEFAULT_TTL_DAYS,
            embedding: fromKagentEmbedding(memory.embedding, namespace),
          },
        }
      : {}),
    allowedDomains: file.network?.allowed_domains ?? [],
    ...(compaction ? { compaction: fromCompaction(compaction, namespace) } : {}),
  };
}

function toMcpServer({
  server,
  toolNames,
  requireApproval,
  allowedHeaders,
}: ToolServerUse): object {
  return {
    params: {
      url: server.url,
      headers: server.headers,
      timeout: server.timeoutMs / 1_000,
      sse_read_timeout: server.sseReadTimeoutMs / 1_000,
      terminate_on_close: server.protocol === "SSE" ? undefined : server.terminateOnClose,
      ...toKagentTls(server.tls),
    },
    tools: unlessEmpty(toolNames),
    allowed_headers: unlessEmpty(allowedHeaders),
    require_approval: unlessEmpty(requireApproval),
  };
}

function fromMcpServer(
  { params, tools, allowed_headers: allowed, require_approval: approval }: McpServer,
  protocol: ToolServerSettings["protocol"],
  namespace: string,
): ToolServerUse {
  const { timeout, sse_read_timeout: sseTimeout } = params;
  return {
    server: {
      ref: { namespace, name: hostOf(params.url) },
      url: params.url,
      protocol,
      timeoutMs: timeout == null ? MCP_TIMEOUT_MS : Math.round(timeout * 1_000),
      sseReadTimeoutMs: sseTimeout == null ? SSE_READ_TIMEOUT_MS : Math.round(sseTimeout * 1_000),
      terminateOnClose: params.terminate_on_close ?? true,
      headers: params.headers ?? {},
      ...fromKagentTls(params),
    },
    toolNames: tools ?? [],
    requireApproval: approval ?? [],
    allowedHeaders: allowed ?? [],
  };
}

/** Name of a server of which only the address is known: the first label of its host. */
function hostOf(url: string): string {
  return URL.parse(url)?.hostname.split(".", 1)[0] ?? url;
}

/** Name of an agent as a tool, kagent-api section 2.5. */
function identifierOf(ref: ObjectRef): string {
  return refKey(ref).replaceAll("-", "_").replace("/", "__NS__");
}

/** Names of objects have no underscore, so nothing is lost on the way there. */
function refOfIdentifier(identifier: string, namespace: string): ObjectRef {
  const [own, name] = identifier.replaceAll("__NS__", "/").replaceAll("_", "-").split("/", 2);
  return name === undefined ? { namespace, name: own ?? "" } : { namespace: own ?? "", name };
}

function toRemoteAgent(use: AgentToolUse): object {
  const hasHeaders = Object.keys(use.headers).length > 0;
  return {
    name: identifierOf(use.ref),
    url: use.url,
    headers: hasHeaders ? use.headers : undefined,
    description: use.description === "" ? undefined : use.description,
    isolate_sessions: use.isolateSessions ? true : undefined,
  };
}

function toCompaction(settings: CompactionSettings): object {
  const { summarizer } = settings;
  return {
    compaction_interval: settings.interval,
    overlap_size: settings.overlap,
    summarizer_model: summarizer && toKagentModel(summarizer.model),
    prompt_template: summarizer?.prompt,
    token_threshold: settings.tokenThreshold,
    event_retention_size: settings.eventRetention,
  };
}

function fromCompaction(file: z.output<typeof Compaction>, namespace: string): CompactionSettings {
  const {
    summarizer_model: model,
    prompt_template: prompt,
    token_threshold: threshold,
    event_retention_size: retention,
  } = file;
  return {
    interval: file.compaction_interval ?? DEFAULT_INTERVAL,
    overlap: file.overlap_size ?? DEFAULT_OVERLAP,
    ...(threshold == null ? {} : { tokenThreshold: threshold }),
    ...(retention == null ? {} : { eventRetention: retention }),
    ...(model
      ? {
          summarizer: {
            model: fromKagentModel(model, namespace),
            ...(prompt == null ? {} : { prompt }),
          },
        }
      : {}),
  };
}

function unlessEmpty<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items;
}
