import * as z from "zod";
import type { ApiResource } from "../../api/cluster-reader.ts";
import type { ToolDefinition } from "../../api/tool.ts";
import { choice, flag, optionalName, optionalNamespace, optionalText } from "../arguments.ts";
import { boundBytes } from "../bounded-text.ts";
import { defineTool, ToolFailure } from "../define-tool.ts";
import { eventTable } from "./events.ts";
import { listText, OUTPUTS, objectText } from "./object-list.ts";
import {
  type ClusterToolsDeps,
  findObject,
  missingNamespace,
  type Reading,
  reading,
  resourceType,
  resourceTypes,
  whereText,
} from "./reading.ts";

/** 2000 objects of a kind are read at most; unhealthy ones among them are found wherever they stand. */
const MAX_OBJECTS = 2000;

/** Characters a label selector is made of; anything else is a mistake of the model. */
const SELECTOR = /^[\w./=!,() -]*$/;

const Arguments = z.strictObject({
  resource_type: z
    .string()
    .min(1)
    .max(200)
    .describe(
      "Kind: plural, singular or short name (pods, deploy, svc, ks, hr), plural.group for custom resources, several with commas, or all",
    ),
  resource_name: optionalName("Name of one object; absent: all of them"),
  namespace: optionalNamespace("Namespace; absent: all namespaces"),
  all_namespaces: flag("Look in all namespaces, whatever namespace says"),
  output: choice(
    OUTPUTS,
    "wide",
    "wide: table with status and reason (default); json or yaml: fields; name: names only",
  ),
  label_selector: optionalText(500, "Only objects with these labels, e.g. app=checkout").refine(
    (text) => text === undefined || SELECTOR.test(text),
    "must be a label selector such as app=checkout,tier!=cache",
  ),
});

/** `k8s_get_resources`. */
export function getResources(deps: ClusterToolsDeps): ToolDefinition {
  return defineTool({
    name: "k8s_get_resources",
    description:
      "Lists Kubernetes objects of a kind, or one by name, with their status. Start here to see what runs and what fails: unhealthy objects come first, each with its reason. Works for every kind the cluster serves, Flux and other custom resources included. Secret values are never shown.",
    inputSchema: Arguments,
    run: (args, { signal }) =>
      reading(deps, signal, async (now) => {
        const types = await resourceTypes(now, args.resource_type);
        const texts: string[] = [];
        for (const resource of types) {
          const text = await oneType(now, resource, args);
          // `all` names a dozen kinds: those without objects would only hide the others
          if (types.length === 1 || !text.startsWith("no ")) texts.push(text);
        }
        return boundBytes(texts.join("\n\n") || `nothing found ${whereText(args.namespace)}`);
      }),
  });
}

async function oneType(
  now: Reading,
  resource: ApiResource,
  args: z.output<typeof Arguments>,
): Promise<string> {
  const everywhere = args.all_namespaces || !resource.namespaced;
  const namespace = everywhere ? undefined : args.namespace;
  const where = resource.namespaced ? whereText(namespace) : "in the cluster";
  const view = { resource, where, output: args.output, now: now.now };
  const name = args.resource_name;
  if (name !== undefined) {
    const object = await findObject(now, { resource, name, namespace });
    return objectText({ ...view, object });
  }
  if (!resource.verbs.includes("list"))
    throw new ToolFailure(`${resource.plural} cannot be listed; give a name`);
  const query = {
    limit: MAX_OBJECTS,
    ...(namespace === undefined ? {} : { namespace }),
    ...(args.label_selector === undefined ? {} : { labelSelector: args.label_selector }),
  };
  const list = await now.cluster.list(resource, query, now.signal);
  if (list.items.length === 0) {
    const missing = await missingNamespace(now, namespace);
    if (missing !== undefined) throw new ToolFailure(missing);
  }
  return listText({ ...view, list });
}

/** `k8s_get_events`. */
export function getEvents(deps: ClusterToolsDeps): ToolDefinition {
  return defineTool({
    name: "k8s_get_events",
    description:
      "Recent events of a namespace, or of all namespaces: failed scheduling, failed image pulls, restarts, failed probes. Warnings come first, the latest on top. Use it to find out why something fails.",
    inputSchema: z.strictObject({
      namespace: optionalNamespace("Namespace; absent or empty: all namespaces"),
    }),
    run: ({ namespace }, { signal }) =>
      reading(deps, signal, async (now) => {
        const resource = await resourceType(now, "events");
        const query = { limit: MAX_OBJECTS, ...(namespace === undefined ? {} : { namespace }) };
        const { items } = await now.cluster.list(resource, query, now.signal);
        if (items.length > 0)
          return boundBytes(
            eventTable(items, now.now, namespace === undefined ? "shown" : "hidden").join("\n"),
          );
        const missing = await missingNamespace(now, namespace);
        if (missing !== undefined) throw new ToolFailure(missing);
        return `no events ${whereText(namespace)}`;
      }),
  });
}
