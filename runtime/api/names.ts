/** API group of every kind. */
export const GROUP = "kagent.dev";
/** The one served version; nothing else spells it. */
export const VERSION = "v1alpha2";
/** `apiVersion` of every kind. */
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Every kind with its plural, the one that URLs and CRDs use. */
export const PLURALS = {
  Agent: "agents",
  ModelConfig: "modelconfigs",
  RemoteMCPServer: "remotemcpservers",
  ModelProviderConfig: "modelproviderconfigs",
} as const;
/** A kind that we serve. */
export type Kind = keyof typeof PLURALS;

/** Namespace of the platform and of its agents unless configured otherwise. */
export const DEFAULT_NAMESPACE = "kagent";
/** ModelConfig of an Agent that names none (kagent-api section 2.4). */
export const DEFAULT_MODEL_CONFIG = "default-model-config";

/** ConfigMap of the platform's namespace whose key `configMap` names the worker's bundle of today (decisions 19). */
export const WORKER_BUNDLE = { pointer: "kagent-worker-bundle", key: "configMap" } as const;

/** Who acts for whom: one Agent (or any object) in one namespace. */
export interface ObjectRef {
  /** Namespace. */
  readonly namespace: string;
  /** `metadata.name`. */
  readonly name: string;
}

/** `namespace/name`, the form that messages, logs and maps use. */
export function refKey(ref: ObjectRef): string {
  return `${ref.namespace}/${ref.name}`;
}

/** Inverse of {@link refKey}; a key without `/` names an object of `namespace`. */
export function parseRef(key: string, namespace = DEFAULT_NAMESPACE): ObjectRef {
  const slash = key.indexOf("/");
  if (slash < 0) return { namespace, name: key };
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Keys under which our own metadata travels in A2A messages, tasks and events. */
export const META = {
  /** Routing decision: rule, matched words, scores. */
  routing: "kagent.dev/routing",
  /** Tokens and calls of a turn. */
  usage: "kagent.dev/usage",
  /** Which limit stopped a turn. */
  limit: "kagent.dev/limit",
  /** `envelope` asks the agent for a structured envelope (decisions 7). */
  output: "kagent.dev/output",
  /** Sequence number of an event in its session. */
  seq: "kagent.dev/seq",
  /** Stored event, as JSON, for clients of ours. */
  event: "kagent.dev/event",
  /** Events of a task that no message of its history shows, with their positions, for clients that join it. */
  events: "kagent.dev/events",
  /** Agent that wrote an event, `namespace/name`. */
  author: "kagent.dev/author",
  /** `true` on an update that shows an event of a delegate, not of the agent itself. */
  activity: "kagent.dev/activity",
  /** Which layer refused a request and by which rule. */
  refusal: "kagent.dev/refusal",
  /** Compaction of a turn: from, to, tokensBefore, tokensAfter. */
  compaction: "kagent.dev/compaction",
  /** Approval of a turn: ids, state, approver. */
  approval: "kagent.dev/approval",
  /** Deadline of the caller in milliseconds from receipt. */
  remainingMs: "kagent.dev/remainingMs",
} as const;

/** Media type of an envelope's DataPart (decisions 7). */
export const ENVELOPE_MEDIA_TYPE = "application/vnd.kagent.envelope+json";

/** Request headers between agents (kagent-api section 3.6). */
export const HEADERS = {
  userId: "x-user-id",
  /** Groups of that user, comma-separated; believed wherever the user is. */
  userGroups: "x-user-groups",
  source: "x-kagent-source",
  parentContextId: "x-kagent-parent-context-id",
  rootContextId: "x-kagent-root-context-id",
  agentName: "x-agent-name",
  /** Who decided, when an agent passes a decision on; believed from agents only. */
  approver: "x-kagent-approver",
  /** That person's groups, comma-separated. */
  approverGroups: "x-kagent-approver-groups",
  traceparent: "traceparent",
} as const;

/**
 * Request header in which the controller hands a caller's own `Authorization` to a worker whose agent passes it on; the
 * worker's `Authorization` is the controller's. None of {@link HEADERS}: it never goes on by itself.
 */
export const CALLER_AUTHORIZATION = "x-kagent-authorization";

/** Labels and their values (kagent-api section 2.1). */
export const LABELS = {
  app: "app",
  kagent: "kagent",
  name: "app.kubernetes.io/name",
  managedBy: "app.kubernetes.io/managed-by",
  partOf: "app.kubernetes.io/part-of",
  /** `disabled` on an MCPServer: its tools are not discovered. */
  discovery: "kagent.dev/discovery",
  /** `true` on a Service that is an MCP server. */
  mcpService: "kagent.dev/mcp-service",
  /** `true` on a ConfigMap with fragments of prompts. */
  promptLibrary: "kagent.dev/prompt-library",
  /** `true` on a ConfigMap with the worker's program, the original and its copies (decisions 19). */
  workerBundle: "kagent.dev/worker-bundle",
} as const;

/** Annotations. */
export const ANNOTATIONS = {
  /** Of a pod template: what needs a restart (kagent-api section 2.2). */
  configHash: "kagent.dev/config-hash",
  /** Of a Service that is an MCP server. */
  mcpServicePort: "kagent.dev/mcp-service-port",
  mcpServicePath: "kagent.dev/mcp-service-path",
  mcpServiceProtocol: "kagent.dev/mcp-service-protocol",
  /** Of an Agent: users who may call it, comma-separated (decisions 10). */
  allowedUsers: "kagent.dev/allowed-users",
  /** Of an Agent: groups whose members may call it, comma-separated (decisions 10). */
  allowedGroups: "kagent.dev/allowed-groups",
  /** Of an Agent: it may have tools that write directly, with approval (decisions 46). */
  allowWrites: "kagent.dev/allow-writes",
  /** Of an object that the controller applies: hash of what it applied. */
  appliedHash: "kagent.dev/applied-hash",
  /** Of a running pod: configuration that the kubelet was told to fetch (architecture.md section 5). */
  configRevision: "kagent.dev/config-revision",
} as const;

/** Reasons of conditions (kagent-api sections 1.1 to 1.4); clients test some of them. */
export const REASONS = {
  /** Accepted of Agents and RemoteMCPServers. */
  reconciled: "Reconciled",
  reconcileFailed: "ReconcileFailed",
  /** Accepted of ModelConfigs. */
  modelConfigReconciled: "ModelConfigReconciled",
  modelConfigReconcileFailed: "ModelConfigReconcileFailed",
  /** Ready: True, False, Unknown. */
  deploymentReady: "DeploymentReady",
  deploymentNotReady: "DeploymentNotReady",
  deploymentNotFound: "DeploymentNotFound",
  /** UnsupportedFeatures: True, else the condition is absent. */
  unsupportedFeatures: "UnsupportedFeatures",
  /** SecretResolved of ModelProviderConfigs. */
  secretResolved: "SecretResolved",
  secretNotFound: "SecretNotFound",
  secretNotRequired: "SecretNotRequired",
  /** ModelsDiscovered of ModelProviderConfigs. */
  modelsDiscovered: "ModelsDiscovered",
  discoveryFailed: "DiscoveryFailed",
  /** Ready of ModelProviderConfigs. */
  ready: "Ready",
  notReady: "NotReady",
  /** ToolsResolved: True, False. */
  toolsResolved: "ToolsResolved",
  unknownTools: "UnknownTools",
  /** ToolsResolved: Unknown, a server has not been asked yet. */
  toolsNotDiscovered: "ToolsNotDiscovered",
} as const;

/** Messages of conditions that hold (kagent-api sections 1.1 to 1.4). */
export const CONDITION_MESSAGES = {
  agentAccepted: "Agent configuration accepted",
  modelConfigAccepted: "Model configuration accepted",
  remoteMcpServerAccepted: "Remote MCP server configuration accepted",
  deploymentReady: "Deployment is ready",
  modelProviderConfigReady: "Model provider config is ready",
} as const;

/** Message of a Ready condition that does not hold: `available` of `desired` pods answer. */
export function notReadyMessage(available: number, desired: number): string {
  return `Deployment is not ready, ${available}/${desired} pods are ready`;
}
