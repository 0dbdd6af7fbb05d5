import type { ObjectRef } from "./names.ts";

/** How the certificate of an upstream is verified; absent: against the system's authorities. */
export interface TlsSettings {
  /** False: any certificate is accepted. */
  readonly verify: boolean;
  /** Certificates of further authorities, PEM. */
  readonly caPem?: string;
  /** Whether the system's authorities count too. */
  readonly systemCas: boolean;
}

/** How an MCP server is reached; a RemoteMCPServer with its headers resolved. */
export interface ToolServerSettings {
  /** The RemoteMCPServer. */
  readonly ref: ObjectRef;
  /** Endpoint. */
  readonly url: string;
  /** Transport. */
  readonly protocol: "STREAMABLE_HTTP" | "SSE";
  /** Longest wait for the answer to one request. */
  readonly timeoutMs: number;
  /** Longest silence of an SSE stream. */
  readonly sseReadTimeoutMs: number;
  /** Whether the session is ended at the server when the client closes. */
  readonly terminateOnClose: boolean;
  /** Sent with every request; values are secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls?: TlsSettings;
}

/** What one agent may use of one MCP server. */
export interface ToolServerUse {
  /** The server. */
  readonly server: ToolServerSettings;
  /** Allow-list as the server spells its tools; empty: every tool. */
  readonly toolNames: readonly string[];
  /** Tools that wait for a person. */
  readonly requireApproval: readonly string[];
  /** Names of incoming request headers that are passed on. */
  readonly allowedHeaders: readonly string[];
}

/** Another agent as a tool. */
export interface AgentToolUse {
  /** The agent. */
  readonly ref: ObjectRef;
  /** For the model. */
  readonly description: string;
  /** A2A endpoint (JSON-RPC). */
  readonly url: string;
  /** A new child context per call instead of one per root context. */
  readonly isolateSessions: boolean;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Ollama's settings of a ModelConfig; absent means the server's own default. */
export interface OllamaSettings {
  /** Base URL; a host without scheme gets `http://`. */
  readonly host?: string;
  /** Runner options as written (`num_ctx`, `temperature`, ...). */
  readonly options: Readonly<Record<string, string>>;
  /** Duration (`15m`) or seconds. */
  readonly keepAlive?: string;
  /** Whether the model may think aloud. */
  readonly think?: boolean | "low" | "medium" | "high";
  /** `json`, or a JSON Schema as text, for answers without tools. */
  readonly format?: string;
  /** Context window in tokens; wins over `options.num_ctx`. */
  readonly numCtx?: number;
  /** Whether Ollama may drop the oldest messages of a prompt that is too long; false unless set. */
  readonly truncate: boolean;
  /** Longest waits in milliseconds. */
  readonly timeouts: {
    readonly connectMs: number;
    readonly firstTokenMs: number;
    readonly idleMs: number;
  };
}

/** Settings of OpenAI and of whatever speaks its protocol; absent fields are not sent. */
export interface OpenAiSettings {
  readonly baseUrl?: string;
  readonly organization?: string;
  readonly temperature?: number;
  readonly topP?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly seed?: number;
  readonly n?: number;
  /** Longest wait for an answer in milliseconds. */
  readonly timeoutMs?: number;
  readonly maxTokens?: number;
  readonly maxCompletionTokens?: number;
  readonly reasoningEffort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh";
  readonly apiFormat: "chatCompletions" | "responses";
}

/** A ModelConfig with its secrets resolved. */
export interface ModelSettings {
  /** The ModelConfig. */
  readonly ref: ObjectRef;
  /** Provider as ModelConfig spells it. */
  readonly provider: string;
  /** Model as the provider spells it. */
  readonly model: string;
  /** Size of the context window in tokens, when known. */
  readonly contextWindow?: number;
  /** Sent with every request (`defaultHeaders`). */
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: TlsSettings;
  /** The provider's key; a secret. */
  readonly apiKey?: string;
  /** The caller's bearer token is sent instead of a key. */
  readonly apiKeyPassthrough?: boolean;
  /** Set when the provider is Ollama. */
  readonly ollama?: OllamaSettings;
  /** Set when the provider is OpenAI. */
  readonly openAI?: OpenAiSettings;
}

/** A skill of the agent's card. */
export interface AgentSkill {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly examples: readonly string[];
  readonly inputModes?: readonly string[];
  readonly outputModes?: readonly string[];
}

/** One rule of deterministic routing (product.md section 4). */
export interface RoutingRule {
  /** Unique in its agent. */
  readonly name: string;
  /** Words or phrases. */
  readonly keywords: readonly string[];
  /** Where a match goes. */
  readonly agent: ObjectRef;
  /** Asked first; `agent` gets its findings with the request (decisions 39). */
  readonly readFirst?: ObjectRef;
  /** Higher wins before scores are looked at. */
  readonly priority: number;
}

/** Deterministic routing of an agent. */
export interface RoutingTable {
  /** In order of declaration. */
  readonly rules: readonly RoutingRule[];
  /** What happens to text that no rule matches. */
  readonly onNoMatch: "clarify" | "model" | ObjectRef;
  /** Most rules that run for one request. */
  readonly maxDelegates: number;
}

/** Families of requests that an agent may refuse before any model call (decisions 10). */
export const REFUSAL_CATEGORIES = [
  "destructive",
  "injection",
  "credentials",
  "impersonation",
] as const;
/** A family of requests to refuse. */
export type RefusalCategory = (typeof REFUSAL_CATEGORIES)[number];

/** One refusal rule. */
export interface RefusalRule {
  /** Unique in its agent. */
  readonly name: string;
  /** What it looks for. */
  readonly match:
    | { readonly word: string }
    | { readonly phrase: string }
    | { readonly category: RefusalCategory };
  /** What the caller is told. */
  readonly message: string;
}

/** Budgets of one turn. */
export interface TurnLimits {
  readonly maxModelCalls: number;
  readonly maxToolCalls: number;
  /** Input and output tokens together; absent: no limit. */
  readonly maxTokens?: number;
  readonly maxDurationMs: number;
  /** Tool calls under way at once. */
  readonly maxParallelTools: number;
  /** Calls of other agents; absent: counted as tool calls only. */
  readonly maxDelegations?: number;
  /** `refuse`: the same call twice, or the same agent twice, is answered with an error. */
  readonly repeatedCalls: "allow" | "refuse";
}

/** Retry of a model call that failed before its first token. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
}

/** Who may decide what, and for how long (kagent-api section 1.5). */
export interface ApprovalPolicy {
  readonly mode: "listed" | "destructive" | "all";
  readonly timeoutMs: number;
  /** Users or `group:NAME`; empty: the owner of the task. */
  readonly approvers: readonly string[];
}

/** How old events make room (kagent-api sections 1.1 and 2.6). */
export interface CompactionSettings {
  /** User turns between compactions. */
  readonly interval: number;
  /** Older turns that are summarised once more. */
  readonly overlap: number;
  /** Tokens of a prompt that start a compaction; an upper bound (decisions 1). */
  readonly tokenThreshold?: number;
  /** Newest events that stay as they are. */
  readonly eventRetention?: number;
  /** Model that summarises; absent: old events are dropped. */
  readonly summarizer?: { readonly model: ModelSettings; readonly prompt?: string };
}

/** Long-term memory of an agent (kagent-api section 2.6). */
export interface MemorySettings {
  /** Makes embeddings. */
  readonly embedding: ModelSettings;
  readonly ttlDays: number;
}

/** An agent that the runtime calls after a turn (decisions 8). */
export interface HandoffRule {
  /** CEL over `output` and `envelope`. */
  readonly when: string;
  /** The agent; need not be among {@link AgentConfig.agents}. */
  readonly use: AgentToolUse;
  /** The turn ends with the other agent's answer. */
  readonly wait: boolean;
}

/** Who may call an agent (decisions 10); both empty: every authenticated caller. */
export interface AccessPolicy {
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

/** An Agent resolved with everything it refers to; immutable, swapped as a whole between turns. */
export interface AgentConfig {
  /** The Agent. */
  readonly ref: ObjectRef;
  /** Sha-256 (hex) of the rest; equal hashes behave alike. */
  readonly hash: string;
  /** For callers and models. */
  readonly description: string;
  /** Version of the card. */
  readonly version: string;
  readonly iconUrl?: string;
  readonly documentationUrl?: string;
  readonly provider?: { readonly organization: string; readonly url: string };
  readonly skills: readonly AgentSkill[];
  /** System message, fragments resolved. */
  readonly instruction: string;
  readonly model: ModelSettings;
  readonly toolServers: readonly ToolServerUse[];
  readonly agents: readonly AgentToolUse[];
  /** Whether text is streamed while it is made. */
  readonly stream: boolean;
  readonly routing?: RoutingTable;
  readonly refusals: readonly RefusalRule[];
  /** `render`: delegates' envelopes become Markdown without a model call. */
  readonly envelope: "none" | "render";
  readonly limits: TurnLimits;
  /** Bytes of one tool result that a model sees; the middle of a longer one is left out. */
  readonly toolResultMaxBytes: number;
  readonly retry: RetryPolicy;
  readonly approval: ApprovalPolicy;
  readonly compaction?: CompactionSettings;
  readonly memory?: MemorySettings;
  readonly handoffs: readonly HandoffRule[];
  /** JSON Schema (2020-12) of the final answer. */
  readonly responseSchema?: Readonly<Record<string, unknown>>;
  readonly access: AccessPolicy;
  /** Hosts that the code sandbox may reach; wildcards `*.example.com`. */
  readonly allowedDomains: readonly string[];
}
