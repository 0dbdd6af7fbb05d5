import type { ObjectRef } from "./names.ts";

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
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
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
  /** Set when the provider is Ollama. */
  readonly ollama?: OllamaSettings;
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
interface ApprovalPolicy {
  readonly mode: "listed" | "destructive" | "all";
  readonly timeoutMs: number;
  /** Users or `group:NAME`; empty: the owner of the task. */
  readonly approvers: readonly string[];
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
}
