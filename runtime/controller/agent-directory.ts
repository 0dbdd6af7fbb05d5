import type { AgentConfig, ModelSettings } from "../api/agent-config.ts";
import { sentence, type Violation } from "../api/checked.ts";
import { DEFAULT_NAMESPACE, type ObjectRef, refKey } from "../api/names.ts";
import {
  type Agent,
  type KagentObject,
  type ModelConfig,
  objectKey,
  parseObject,
  type RemoteMcpServer,
} from "../api/objects.ts";
import { calledAgents } from "../api/rules/called-agents.ts";
import { components } from "../api/rules/components.ts";
import { cycles } from "../api/rules/cycles.ts";
import type { Finding } from "../api/rules/finding.ts";
import { instructions } from "../api/rules/instructions.ts";
import { objectSet, refOf } from "../api/rules/object-set.ts";
import { references as unresolved } from "../api/rules/references.ts";
import type { ToolDescription } from "../api/tool.ts";
import { type AgentReferences, resolveAgent } from "./resolve-agent.ts";

/** An Agent and what became of it. */
export interface AgentEntry {
  readonly ref: ObjectRef;
  readonly object: Agent;
  /** Absent when the Agent is not accepted. */
  readonly config?: AgentConfig;
  /** Why it is not accepted; empty when it is. */
  readonly violations: readonly Violation[];
}

/** An object that is none of ours or breaks its schema. */
export interface RejectedObject {
  /** What it calls itself, as far as it does. */
  readonly key: string;
  readonly violations: readonly Violation[];
}

/** What {@link AgentDirectory} needs from outside. */
export interface DirectoryDeps {
  /** What a ModelConfig stands for here; a laptop has one model for all of them. */
  readonly model?: (settings: ModelSettings) => ModelSettings;
  /** See {@link AgentReferences.value}. */
  readonly value: AgentReferences["value"];
  /** See {@link AgentReferences.agentUrl}. */
  readonly agentUrl: AgentReferences["agentUrl"];
}

/** The agents, models and tool servers of a platform, resolved; swapped as a whole by {@link load}. */
export class AgentDirectory {
  readonly #deps: DirectoryDeps;
  #agents = new Map<string, AgentEntry>();
  #models = new Map<string, ModelConfig>();
  #servers = new Map<string, RemoteMcpServer>();
  readonly #discovered = new Map<string, readonly ToolDescription[]>();

  constructor(deps: DirectoryDeps) {
    this.#deps = deps;
  }

  /**
   * Takes the objects of a platform. What is wrong with one of them keeps none of the others away.
   *
   * @returns The objects that no schema admits.
   */
  load(inputs: readonly unknown[]): readonly RejectedObject[] {
    const rejected: RejectedObject[] = [];
    const objects: KagentObject[] = [];
    for (const input of inputs) {
      const parsed = parseObject(input);
      if (parsed.ok) objects.push(parsed.value);
      else rejected.push({ key: claimedKey(input), violations: parsed.violations });
    }
    this.#models = byRef(objects.filter((object) => object.kind === "ModelConfig"));
    this.#servers = byRef(objects.filter((object) => object.kind === "RemoteMCPServer"));
    this.#agents = this.#resolve(byRef(objects.filter((object) => object.kind === "Agent")));
    return rejected;
  }

  /** What a worker runs under this name. */
  config(ref: ObjectRef): AgentConfig | undefined {
    return this.#agents.get(refKey(ref))?.config;
  }

  /** One Agent. */
  agent(ref: ObjectRef): AgentEntry | undefined {
    return this.#agents.get(refKey(ref));
  }

  /** Every Agent, by namespace and name. */
  agents(): readonly AgentEntry[] {
    return sorted(this.#agents);
  }

  /** Every ModelConfig, by namespace and name. */
  models(): readonly ModelConfig[] {
    return sorted(this.#models);
  }

  /** Every RemoteMCPServer, by namespace and name. */
  servers(): readonly RemoteMcpServer[] {
    return sorted(this.#servers);
  }

  /** Keeps what a server was found to offer. */
  setDiscovered(server: ObjectRef, tools: readonly ToolDescription[]): void {
    this.#discovered.set(refKey(server), tools);
  }

  /** What a server was found to offer; empty before it was asked. */
  discovered(server: ObjectRef): readonly ToolDescription[] {
    return this.#discovered.get(refKey(server)) ?? [];
  }

  #actual(config: AgentConfig): AgentConfig {
    const { model } = this.#deps;
    return model === undefined ? config : { ...config, model: model(config.model) };
  }

  #resolve(agents: ReadonlyMap<string, Agent>): Map<string, AgentEntry> {
    const references: AgentReferences = {
      modelConfig: (ref) => this.#models.get(refKey(ref)),
      toolServer: (ref) => this.#servers.get(refKey(ref)),
      agent: (ref) => agents.get(refKey(ref)),
      value: this.#deps.value,
      agentUrl: this.#deps.agentUrl,
    };
    const circular = circles(agents);
    const set = objectSet([
      ...agents.values(),
      ...this.#models.values(),
      ...this.#servers.values(),
    ]);
    const entries = new Map<string, AgentEntry>();
    for (const [key, object] of agents) {
      const ref = refOf(object);
      const cycle = circular.get(key);
      const broken = [
        ...(cycle === undefined ? [] : [cycle]),
        ...[...instructions(object, set), ...unresolved(object, set)].filter(isError),
      ];
      if (broken.length > 0) {
        entries.set(key, { ref, object, violations: broken });
        continue;
      }
      const resolved = resolveAgent(object, references);
      if (resolved.ok)
        entries.set(key, { ref, object, config: this.#actual(resolved.value), violations: [] });
      else entries.set(key, { ref, object, violations: resolved.violations });
    }
    return entries;
  }
}

/** Advice keeps no agent from its work. */
function isError({ severity }: Finding): boolean {
  return severity === "error";
}

/** `Accepted` condition's message of an entry. */
export function acceptance(entry: AgentEntry): string {
  return entry.violations.length === 0
    ? "Agent configuration accepted"
    : sentence(entry.violations);
}

/** What is wrong with the circles of agents: every member of a circle gets the words about it. */
function circles(agents: ReadonlyMap<string, Agent>): ReadonlyMap<string, Violation> {
  const set = objectSet(agents.values());
  const calls = (key: string): readonly string[] => {
    const agent = agents.get(key);
    if (agent === undefined) return [];
    return calledAgents(agent, refOf(agent).namespace)
      .map((call) => call.key)
      .filter((called) => agents.has(called));
  };
  const groups = components([...agents.keys()], calls);
  const violations = new Map<string, Violation>();
  for (const { object, path, message } of cycles(set)) {
    const key = object.slice("Agent/".length);
    for (const member of groups.find((group) => group.includes(key)) ?? [key])
      violations.set(member, { path, message });
  }
  return violations;
}

function byRef<T extends KagentObject>(objects: readonly T[]): Map<string, T> {
  return new Map(objects.map((object) => [refKey(refOf(object)), object]));
}

function sorted<T>(entries: ReadonlyMap<string, T>): readonly T[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function claimedKey(input: unknown): string {
  const { kind, metadata } = (input ?? {}) as {
    kind?: unknown;
    metadata?: { name?: unknown; namespace?: unknown };
  };
  if (typeof kind !== "string" || typeof metadata?.name !== "string")
    return "an object without kind and name";
  const namespace = typeof metadata.namespace === "string" ? metadata.namespace : DEFAULT_NAMESPACE;
  return objectKey({
    kind: kind as KagentObject["kind"],
    metadata: { name: metadata.name, namespace },
  });
}
