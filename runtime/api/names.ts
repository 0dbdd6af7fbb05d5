/** API group of every kind. */
export const GROUP = "kagent.dev";
/** The one served version; nothing else spells it. */
export const VERSION = "v1alpha2";
/** `apiVersion` of every kind. */
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Namespace of the platform and of its agents unless configured otherwise. */
export const DEFAULT_NAMESPACE = "kagent";
/** ModelConfig of an Agent that names none (kagent-api section 2.4). */
export const DEFAULT_MODEL_CONFIG = "default-model-config";

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
  /** Agent that wrote an event, `namespace/name`. */
  author: "kagent.dev/author",
  /** Which layer refused a request and by which rule. */
  refusal: "kagent.dev/refusal",
  /** Deadline of the caller in milliseconds from receipt. */
  remainingMs: "kagent.dev/remainingMs",
} as const;

/** Media type of an envelope's DataPart (decisions 7). */
export const ENVELOPE_MEDIA_TYPE = "application/vnd.kagent.envelope+json";

/** Request headers between agents (kagent-api section 3.6). */
export const HEADERS = {
  userId: "x-user-id",
  source: "x-kagent-source",
  parentContextId: "x-kagent-parent-context-id",
  rootContextId: "x-kagent-root-context-id",
  agentName: "x-agent-name",
  traceparent: "traceparent",
} as const;
