import type { ToolDefinition } from "../../api/tool.ts";
import { labelled } from "../define-tool.ts";
import { getAvailableApiResources, getClusterConfiguration } from "./cluster-tools.ts";
import { getEvents, getResources } from "./list-tools.ts";
import { describeResource, getResourceYaml } from "./object-tools.ts";
import { getPodLogs } from "./pod-logs-tool.ts";
import type { ClusterToolsDeps } from "./reading.ts";
import { redactingReader } from "./redact-object.ts";

/**
 * The Kubernetes read tools over one cluster, named as kagent-tools names them (kagent-api section 6).
 *
 * Nothing they read leaves them unredacted, and every answer about a stand-in cluster begins with its label.
 */
export function kubernetesTools(deps: ClusterToolsDeps): readonly ToolDefinition[] {
  const safe = { ...deps, cluster: redactingReader(deps.cluster) };
  return labelled(deps.cluster.label, [
    getResources(safe),
    getPodLogs(safe),
    getEvents(safe),
    describeResource(safe),
    getResourceYaml(safe),
    getAvailableApiResources(safe),
    getClusterConfiguration(safe),
  ]);
}
