import type { OwnerReference } from "../../api/cluster.ts";
import type { ObjectMetadata } from "../../api/cluster-reader.ts";
import { API_VERSION, LABELS } from "../../api/names.ts";
import type { Agent } from "../../api/objects.ts";
import { refOf } from "../../api/rules/object-set.ts";

type Texts = Readonly<Record<string, string>>;

/** Value of labels that say whose an object is. */
const KAGENT = "kagent";
/** kubectl's own record of the Agent; on another object it would be taken for that object's. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Labels that find the pods of an Agent or a pool; they never change, for a Deployment's selector cannot. */
export function selectorLabels(name: string): Texts {
  return { [LABELS.app]: KAGENT, [LABELS.kagent]: name };
}

/** Labels of everything that is made for an Agent or a pool (kagent-api section 2.1). */
export function workloadLabels(name: string, ...over: readonly (Texts | undefined)[]): Texts {
  return Object.assign(
    {
      [LABELS.name]: name,
      [LABELS.managedBy]: KAGENT,
      [LABELS.partOf]: KAGENT,
    },
    ...over,
    selectorLabels(name),
  ) as Texts;
}

/** Metadata of everything that is made for an Agent: its name, its annotations, owned by it. */
export function agentMetadata(
  agent: Agent,
  labels: Texts,
): ObjectMetadata & { annotations?: Texts } {
  const { namespace, name } = refOf(agent);
  const { [LAST_APPLIED]: _, ...annotations } = agent.metadata.annotations ?? {};
  const owner = ownerOf(agent);
  return {
    name,
    namespace,
    labels,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    ...(owner === undefined ? {} : { ownerReferences: [owner] }),
  };
}

/** None for an Agent that no cluster has stored yet. */
function ownerOf({ kind, metadata: { name, uid } }: Agent): OwnerReference | undefined {
  if (uid === undefined) return undefined;
  return { apiVersion: API_VERSION, kind, name, uid, controller: true, blockOwnerDeletion: true };
}
