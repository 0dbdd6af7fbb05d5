import { API_VERSION } from "../../runtime/api/names.ts";
import type { RemoteMcpServerInput } from "../../runtime/api/objects.ts";
import { type PlatformServer, SERVERS } from "../../runtime/api/tool-catalogue.ts";
import type { DefinitionSettings } from "./settings.ts";

const DESCRIPTIONS: Readonly<Record<PlatformServer, string>> = {
  k8s: "Kubernetes objects, events and logs of every cluster, through the gateway",
  helm: "Helm releases of every cluster, through the gateway",
  grafana: "Metrics, logs, alert rules and dashboards across clusters, through Grafana",
  opencost: "Cost allocation, assets and efficiency of every cluster, through OpenCost",
  github: "Repositories, pull requests and issues",
  code: "Current time, memories and a code sandbox",
};

/** The RemoteMCPServers of the platform, each a route of the gateway. */
export function toolServers(settings: DefinitionSettings): readonly RemoteMcpServerInput[] {
  return (Object.keys(SERVERS) as PlatformServer[]).map((server) => ({
    apiVersion: API_VERSION,
    kind: "RemoteMCPServer",
    metadata: { name: SERVERS[server].remoteMcpServer, namespace: settings.namespace },
    spec: {
      description: DESCRIPTIONS[server],
      url: `${settings.gatewayUrl}/mcp/${SERVERS[server].route}`,
      protocol: "STREAMABLE_HTTP",
      timeout: "30s",
    },
  }));
}
