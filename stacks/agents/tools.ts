import {
  type PlatformServer,
  prefixedTool,
  SERVERS,
  targetName,
} from "../../runtime/api/tool-catalogue.ts";
import type { ToolInput } from "./agent.ts";

/** Tools of one server for an agent, by the names of the catalogue. */
export interface ToolChoice {
  readonly server: PlatformServer;
  /** Cluster, for servers that each cluster has one of. */
  readonly cluster?: string;
  /** Tools that only read. */
  readonly read: readonly string[];
  /** Tools that wait for a person. */
  readonly approve?: readonly string[];
}

/**
 * An entry of an agent's tools with the names that the gateway gives them.
 *
 * @throws TypeError for a name that is too long or a cluster where there is none.
 */
export function serverTools({ server, cluster, read, approve = [] }: ToolChoice): ToolInput {
  const target = targetName(server, cluster);
  const named = (tool: string): string => prefixedTool(target, tool);
  return {
    type: "McpServer",
    mcpServer: {
      kind: "RemoteMCPServer",
      apiGroup: "kagent.dev",
      name: SERVERS[server].remoteMcpServer,
      toolNames: [...read, ...approve].map(named),
      ...(approve.length === 0 ? {} : { requireApproval: approve.map(named) }),
    },
  };
}

/** Tools that read a cluster's objects. */
export const KUBERNETES_READ = [
  "k8s_get_resources",
  "k8s_describe_resource",
  "k8s_get_events",
  "k8s_get_pod_logs",
  "k8s_get_resource_yaml",
  "k8s_get_available_api_resources",
  "k8s_get_cluster_configuration",
];

/** Tools that read a cluster's Helm releases. */
export const HELM_READ = [
  "helm_list_releases",
  "helm_get_release",
  "helm_get_values",
  "helm_history",
  "helm_status",
];
