import { DEFAULT_NAMESPACE, type ObjectRef, refKey } from "../names.ts";
import {
  type Agent,
  type KagentObject,
  type ModelConfig,
  objectKey,
  type RemoteMcpServer,
} from "../objects.ts";

/** Objects that are judged together; maps by `namespace/name`, in the order given. */
export interface ObjectSet {
  readonly agents: ReadonlyMap<string, Agent>;
  readonly modelConfigs: ReadonlyMap<string, ModelConfig>;
  readonly toolServers: ReadonlyMap<string, RemoteMcpServer>;
  /** `Kind/namespace/name` of everything that is there, what could not be read included. */
  readonly known: ReadonlySet<string>;
  /** Namespace of objects and references that name none. */
  readonly namespace: string;
}

/**
 * Sorts objects by kind.
 *
 * @param broken - Keys of objects that exist but break their schema: references to them resolve.
 */
export function objectSet(
  objects: Iterable<KagentObject>,
  namespace: string = DEFAULT_NAMESPACE,
  broken: Iterable<string> = [],
): ObjectSet {
  const agents = new Map<string, Agent>();
  const modelConfigs = new Map<string, ModelConfig>();
  const toolServers = new Map<string, RemoteMcpServer>();
  const known = new Set(broken);
  for (const object of objects) {
    const key = refKey(refOf(object, namespace));
    known.add(objectKey(object, namespace));
    if (object.kind === "Agent") agents.set(key, object);
    else if (object.kind === "ModelConfig") modelConfigs.set(key, object);
    else if (object.kind === "RemoteMCPServer") toolServers.set(key, object);
  }
  return { agents, modelConfigs, toolServers, known, namespace };
}

/** Namespace and name of an object. */
export function refOf(
  { metadata }: Pick<KagentObject, "metadata">,
  namespace: string = DEFAULT_NAMESPACE,
): ObjectRef {
  return { namespace: metadata.namespace ?? namespace, name: metadata.name };
}
