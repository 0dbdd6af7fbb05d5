import type { AgentConfig, ModelSettings } from "../api/agent-config.ts";
import { sentence, type Violation } from "../api/checked.ts";
import {
  CONDITION_MESSAGES,
  DEFAULT_NAMESPACE,
  type Kind,
  type ObjectRef,
  refKey,
} from "../api/names.ts";
import {
  type Agent,
  type KagentObject,
  type ModelConfig,
  type ModelProviderConfig,
  objectKey,
  parseObject,
  type RemoteMcpServer,
} from "../api/objects.ts";
import type { Finding } from "../api/rules/finding.ts";
import { instructions } from "../api/rules/instructions.ts";
import { type ObjectSet, refOf } from "../api/rules/object-set.ts";
import { references as unresolved } from "../api/rules/references.ts";
import { routing } from "../api/rules/routing.ts";
import type { ToolDescription } from "../api/tool.ts";
import { CallGraph } from "./call-graph.ts";
import { ReferenceIndex } from "./reference-index.ts";
import { resolveAgent } from "./resolve-agent.ts";
import {
  type AgentReferences,
  trackedReferences,
  type UsedReference,
} from "./resolve-references.ts";
import { meansTheSame } from "./same-meaning.ts";

/** An Agent and what became of it. */
export interface AgentEntry {
  readonly ref: ObjectRef;
  readonly object: Agent;
  /** What a worker runs; absent when the Agent is not accepted, or brings its own worker. */
  readonly config?: AgentConfig;
  /** Why it is not accepted; empty when it is. */
  readonly violations: readonly Violation[];
  /** `Kind/namespace/name` of what has to be read before anything can be said; empty as a rule. */
  readonly unread: readonly string[];
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
  /** See {@link AgentReferences.service}; there is none, unless set. */
  readonly service?: AgentReferences["service"];
  /** See {@link AgentReferences.defaultModelConfig}. */
  readonly defaultModelConfig?: string;
  /** Whether `Kind/namespace/name` exists and its values have not been read yet; nothing is, unless set. */
  readonly isUnread?: (id: string) => boolean;
  /** Where it is written down what Agents refer to; shared with others who wait for changes. */
  readonly references?: ReferenceIndex;
}

type Stores = { readonly [K in Kind]: Map<string, Extract<KagentObject, { kind: K }>> };

/**
 * The agents, models and tool servers of a platform, resolved; filled at once by {@link load} or object by object.
 *
 * An Agent is resolved when somebody asks for it and something it refers to has changed since. A change costs as
 * much as there are Agents that refer to what changed.
 */
export class AgentDirectory {
  readonly #deps: DirectoryDeps;
  readonly #index: ReferenceIndex;
  readonly #stores: Stores = {
    Agent: new Map(),
    ModelConfig: new Map(),
    RemoteMCPServer: new Map(),
    ModelProviderConfig: new Map(),
  };
  readonly #rejected = new Map<string, RejectedObject>();
  /** See {@link ObjectSet.known}. */
  readonly #known = new Set<string>();
  readonly #graph: CallGraph;
  /** What objects refer to, looked up here and now. */
  readonly references: AgentReferences;
  readonly #entries = new Map<string, AgentEntry>();
  readonly #namespaceLabels = new Map<string, Readonly<Record<string, string>>>();
  readonly #discovered = new Map<string, readonly ToolDescription[]>();

  constructor(deps: DirectoryDeps) {
    this.#deps = deps;
    this.#index = deps.references ?? new ReferenceIndex();
    this.#graph = new CallGraph(this.#stores.Agent, DEFAULT_NAMESPACE);
    const { agentUrl, defaultModelConfig, service, value } = deps;
    this.references = {
      modelConfig: (ref) => this.model(ref),
      toolServer: (ref) => this.server(ref),
      agent: (ref) => this.#stores.Agent.get(refKey(ref)),
      service: service ?? (() => undefined),
      namespaceLabels: (name) => this.#namespaceLabels.get(name),
      value,
      agentUrl,
      ...(defaultModelConfig === undefined ? {} : { defaultModelConfig }),
    };
  }

  /**
   * Takes the objects of a platform in place of all before. What is wrong with one of them keeps none of the others
   * away.
   *
   * @returns The objects that no schema admits.
   */
  load(inputs: readonly unknown[]): readonly RejectedObject[] {
    for (const key of [...this.#stores.Agent.keys()]) this.#index.delete(`Agent/${key}`);
    for (const store of Object.values(this.#stores)) store.clear();
    this.#known.clear();
    this.#rejected.clear();
    this.#entries.clear();
    const rejected = inputs.flatMap((input) => this.#take(input).rejected ?? []);
    this.#graph.updateAll();
    return rejected;
  }

  /**
   * Takes one object, new or changed.
   *
   * @returns Agents (`namespace/name`) about which something else may have to be said now.
   */
  put(input: unknown): readonly string[] {
    const { id, isChanged } = this.#take(input);
    return isChanged ? this.#changed(id) : [];
  }

  /** Forgets one object. @returns As {@link put}. */
  remove(kind: Kind, ref: ObjectRef): readonly string[] {
    const key = refKey(ref);
    const id = `${kind}/${key}`;
    this.#stores[kind].delete(key);
    this.#known.delete(id);
    this.#rejected.delete(id);
    const concerned = this.#changed(id).filter((agent) => kind !== "Agent" || agent !== key);
    if (kind === "Agent") {
      this.#index.delete(id);
      this.#entries.delete(key);
    }
    return concerned;
  }

  /** Keeps the labels of a namespace, `undefined` when it is gone. @returns As {@link put}. */
  setNamespace(
    name: string,
    labels: Readonly<Record<string, string>> | undefined,
  ): readonly string[] {
    if (labels === undefined) this.#namespaceLabels.delete(name);
    else this.#namespaceLabels.set(name, labels);
    return this.touch(namespaceId(name));
  }

  /** Every object as it was read, unresolved. */
  *objects(): Generator<KagentObject, void, undefined> {
    for (const store of Object.values(this.#stores))
      yield* store.values() as Iterable<KagentObject>;
  }

  /** Labels of namespaces, by name. */
  get namespaceLabels(): ReadonlyMap<string, Readonly<Record<string, string>>> {
    return this.#namespaceLabels;
  }

  /** Something outside that Agents refer to has changed, e.g. a Secret. @returns As {@link put}. */
  touch(id: string): readonly string[] {
    const users = this.#index
      .usersOf(id)
      .flatMap((user) => (user.startsWith("Agent/") ? [user.slice("Agent/".length)] : []));
    for (const user of users) this.#entries.delete(user);
    return users;
  }

  /** What a worker runs under this name. */
  config(ref: ObjectRef): AgentConfig | undefined {
    return this.agent(ref)?.config;
  }

  /** One Agent. */
  agent(ref: ObjectRef): AgentEntry | undefined {
    const key = refKey(ref);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const object = this.#stores.Agent.get(key);
    if (object === undefined) return undefined;
    const entry = this.#resolve(key, object);
    this.#entries.set(key, entry);
    return entry;
  }

  /** Every Agent, by namespace and name. */
  agents(): readonly AgentEntry[] {
    return sorted(this.#stores.Agent).flatMap((object) => this.agent(refOf(object)) ?? []);
  }

  /** One ModelConfig. */
  model(ref: ObjectRef): ModelConfig | undefined {
    return this.#stores.ModelConfig.get(refKey(ref));
  }

  /** Every ModelConfig, by namespace and name. */
  models(): readonly ModelConfig[] {
    return sorted(this.#stores.ModelConfig);
  }

  /** One RemoteMCPServer. */
  server(ref: ObjectRef): RemoteMcpServer | undefined {
    return this.#stores.RemoteMCPServer.get(refKey(ref));
  }

  /** Every RemoteMCPServer, by namespace and name. */
  servers(): readonly RemoteMcpServer[] {
    return sorted(this.#stores.RemoteMCPServer);
  }

  /** One ModelProviderConfig. */
  provider(ref: ObjectRef): ModelProviderConfig | undefined {
    return this.#stores.ModelProviderConfig.get(refKey(ref));
  }

  /** Every ModelProviderConfig, by namespace and name. */
  providers(): readonly ModelProviderConfig[] {
    return sorted(this.#stores.ModelProviderConfig);
  }

  /** What is wrong with an object that breaks its schema. */
  rejected(kind: Kind, ref: ObjectRef): readonly Violation[] | undefined {
    return this.#rejected.get(`${kind}/${refKey(ref)}`)?.violations;
  }

  /** Keeps what a server was found to offer. */
  setDiscovered(server: ObjectRef, tools: readonly ToolDescription[]): void {
    this.#discovered.set(refKey(server), tools);
  }

  /** What a server was found to offer, here or by whoever wrote its status; empty before it was asked. */
  discovered(server: ObjectRef): readonly ToolDescription[] {
    const found = this.#discovered.get(refKey(server));
    if (found !== undefined) return found;
    const written = this.server(server)?.status?.discoveredTools ?? [];
    return written.map(({ name, description }) => ({
      name,
      description,
      inputSchema: { type: "object" },
    }));
  }

  /** Puts an object in its place. */
  #take(input: unknown): {
    readonly id: string;
    readonly isChanged: boolean;
    readonly rejected?: RejectedObject;
  } {
    const parsed = parseObject(input);
    if (parsed.ok) return this.#keep(parsed.value);
    const id = claimedKey(input);
    const rejected = { key: id, violations: parsed.violations };
    const [kind = "", ...ref] = id.split("/");
    if (!Object.hasOwn(this.#stores, kind)) return { id, isChanged: false, rejected };
    this.#stores[kind as Kind].delete(ref.join("/"));
    this.#entries.delete(ref.join("/"));
    this.#rejected.set(id, rejected);
    this.#known.add(id);
    return { id, isChanged: true, rejected };
  }

  #keep(object: KagentObject): { readonly id: string; readonly isChanged: boolean } {
    const id = objectKey(object);
    const key = refKey(refOf(object));
    const store: Map<string, KagentObject> = this.#stores[object.kind];
    const before = store.get(key);
    store.set(key, object);
    this.#known.add(id);
    this.#rejected.delete(id);
    if (before === undefined || !meansTheSame(before, object)) return { id, isChanged: true };
    const entry = this.#entries.get(key);
    if (object.kind === "Agent" && entry !== undefined)
      this.#entries.set(key, { ...entry, object });
    return { id, isChanged: false };
  }

  /** Agents that a change of `id` concerns; they are resolved anew when asked for. */
  #changed(id: string): readonly string[] {
    const concerned = new Set(this.touch(id));
    if (id.startsWith("Agent/")) {
      const key = id.slice("Agent/".length);
      concerned.add(key);
      this.#graph.update(key);
      for (const other of this.#graph.settle()) concerned.add(other);
    }
    for (const key of concerned) this.#entries.delete(key);
    return [...concerned];
  }

  #actual(config: AgentConfig): AgentConfig {
    const { model } = this.#deps;
    return model === undefined ? config : { ...config, model: model(config.model) };
  }

  #resolve(key: string, object: Agent): AgentEntry {
    const ref = refOf(object);
    const { references, used } = trackedReferences(this.references);
    const resolved = resolveAgent(object, references);
    const ids = used().map(usedId);
    this.#index.set(`Agent/${key}`, ids);
    const unread = ids.filter((id) => this.#deps.isUnread?.(id));
    if (unread.length > 0) {
      const violations = [{ path: "", message: `${unread.join(", ")} is being read` }];
      return { ref, object, violations, unread };
    }
    const broken = this.#broken(key, object);
    const paths = new Set(broken.map(({ path }) => path));
    // An image of the user's own is not configured by us.
    const unresolvable = resolved.ok || object.spec.type === "BYO" ? [] : resolved.violations;
    const violations = [...broken, ...unresolvable.filter(({ path }) => !paths.has(path))];
    if (!resolved.ok || violations.length > 0) return { ref, object, violations, unread };
    return { ref, object, config: this.#actual(resolved.value), violations, unread };
  }

  /** What the rules say against an Agent; advice keeps none from its work. */
  #broken(key: string, object: Agent): readonly Violation[] {
    const circle = this.#graph.violation(key);
    const set: ObjectSet = {
      agents: this.#stores.Agent,
      modelConfigs: this.#stores.ModelConfig,
      toolServers: this.#stores.RemoteMCPServer,
      known: this.#known,
      namespace: DEFAULT_NAMESPACE,
    };
    const findings = [
      ...instructions(object, set),
      ...unresolved(object, set, { namespaceLabels: this.#namespaceLabels }),
      ...routing(object, set),
    ];
    return [...(circle === undefined ? [] : [circle]), ...findings.filter(isError)];
  }
}

/** `Accepted` condition's message of an entry. */
export function acceptance(entry: AgentEntry): string {
  return entry.violations.length === 0
    ? CONDITION_MESSAGES.agentAccepted
    : sentence(entry.violations);
}

function isError({ severity }: Finding): boolean {
  return severity === "error";
}

function namespaceId(name: string): string {
  return usedId({ kind: "Namespace", namespace: "", name });
}

/** `Kind/namespace/name`, the form that the index of references has. */
export function usedId({ kind, namespace, name }: UsedReference): string {
  return `${kind}/${namespace}/${name}`;
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
