import { canonical } from "../../api/approval-decision.ts";
import type { StoredObject } from "../../api/cluster.ts";
import { type Kind, LABELS, type ObjectRef } from "../../api/names.ts";
import type { AgentDirectory } from "../agent-directory.ts";
import { type CacheChange, type CachedKind, dataHashOf } from "../object-cache.ts";
import { POOL_NAME } from "../objects/pool-objects.ts";
import type { ReferenceIndex } from "../reference-index.ts";
import { isOfPool, keyOf, poolKey } from "./keys.ts";
import { isRunning, revisionOf } from "./refresh-pods.ts";

/** What {@link wakeUps} looks at. */
export interface WakeUpDeps {
  readonly directory: AgentDirectory;
  readonly references: ReferenceIndex;
  /** Whether an object is as this process itself wrote it: nobody has to look at that. */
  readonly isEcho: (kind: CachedKind, object: StoredObject) => boolean;
}

/**
 * Takes a change of the cache into the directory.
 *
 * @returns Keys of what has to be reconciled because of it, each once: the object itself, who refers to it, who manages
 *   it. A change that means nothing to anybody wakes nobody.
 */
export function wakeUps(change: CacheChange, deps: WakeUpDeps): ReadonlySet<string> {
  switch (change.kind) {
    case "Agent":
    case "ModelConfig":
    case "RemoteMCPServer":
    case "ModelProviderConfig":
      return ofDefinition(change.kind, change, deps);
    case "Namespace":
      return ofNamespace(change, deps);
    case "Secret":
    case "ConfigMap":
    case "Service":
      return new Set([...ofUsed(change, deps), ...ofDependent(change, deps)]);
    case "Pod":
      return ofPod(change);
    case "Deployment":
    case "ServiceAccount":
      return new Set(ofDependent(change, deps));
  }
}

function ofDefinition(
  kind: Kind,
  change: CacheChange,
  { directory }: WakeUpDeps,
): ReadonlySet<string> {
  const ref = refOf(change);
  const concerned =
    change.now === undefined ? directory.remove(kind, ref) : directory.put(change.now);
  const keys = concerned.map((agent) => `Agent/${agent}`);
  return new Set([...(isNews(change) ? [keyOf(kind, ref)] : []), ...keys]);
}

function ofNamespace({ key, old, now }: CacheChange, { directory }: WakeUpDeps) {
  if (canonical(old?.metadata.labels ?? null) === canonical(now?.metadata.labels ?? null))
    return new Set<string>();
  const labels = now === undefined ? undefined : (now.metadata.labels ?? {});
  return new Set(directory.setNamespace(key.name, labels).map((agent) => `Agent/${agent}`));
}

/** Who refers to a Secret, ConfigMap or Service, if it says something else than before. */
function ofUsed(change: CacheChange, { directory, references }: WakeUpDeps): readonly string[] {
  const id = keyOf(change.kind, refOf(change));
  if (!references.isUsed(id) || !saysSomethingElse(change)) return [];
  directory.touch(id);
  return references.usersOf(id);
}

function saysSomethingElse(change: CacheChange): boolean {
  const { kind, old, now } = change;
  if (old === undefined || now === undefined) return true;
  return kind === "Service" ? isNews(change) : dataHashOf(old) !== dataHashOf(now);
}

/** Whom an object belongs to, unless all that happened is that we wrote it. */
function ofDependent({ kind, old, now }: CacheChange, { isEcho }: WakeUpDeps): readonly string[] {
  if (now !== undefined && isEcho(kind, now)) return [];
  return [old, now].flatMap((object) => (object === undefined ? [] : managersOf(object)));
}

function managersOf(object: StoredObject): readonly string[] {
  const { namespace = "", ownerReferences } = object.metadata;
  if (isOfPool(object)) return [poolKey(namespace)];
  const owner = ownerReferences?.find(({ controller }) => controller === true);
  return owner?.kind === "Agent" ? [keyOf("Agent", { namespace, name: owner.name })] : [];
}

/** Pods wake when they begin to run, or when somebody took our mark off them. */
function ofPod({ old, now }: CacheChange): ReadonlySet<string> {
  const name = now?.metadata.labels?.[LABELS.kagent];
  if (now === undefined || name === undefined || !isRunning(now)) return new Set();
  const isSame =
    old !== undefined &&
    old.metadata.uid === now.metadata.uid &&
    isRunning(old) &&
    revisionOf(old) === revisionOf(now);
  const { namespace = "" } = now.metadata;
  const key = name === POOL_NAME ? poolKey(namespace) : keyOf("Agent", { namespace, name });
  return new Set(isSame ? [] : [key]);
}

/** Whether more than the status of an object is another; that is our own work. */
function isNews({ old, now }: CacheChange): boolean {
  if (old === undefined || now === undefined) return true;
  return canonical(meaning(old)) !== canonical(meaning(now));
}

function meaning({ metadata, spec }: StoredObject): unknown {
  const { uid, generation, labels, annotations, deletionTimestamp } = metadata;
  // Objects without a generation are compared as a whole.
  return [uid, generation ?? spec, labels, annotations, deletionTimestamp];
}

function refOf({ key }: CacheChange): ObjectRef {
  return { namespace: key.namespace ?? "", name: key.name };
}
