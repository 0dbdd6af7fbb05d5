import * as z from "zod";
import { type ApiResource, ClusterError, type KubeObject } from "../../api/cluster-reader.ts";
import type { ToolDefinition } from "../../api/tool.ts";
import { boundBytes } from "../bounded-text.ts";
import { defineTool } from "../define-tool.ts";
import { textAt } from "../json-value.ts";
import { fieldLines } from "./describe-parts.ts";
import { healthOf } from "./health.ts";
import { type ClusterToolsDeps, type Reading, reading, resourceType } from "./reading.ts";

/** `k8s_get_available_api_resources`. */
export function getAvailableApiResources(deps: ClusterToolsDeps): ToolDefinition {
  return defineTool({
    name: "k8s_get_available_api_resources",
    description:
      "All kinds of objects that the cluster serves, custom resources included, one API group per line. Use it when a resource type is unknown.",
    inputSchema: z.strictObject({}),
    run: (_args, { signal }) =>
      reading(deps, signal, async (now) => {
        const { resources, unavailable } = await now.cluster.resources(now.signal);
        const groups = Map.groupBy(resources, ({ group, version }) =>
          group === "" ? version : `${group}/${version}`,
        );
        const lines = [...groups].map(
          ([name, kinds]) => `${name}: ${kinds.map(kindText).join(", ")}`,
        );
        const down = unavailable.length === 0 ? [] : [`not answering: ${unavailable.join(", ")}`];
        const legend = `${resources.length} kinds; plural (short names), * = not in a namespace`;
        return boundBytes([legend, ...lines, ...down].join("\n"));
      }),
  });
}

function kindText({ plural, shortNames, namespaced }: ApiResource): string {
  const short = shortNames.length === 0 ? "" : ` (${shortNames.join(", ")})`;
  return `${plural}${namespaced ? "" : "*"}${short}`;
}

/** `k8s_get_cluster_configuration`. */
export function getClusterConfiguration(deps: ClusterToolsDeps): ToolDefinition {
  return defineTool({
    name: "k8s_get_cluster_configuration",
    description:
      "Which cluster this is: name, context, API server, Kubernetes version, nodes. No credentials.",
    inputSchema: z.strictObject({}),
    run: (_args, { signal }) =>
      reading(deps, signal, async (now) => {
        const [identity, nodes] = await Promise.all([
          now.cluster.identity(now.signal),
          nodeText(now),
        ]);
        const { context, server, version, platform } = identity;
        return fieldLines([
          ["Cluster", now.cluster.name],
          ["Context", context],
          ["API Server", server],
          ["Kubernetes", `${version} (${platform})`],
          ["Nodes", nodes],
        ]).join("\n");
      }),
  });
}

/** 5000 nodes: the largest cluster that Kubernetes supports. */
const MAX_NODES = 5000;

async function nodeText(now: Reading): Promise<string> {
  try {
    const resource = await resourceType(now, "nodes");
    const { items } = await now.cluster.list(resource, { limit: MAX_NODES }, now.signal);
    const ready = items.filter((node) => healthOf(node, now.now).healthy).length;
    return `${items.length}, ${ready} healthy; kubelet ${versions(items).join(", ")}`;
  } catch (error) {
    if (!(error instanceof ClusterError) || error.code !== "forbidden") throw error;
    return "not readable with the platform's credentials";
  }
}

function versions(nodes: readonly KubeObject[]): readonly string[] {
  return [...new Set(nodes.map((node) => textAt(node, "status", "nodeInfo", "kubeletVersion")))];
}
