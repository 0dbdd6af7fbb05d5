import * as z from "zod";
import type { KubeObject } from "../../api/cluster-reader.ts";
import type { ToolDefinition } from "../../api/tool.ts";
import { objectName, optionalNamespace } from "../arguments.ts";
import { boundBytes } from "../bounded-text.ts";
import { defineTool } from "../define-tool.ts";
import { recordAt } from "../json-value.ts";
import { pairs } from "./columns.ts";
import { describeNode, describeOther, describeWorkload } from "./describe-object.ts";
import { describePod } from "./describe-pod.ts";
import { eventTable } from "./events.ts";
import { objectText } from "./object-list.ts";
import {
  type ClusterToolsDeps,
  findObject,
  type Reading,
  reading,
  resourceType,
  whereText,
} from "./reading.ts";

const Arguments = z.strictObject({
  resource_type: z
    .string()
    .min(1)
    .max(200)
    .describe("Kind: plural, singular or short name, or plural.group for custom resources"),
  resource_name: objectName("Name of the object"),
  namespace: optionalNamespace("Namespace; absent: the object is looked for in all of them"),
});

/** `k8s_describe_resource`. */
export function describeResource(deps: ClusterToolsDeps): ToolDefinition {
  return defineTool({
    name: "k8s_describe_resource",
    description:
      "Describes one Kubernetes object for people: status with reason, conditions, containers with state, last state, limits and environment, the pods of a workload or node, and the object's events. Use it after k8s_get_resources, on what is unhealthy.",
    inputSchema: Arguments,
    run: (args, { signal }) =>
      reading(deps, signal, async (now) => {
        const resource = await resourceType(now, args.resource_type);
        const object = await findObject(now, {
          resource,
          name: args.resource_name,
          namespace: resource.namespaced ? args.namespace : undefined,
        });
        const [lines, events] = await Promise.all([describe(now, object), eventLines(now, object)]);
        return boundBytes([...lines, ...events].join("\n"));
      }),
  });
}

/** `k8s_get_resource_yaml`. */
export function getResourceYaml(deps: ClusterToolsDeps): ToolDefinition {
  return defineTool({
    name: "k8s_get_resource_yaml",
    description:
      "YAML of one Kubernetes object as it is in the cluster, credentials blanked. Use it to compare with Git or to see a field that the description leaves out.",
    inputSchema: Arguments,
    run: (args, { signal }) =>
      reading(deps, signal, async (now) => {
        const resource = await resourceType(now, args.resource_type);
        const namespace = resource.namespaced ? args.namespace : undefined;
        const object = await findObject(now, { resource, name: args.resource_name, namespace });
        const where = whereText(namespace);
        return objectText({ resource, object, where, output: "yaml", now: now.now });
      }),
  });
}

const WORKLOADS = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"];
/** 500 pods of one workload or node are looked at. */
const MAX_PODS = 500;

async function describe(now: Reading, object: KubeObject): Promise<readonly string[]> {
  if (object.kind === "Pod") return describePod(object, now.now);
  if (object.kind === "Node") {
    const fieldSelector = `spec.nodeName=${object.metadata.name}`;
    return describeNode(object, await pods(now, { fieldSelector }), now.now);
  }
  const labels = recordAt(object, "spec", "selector", "matchLabels");
  if (!WORKLOADS.includes(object.kind) || Object.keys(labels).length === 0)
    return describeOther(object, now.now);
  const place =
    object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace };
  return describeWorkload(
    object,
    await pods(now, { ...place, labelSelector: pairs(labels) }),
    now.now,
  );
}

async function pods(
  now: Reading,
  query: {
    readonly namespace?: string;
    readonly labelSelector?: string;
    readonly fieldSelector?: string;
  },
): Promise<readonly KubeObject[]> {
  const resource = await resourceType(now, "pods");
  const { items } = await now.cluster.list(resource, { ...query, limit: MAX_PODS }, now.signal);
  return items;
}

/** 100 events of one object are read; the table shows 25 of them. */
const MAX_EVENTS = 100;

async function eventLines(now: Reading, object: KubeObject): Promise<readonly string[]> {
  const { name, namespace } = object.metadata;
  const resource = await resourceType(now, "events");
  const query = {
    fieldSelector: `involvedObject.name=${name},involvedObject.kind=${object.kind}`,
    limit: MAX_EVENTS,
    ...(namespace === undefined ? {} : { namespace }),
  };
  const { items } = await now.cluster.list(resource, query, now.signal);
  if (items.length === 0) return ["Events: none"];
  return ["Events:", ...eventTable(items, now.now, "hidden").map((line) => `  ${line}`)];
}
