import type { ObjectKey, StoredObject } from "../api/cluster.ts";
import { LABELS, type ObjectRef, refKey } from "../api/names.ts";

/** A change of one object. */
interface Change<K extends string> {
  readonly kind: K;
  readonly key: ObjectKey;
  readonly old: StoredObject | undefined;
  readonly now: StoredObject | undefined;
}

/** An object that another one manages. */
export interface Dependent<K extends string> {
  readonly kind: K;
  readonly key: ObjectKey;
}

/** Which objects an owner manages, and which pods carry an Agent's name; kept up to date change by change. */
export class DependentIndex<K extends string> {
  /** By uid of the owner, then by `Kind/namespace/name`. */
  readonly #managed = new Map<string, Map<string, Dependent<K>>>();
  /** Names of pods by namespace and value of their label. */
  readonly #pods = new Map<string, Set<string>>();

  /** Takes note of a change. */
  note({ kind, key, old, now }: Change<K>): void {
    const id = `${kind}/${key.namespace ?? ""}/${key.name}`;
    const [before, after] = [controllerOf(old), controllerOf(now)];
    if (before !== undefined && before !== after) drop(this.#managed, before, id);
    if (after !== undefined) {
      const all = this.#managed.get(after) ?? new Map<string, Dependent<K>>();
      this.#managed.set(after, all.set(id, { kind, key }));
    }
    if (kind === "Pod") this.#notePod(key, workloadOf(old), workloadOf(now));
  }

  /** Objects that the owner of this uid manages. */
  managedBy(uid: string): readonly Dependent<K>[] {
    return [...(this.#managed.get(uid)?.values() ?? [])];
  }

  /** Names of the pods of an Agent or a pool. */
  podsOf(ref: ObjectRef): readonly string[] {
    return [...(this.#pods.get(refKey(ref)) ?? [])];
  }

  #notePod({ namespace = "", name }: ObjectKey, was: string | undefined, is: string | undefined) {
    if (was !== undefined && was !== is) drop(this.#pods, refKey({ namespace, name: was }), name);
    if (is === undefined) return;
    const key = refKey({ namespace, name: is });
    this.#pods.set(key, (this.#pods.get(key) ?? new Set<string>()).add(name));
  }
}

/** Uid of the owner that manages an object. */
export function controllerOf(object: StoredObject | undefined): string | undefined {
  return object?.metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;
}

function workloadOf(pod: StoredObject | undefined): string | undefined {
  return pod?.metadata.labels?.[LABELS.kagent];
}

/** Takes `item` out of the collection at `key`, and an empty collection away. */
function drop(
  all: Map<string, { readonly size: number; delete(item: string): boolean }>,
  key: string,
  item: string,
): void {
  const some = all.get(key);
  some?.delete(item);
  if (some?.size === 0) all.delete(key);
}
