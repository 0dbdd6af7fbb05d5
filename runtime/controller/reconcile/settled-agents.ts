import { canonical } from "../../api/approval-decision.ts";
import type { ObjectKey, StoredObject } from "../../api/cluster.ts";
import { type ObjectRef, refKey } from "../../api/names.ts";
import type { AgentEntry } from "../agent-directory.ts";
import type { CachedKind } from "../object-cache.ts";

/** What a pass left behind. */
export interface SettledAgent {
  /** Of all that the pods mount. */
  readonly revision: string;
  /** `Kind/name` of each object with its version then. */
  readonly versions: ReadonlyMap<string, string>;
  readonly uid: string;
  readonly inputs: string;
  readonly jwks: object | undefined;
}

/** What the objects of an Agent are made from, beside what never changes while a replica leads. */
export interface AgentInputs {
  readonly entry: AgentEntry;
  /** Name of the worker's bundle. */
  readonly bundle: string | undefined;
  readonly jwks: object | undefined;
}

/**
 * Agents whose objects were found right, so that a pass over one of which nothing has changed since renders nothing.
 *
 * Only a short cut: what is not known here is rendered and compared.
 */
export class SettledAgents {
  readonly #settled = new Map<string, SettledAgent>();

  /** What the last pass left, if neither the Agent nor any of its objects has changed since. */
  find(
    stored: StoredObject,
    inputs: AgentInputs,
    current: (kind: CachedKind, key: ObjectKey) => StoredObject | undefined,
  ): SettledAgent | undefined {
    const { namespace = "", uid } = stored.metadata;
    const known = this.#settled.get(keyOf(stored));
    if (known?.uid !== uid || known.jwks !== inputs.jwks) return undefined;
    if (known.inputs !== textOf(inputs)) return undefined;
    const isSame = [...known.versions].every(([id, version]) => {
      const [kind = "", name = ""] = id.split("/");
      return current(kind as CachedKind, { namespace, name })?.metadata.resourceVersion === version;
    });
    return isSame ? known : undefined;
  }

  /** Keeps what a pass leaves. @returns It. */
  set(
    stored: StoredObject,
    inputs: AgentInputs,
    { objects, revision }: { readonly objects: readonly StoredObject[]; readonly revision: string },
  ): SettledAgent {
    const versions = objects.map(
      ({ kind, metadata }) => [`${kind}/${metadata.name}`, metadata.resourceVersion] as const,
    );
    const settled = {
      revision,
      versions: new Map(versions),
      uid: stored.metadata.uid,
      inputs: textOf(inputs),
      jwks: inputs.jwks,
    };
    this.#settled.set(keyOf(stored), settled);
    return settled;
  }

  /** Forgets an Agent. */
  forget(ref: ObjectRef): void {
    this.#settled.delete(refKey(ref));
  }
}

function keyOf({ metadata: { namespace = "", name } }: StoredObject): string {
  return refKey({ namespace, name });
}

function textOf({ entry: { config, object }, bundle }: AgentInputs): string {
  const { generation, annotations } = object.metadata;
  // An object that has no generation is compared as a whole.
  return canonical([config?.hash, generation ?? object.spec, annotations, bundle]);
}
