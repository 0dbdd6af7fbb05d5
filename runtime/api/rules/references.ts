import type { AllowedNamespaces } from "../allowed-namespaces.ts";
import { suggestion } from "../issue-message.ts";
import { DEFAULT_MODEL_CONFIG, GROUP, refKey } from "../names.ts";
import { admits } from "../namespace-admission.ts";
import { type Agent, objectKey } from "../objects.ts";
import { calledAgents } from "./called-agents.ts";
import { type Finding, reporter } from "./finding.ts";
import { type ObjectSet, refOf } from "./object-set.ts";

/** What the rule may be told beside the objects. */
export interface ReferenceOptions {
  /** Labels of namespaces, for `allowedNamespaces.selector`; without them such references get a warning. */
  readonly namespaceLabels?: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

type Tool = NonNullable<NonNullable<Agent["spec"]["declarative"]>["tools"]>[number];
type Target = {
  readonly kind: "Agent" | "ModelConfig" | "RemoteMCPServer";
  readonly namespace: string;
  readonly name: string;
};

/** Kinds that kagent knows as MCP servers and that are no objects of ours. */
const FOREIGN_SERVERS = ["MCPServer", "Service"];

/**
 * References of an agent that lead nowhere or where they may not: models, tool servers, agents as tools
 * and of hand-offs, and what routing rules send to or read from, which must be tools of type Agent too.
 */
export function references(
  agent: Agent,
  set: ObjectSet,
  options: ReferenceOptions = {},
): readonly Finding[] {
  const { declarative } = agent.spec;
  if (declarative === undefined) return [];
  const check = new References(agent, set, options);
  return [
    ...check.models(),
    ...(declarative.tools ?? []).flatMap((tool, index) =>
      check.server(tool, `spec.declarative.tools[${index}].mcpServer`),
    ),
    ...check.agents(),
    ...check.routing(),
  ];
}

class References {
  readonly #agent: Agent;
  readonly #set: ObjectSet;
  readonly #options: ReferenceOptions;
  readonly #namespace: string;
  readonly #report: ReturnType<typeof reporter>;

  constructor(agent: Agent, set: ObjectSet, options: ReferenceOptions) {
    this.#agent = agent;
    this.#set = set;
    this.#options = options;
    this.#namespace = refOf(agent, set.namespace).namespace;
    this.#report = reporter("references", objectKey(agent, set.namespace));
  }

  models(): readonly Finding[] {
    const { modelConfig, context, memory } = this.#agent.spec.declarative ?? {};
    const summarizer = context?.compaction?.summarizer?.modelConfig;
    const named: readonly (readonly [string, string | undefined])[] = [
      ["modelConfig", modelConfig ?? DEFAULT_MODEL_CONFIG],
      ["context.compaction.summarizer.modelConfig", summarizer],
      ["memory.modelConfig", memory?.modelConfig],
    ];
    return named.flatMap(([path, name]) =>
      name === undefined
        ? []
        : this.#exists(
            { kind: "ModelConfig", namespace: this.#namespace, name },
            `spec.declarative.${path}`,
          ),
    );
  }

  server({ mcpServer }: Tool, path: string): readonly Finding[] {
    if (mcpServer === undefined) return [];
    const { kind, name, apiGroup } = mcpServer;
    const namespace = mcpServer.namespace ?? this.#namespace;
    if (kind !== "RemoteMCPServer") return this.#foreignServer(mcpServer, namespace, path);
    if (apiGroup !== undefined && apiGroup !== "" && apiGroup !== GROUP)
      return [this.#report.error(`${path}.apiGroup`, `must be "${GROUP}" for a RemoteMCPServer`)];
    const target = { kind: "RemoteMCPServer", namespace, name } as const;
    const server = this.#set.toolServers.get(refKey(target));
    return [
      ...this.#exists(target, path),
      ...this.#mayUse(target, server?.spec.allowedNamespaces, path),
    ];
  }

  agents(): readonly Finding[] {
    return calledAgents(this.#agent, this.#namespace).flatMap(({ ref, key, path }) => {
      const target = { kind: "Agent", ...ref } as const;
      const called = this.#set.agents.get(key);
      return [
        ...this.#exists(target, path),
        ...this.#mayUse(target, called?.spec.allowedNamespaces, path),
      ];
    });
  }

  routing(): readonly Finding[] {
    const { routing } = this.#agent.spec.declarative ?? {};
    if (routing === undefined) return [];
    const tools = new Set(
      calledAgents(this.#agent, this.#namespace)
        .filter(({ by }) => by === "tool")
        .map(({ key }) => key),
    );
    const path = "spec.declarative.routing";
    const targets = routing.rules.flatMap(({ agent, readFirst }, at) => {
      const rule = `${path}.rules[${at}]`;
      const target = { agent, path: `${rule}.agent` };
      if (readFirst === undefined) return [target];
      return [target, { agent: readFirst, path: `${rule}.readFirst` }];
    });
    if (typeof routing.onNoMatch === "object")
      targets.push({ agent: routing.onNoMatch.agent, path: `${path}.onNoMatch.agent` });
    return targets.flatMap(({ agent, path: at }) => {
      const key = refKey({ namespace: agent.namespace ?? this.#namespace, name: agent.name });
      if (tools.has(key)) return [];
      const hint = suggestion(agent.name, [...tools].map(nameOf));
      return [this.#report.error(at, `Agent ${key} must be a tool of type Agent too${hint}`)];
    });
  }

  #exists(target: Target, path: string): readonly Finding[] {
    if (this.#set.known.has(`${target.kind}/${refKey(target)}`)) return [];
    const hint = suggestion(target.name, this.#names(target));
    return [this.#report.error(path, `${target.kind} ${refKey(target)} does not exist${hint}`)];
  }

  /** Names to suggest; only of sets so small that looking through all of them costs nothing. */
  #names({ kind, namespace }: Target): readonly string[] {
    const { agents, modelConfigs, toolServers } = this.#set;
    const map = { Agent: agents, ModelConfig: modelConfigs, RemoteMCPServer: toolServers }[kind];
    if (map.size > MAX_SUGGESTIONS) return [];
    return [...map.keys()].filter((key) => key.startsWith(`${namespace}/`)).map(nameOf);
  }

  #foreignServer(
    mcpServer: NonNullable<Tool["mcpServer"]>,
    namespace: string,
    path: string,
  ): readonly Finding[] {
    const kind =
      mcpServer.kind === undefined || mcpServer.kind === "" ? "MCPServer" : mcpServer.kind;
    if (!FOREIGN_SERVERS.includes(kind)) {
      const known = ["RemoteMCPServer", ...FOREIGN_SERVERS];
      return [
        this.#report.error(`${path}.kind`, `unknown kind of tool server${suggestion(kind, known)}`),
      ];
    }
    const key = refKey({ namespace, name: mcpServer.name });
    if (this.#set.known.has(`RemoteMCPServer/${key}`))
      return [
        this.#report.error(
          `${path}.kind`,
          `${key} is a RemoteMCPServer: set kind to "RemoteMCPServer"`,
        ),
      ];
    if (namespace !== this.#namespace)
      return [this.#report.error(path, `a ${kind} of another namespace cannot be used`)];
    return [
      this.#report.warning(
        path,
        kind === "Service"
          ? `Service ${key} is not among these objects and was not looked up`
          : `${kind} ${key} is not served by this platform and was not looked up`,
      ),
    ];
  }

  #mayUse(
    target: Target,
    allowed: AllowedNamespaces | undefined,
    path: string,
  ): readonly Finding[] {
    if (target.namespace === this.#namespace) return [];
    if (!this.#set.known.has(`${target.kind}/${refKey(target)}`)) return [];
    const verdict = admits(
      allowed,
      this.#namespace,
      this.#options.namespaceLabels?.get(this.#namespace),
    );
    if (verdict === "yes") return [];
    const who = `${target.kind} ${refKey(target)}`;
    if (verdict === "unknown")
      return [
        this.#report.warning(
          path,
          `whether ${who} may be used from namespace ${this.#namespace} depends on the namespace's labels`,
        ),
      ];
    return [
      this.#report.error(
        path,
        `${who} may not be used from namespace ${this.#namespace}: see its spec.allowedNamespaces`,
      ),
    ];
  }
}

/** 500 names: comparing more of them for a suggestion would make a large set slow. */
const MAX_SUGGESTIONS = 500;

/** Name in a `namespace/name`. */
function nameOf(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}
