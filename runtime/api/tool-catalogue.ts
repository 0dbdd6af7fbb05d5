import type { CatalogueTool, ToolAccess, ToolServerName } from "./catalogue/catalogue-tool.ts";
import { KAGENT_TOOLS } from "./catalogue/kagent-tools.ts";
import { PLATFORM_TOOLS } from "./catalogue/platform-tools.ts";

/** 64 characters: language models' providers refuse longer function names. */
export const MAX_TOOL_NAME = 64;
/** 14 characters: the longest that keeps every Kubernetes and Helm tool within {@link MAX_TOOL_NAME}. */
export const MAX_CLUSTER_NAME = 14;

/** Tool servers that a stack has. */
export type PlatformServer = Exclude<ToolServerName, "kagent-tools">;

/** How a tool server is wired (decisions 11, 40). */
export interface ServerWiring {
  /** RemoteMCPServer that agents name. */
  readonly remoteMcpServer: string;
  /** Last segment of its route at the MCP gateway, `/mcp/<route>`. */
  readonly route: string;
  /** Target at the gateway; followed by `-<cluster>` where there is one server for each cluster. */
  readonly target: string;
  /** Whether each cluster has one of its own. */
  readonly perCluster: boolean;
}

/** Every tool server of a stack. */
export const SERVERS: Readonly<Record<PlatformServer, ServerWiring>> = {
  k8s: {
    remoteMcpServer: "k8s-tools-federated",
    route: "k8s",
    target: "k8s-tools",
    perCluster: true,
  },
  helm: {
    remoteMcpServer: "helm-tools-federated",
    route: "helm",
    target: "helm-tools",
    perCluster: true,
  },
  grafana: {
    remoteMcpServer: "kagent-grafana-mcp",
    route: "grafana",
    target: "grafana",
    perCluster: false,
  },
  opencost: {
    remoteMcpServer: "opencost-mcp-server",
    route: "opencost",
    target: "opencost",
    perCluster: true,
  },
  github: {
    remoteMcpServer: "github-mcp-server",
    route: "github",
    target: "github",
    perCluster: false,
  },
  code: {
    remoteMcpServer: "code-tools-mcp-server",
    route: "code",
    target: "code",
    perCluster: false,
  },
};

/** Every tool of which it is known whether it reads or writes (decisions 11). */
export const TOOL_CATALOGUE: readonly CatalogueTool[] = [...KAGENT_TOOLS, ...PLATFORM_TOOLS];

const BY_NAME: ReadonlyMap<string, CatalogueTool> = new Map(
  TOOL_CATALOGUE.map((tool) => [tool.name, tool]),
);

/** First words of tool families: what a tool does stands behind them. */
const FAMILIES = new Set([
  "k8s",
  "helm",
  "prometheus",
  "argo",
  "istio",
  "cilium",
  "kubescape",
  "datetime",
]);

/** First words of tools that change nothing. */
const READS = new Set("get list describe query search find read show view count watch".split(" "));

/** First words of tools that change something. */
const WRITES = new Set(
  (
    "add annotate apply approve assign attach cancel clear close commit cordon create delete deploy " +
    "destroy detach disable drain drop edit enable evict exec execute fork import insert install invoke " +
    "kill label lock merge modify move patch pause post promote publish purge push put reboot remove " +
    "rename reopen replace request reset restart restore resume revert rollback rollout rotate run save " +
    "scale send set shell start stop submit suspend sync taint terminate trigger uncordon undo uninstall " +
    "unlock update upgrade upload upsert write"
  ).split(" "),
);

const TARGET = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

/**
 * Name of a server's target at the gateway.
 *
 * @param cluster - For servers that each cluster has one of, and for those only.
 * @throws TypeError for a cluster where there is none, a missing one, and a name that is no label of
 * 1 to {@link MAX_CLUSTER_NAME} characters.
 * @example
 * targetName("k8s", "services-amer"); // "k8s-tools-services-amer"
 */
export function targetName(server: PlatformServer, cluster?: string): string {
  const { target, perCluster } = SERVERS[server];
  if (perCluster !== (cluster !== undefined))
    throw new TypeError(
      `${server} has ${perCluster ? "one target for each cluster" : "one target"}`,
    );
  if (cluster === undefined) return target;
  if (cluster.length > MAX_CLUSTER_NAME || !TARGET.test(cluster))
    throw new TypeError(
      `cluster name "${cluster}" must be 1 to ${MAX_CLUSTER_NAME} lower-case letters, digits or dashes`,
    );
  return `${target}-${cluster}`;
}

/**
 * Name of a tool as agents and the gateway spell it.
 *
 * @throws RangeError when it is longer than {@link MAX_TOOL_NAME}.
 * @throws TypeError when the target could not be split off again.
 */
export function prefixedTool(target: string, tool: string): string {
  if (!TARGET.test(target)) throw new TypeError(`"${target}" is no name of a target`);
  const name = `${target}_${tool}`;
  if (name.length > MAX_TOOL_NAME)
    throw new RangeError(
      `tool name "${name}" has ${name.length} characters, more than ${MAX_TOOL_NAME}`,
    );
  return name;
}

/** A prefixed tool name taken apart. */
export interface SplitTool {
  /** Target at the gateway. */
  readonly target: string;
  /** Tool as its server spells it. */
  readonly tool: string;
  /** Server the target belongs to; absent for servers that are not ours. */
  readonly server?: PlatformServer;
  /** Cluster the target belongs to, where each has one. */
  readonly cluster?: string;
}

/** Takes a prefixed name apart at the first underscore; `undefined` where there is nothing to part. */
export function splitTool(name: string): SplitTool | undefined {
  const at = name.indexOf("_");
  if (at <= 0 || at === name.length - 1) return undefined;
  const target = name.slice(0, at);
  return { target, tool: name.slice(at + 1), ...ownerOf(target) };
}

function ownerOf(target: string): Pick<SplitTool, "server" | "cluster"> {
  for (const server of Object.keys(SERVERS) as PlatformServer[]) {
    const wiring = SERVERS[server];
    if (!wiring.perCluster && target === wiring.target) return { server };
    if (wiring.perCluster && target.startsWith(`${wiring.target}-`))
      return { server, cluster: target.slice(wiring.target.length + 1) };
  }
  return {};
}

/** The known tool that `name` stands for, with or without target. */
export function catalogueTool(name: string): CatalogueTool | undefined {
  const bare = splitTool(name)?.tool;
  return BY_NAME.get(name) ?? (bare === undefined ? undefined : BY_NAME.get(bare));
}

/**
 * Whether a tool reads or writes, by the catalogue, else by the first word of its name.
 *
 * What the server claims is not asked: kagent's own claims that every tool destroys. A name may or
 * may not carry a target, so both readings are looked at and the more dangerous one counts; a word
 * further inside never does (`k8s_patch_status` writes).
 *
 * @returns `unknown` where neither tells: whoever gates writes treats it as one.
 */
export function toolAccess(name: string): ToolAccess | "unknown" {
  const known = catalogueTool(name);
  if (known !== undefined) return known.access;
  const split = splitTool(name);
  // Targets have dashes, and tools that the catalogue does not know hardly ever.
  const readings = split?.target.includes("-") === true ? [] : [name];
  const verbs = [...readings, ...(split === undefined ? [] : [split.tool])].map(verbOf);
  if (verbs.some((verb) => WRITES.has(verb))) return "write";
  return verbs.some((verb) => READS.has(verb)) ? "read" : "unknown";
}

/** First word of a tool's name behind the name of its family: of `getPods`, `get-pods`, `k8s_get_pods`. */
function verbOf(tool: string): string {
  const words = tool
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  const [first = "", second = ""] = words;
  return FAMILIES.has(first) ? second : first;
}
