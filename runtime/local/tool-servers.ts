import { join } from "node:path";
import type { ToolDefinition } from "../api/tool.ts";
import { type PlatformServer, SERVERS, targetName } from "../api/tool-catalogue.ts";
import { localUpstream } from "../gateway/local-upstream.ts";
import type { McpRoute } from "../gateway/mcp-routes.ts";
import type { Clock } from "../process/clock.ts";
import type { MemoryStore } from "../store/session-store.ts";
import type { Logger } from "../telemetry/log.ts";
import { codeTools } from "../toolservers/code/code-tools.ts";
import { makeHttpRequest } from "../toolservers/code/http-tool.ts";
import { PythonSandbox } from "../toolservers/code/python-sandbox.ts";
import { executePython } from "../toolservers/code/python-tool.ts";
import { gitTools } from "../toolservers/git/git-tools.ts";
import { helmTools } from "../toolservers/helm/helm-tools.ts";
import { kubernetesTools } from "../toolservers/kubernetes/kubernetes-tools.ts";
import type { LocalCluster } from "./local-cluster.ts";
import type { LocalOptions } from "./options.ts";
import { costTools, observabilityTools } from "./tool-sources.ts";

/** Owner and name of the local Git repository. */
const REPOSITORY = { owner: "local", repo: "platform-gitops" };

/** What the built-in tool servers need. */
export interface ToolServersDeps {
  readonly options: LocalOptions;
  readonly cluster: LocalCluster;
  readonly memories: MemoryStore;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A host that is named in full may lie in a private network: whoever named it knows it. */
function httpHosts(allowedHosts: readonly string[]) {
  return { allowedHosts, privateHosts: allowedHosts.filter((host) => !host.startsWith("*")) };
}

/** Every built-in tool server as a route of the gateway, named as in a cluster. */
export function toolRoutes(deps: ToolServersDeps): readonly McpRoute[] {
  const { cluster, clock, memories, options, log } = deps;
  const tools: Readonly<Record<PlatformServer, readonly ToolDefinition[]>> = {
    k8s: kubernetesTools({ cluster: cluster.reader, clock }),
    helm: helmTools({ cluster: cluster.reader, clock }),
    grafana: observabilityTools({ sources: options.sources, cluster, clock }),
    opencost: costTools({ sources: options.sources, cluster, clock }),
    github: gitTools({
      ...REPOSITORY,
      directory: join(options.dataDirectory, "git"),
      clock,
      cluster: cluster.name,
      searchPath: options.searchPath,
    }),
    code: [
      ...codeTools({ clock, memories }),
      executePython(new PythonSandbox()),
      makeHttpRequest(httpHosts(options.sources.httpHosts ?? [])),
    ],
  };
  return (Object.keys(tools) as PlatformServer[]).map((server) => {
    const { route, perCluster } = SERVERS[server];
    const name = targetName(server, perCluster ? cluster.name : undefined);
    return { name: route, targets: [{ name, upstream: localUpstream(tools[server], { log }) }] };
  });
}
