import { sentence } from "../../api/checked.ts";
import { type Cluster, RESOURCES, type StoredObject } from "../../api/cluster.ts";
import { LABELS, WORKER_BUNDLE } from "../../api/names.ts";
import type { ObjectCache } from "../object-cache.ts";
import { bundleCopy } from "../objects/bundle-copy.ts";
import type { ObjectWriter } from "./object-writer.ts";

/** What {@link WorkerBundle} needs. */
export interface WorkerBundleDeps {
  readonly cluster: Pick<Cluster, "get">;
  readonly cache: ObjectCache;
  readonly objects: ObjectWriter;
  /** Where pointer and original are. */
  readonly platformNamespace: string;
}

/** The worker's program is not there; the pointer's coming wakes whoever waits for it. */
export class BundleMissingError extends Error {
  override readonly name = "BundleMissingError";
}

/**
 * The worker's program as an immutable ConfigMap: which one it is today, and its copies in the namespaces of Agents
 * (decisions 19).
 */
export class WorkerBundle {
  readonly #deps: WorkerBundleDeps;
  /** The original that was read last; one at a time, for it is near a megabyte. */
  #source:
    | { readonly name: string; readonly object: Promise<StoredObject | undefined> }
    | undefined;

  #seen: string | undefined;

  constructor(deps: WorkerBundleDeps) {
    this.#deps = deps;
  }

  /** Name of the ConfigMap that the pointer names today. */
  get current(): string | undefined {
    const { cache, platformNamespace: namespace } = this.#deps;
    const pointer = { namespace, name: WORKER_BUNDLE.pointer };
    const name = cache.values.value("ConfigMap", pointer, WORKER_BUNDLE.key)?.trim() ?? "";
    return name === "" ? undefined : name;
  }

  /** Whether the pointer names another bundle than when this was asked last. */
  hasChanged(): boolean {
    const { current } = this;
    if (current === this.#seen) return false;
    this.#seen = current;
    return true;
  }

  /**
   * Makes sure that a namespace has today's bundle.
   *
   * @returns Name of the ConfigMap.
   * @throws BundleMissingError when there is none, NameTakenError when its name is taken, ClusterError.
   */
  async ensureIn(namespace: string, signal: AbortSignal): Promise<string> {
    const { cache, objects, platformNamespace } = this.#deps;
    const name = this.current;
    if (name === undefined) {
      const { pointer, key } = WORKER_BUNDLE;
      throw new BundleMissingError(
        `the worker's bundle is missing: ConfigMap ${platformNamespace}/${pointer} has no key ${key}`,
      );
    }
    const key = { namespace, name };
    const there = objects.current("ConfigMap", key);
    // Immutable: what has the name and the label has the content.
    if (there?.metadata.labels?.[LABELS.workerBundle] === "true") return name;
    if (namespace === platformNamespace && cache.get("ConfigMap", key) !== undefined) return name;
    const source = await this.#read(name, signal);
    if (source === undefined)
      throw new BundleMissingError(
        `the worker's bundle is missing: there is no ConfigMap ${platformNamespace}/${name}`,
      );
    const copy = bundleCopy(source, namespace);
    if (!copy.ok) throw new BundleMissingError(sentence(copy.violations));
    await objects.ensure("ConfigMap", copy.value, undefined, signal);
    return name;
  }

  /** Copies in the namespaces of Agents, of today's bundle and of former ones. */
  copies(): readonly StoredObject[] {
    const { cache, platformNamespace } = this.#deps;
    return cache
      .list("ConfigMap")
      .filter(
        ({ metadata: { labels, namespace } }) =>
          labels?.[LABELS.workerBundle] === "true" &&
          labels[LABELS.managedBy] === "kagent" &&
          namespace !== platformNamespace,
      );
  }

  async #read(name: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    const { cluster, platformNamespace: namespace } = this.#deps;
    if (this.#source?.name !== name)
      this.#source = {
        name,
        object: cluster.get(RESOURCES.ConfigMap, { namespace, name }, signal),
      };
    const source = this.#source;
    try {
      const object = await source.object;
      if (object === undefined && this.#source === source) this.#source = undefined;
      return object;
    } catch (error) {
      if (this.#source === source) this.#source = undefined;
      throw error;
    }
  }
}
