import type { KubeObject } from "../api/cluster-reader.ts";
import { type ObjectRef, refKey } from "../api/names.ts";
import type { Agent, ModelConfig, RemoteMcpServer } from "../api/objects.ts";

/** A key of a ConfigMap or Secret. */
export interface ValueKey {
  readonly type: "ConfigMap" | "Secret";
  readonly name: string;
  readonly key: string;
}

/** What an Agent, a ModelConfig or a RemoteMCPServer refers to; nothing here waits for anything. */
export interface AgentReferences {
  /** ModelConfig of a namespace. */
  readonly modelConfig: (ref: ObjectRef) => ModelConfig | undefined;
  /** RemoteMCPServer. */
  readonly toolServer: (ref: ObjectRef) => RemoteMcpServer | undefined;
  /** Agent. */
  readonly agent: (ref: ObjectRef) => Agent | undefined;
  /** Service of the cluster; Agents may use one as an MCP server. */
  readonly service: (ref: ObjectRef) => KubeObject | undefined;
  /** A key of a ConfigMap or Secret, as text. */
  readonly value: (namespace: string, source: ValueKey) => string | undefined;
  /** Labels of a namespace; `undefined` when they are not known. */
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>> | undefined;
  /** A2A endpoint of an agent, for other agents. */
  readonly agentUrl: (ref: ObjectRef) => string;
  /** ModelConfig of Agents that name none (DEFAULT_MODEL_CONFIG_NAME); `default-model-config` when absent. */
  readonly defaultModelConfig?: string;
}

/** An object that was asked for. */
export interface UsedReference {
  readonly kind:
    | "Agent"
    | "ModelConfig"
    | "RemoteMCPServer"
    | "Service"
    | "ConfigMap"
    | "Secret"
    | "Namespace";
  /** Empty for a Namespace. */
  readonly namespace: string;
  readonly name: string;
}

/**
 * References that remember what was asked for, found or not: a change of any of it, and of nothing else, can change
 * what they were asked for.
 *
 * @returns `used` gives each object once, in the order of the first question.
 */
export function trackedReferences(references: AgentReferences): {
  readonly references: AgentReferences;
  readonly used: () => readonly UsedReference[];
} {
  const used = new Map<string, UsedReference>();
  const note = (kind: UsedReference["kind"], { namespace, name }: ObjectRef): void => {
    const key = `${kind}/${refKey({ namespace, name })}`;
    if (!used.has(key)) used.set(key, { kind, namespace, name });
  };
  const noting =
    <T>(kind: UsedReference["kind"], find: (ref: ObjectRef) => T) =>
    (ref: ObjectRef): T => {
      note(kind, ref);
      return find(ref);
    };
  return {
    used: () => [...used.values()],
    references: {
      ...references,
      modelConfig: noting("ModelConfig", references.modelConfig),
      toolServer: noting("RemoteMCPServer", references.toolServer),
      agent: noting("Agent", references.agent),
      service: noting("Service", references.service),
      value: (namespace, source) => {
        note(source.type, { namespace, name: source.name });
        return references.value(namespace, source);
      },
      namespaceLabels: (name) => {
        note("Namespace", { namespace: "", name });
        return references.namespaceLabels(name);
      },
    },
  };
}
