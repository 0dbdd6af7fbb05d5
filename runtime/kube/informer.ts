import type {
  Cluster,
  ObjectKey,
  ResourceType,
  Selection,
  StoredObject,
  WatchEvent,
} from "../api/cluster.ts";
import { ClusterError } from "../api/cluster-reader.ts";
import type { Clock } from "../process/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { backOffMs } from "./back-off.ts";

/** What an {@link Informer} works with. */
export interface InformerDeps {
  readonly cluster: Pick<Cluster, "list" | "watch">;
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  /** 0 <= random < 1; spreads the restarts of many informers. */
  readonly random: () => number;
  readonly log: Logger;
}

/** What an {@link Informer} follows. */
export interface InformerOptions {
  readonly type: ResourceType;
  /** Everything in the cluster unless set. */
  readonly selection?: Selection;
  /**
   * What is kept of an object, e.g. without fields that nobody reads: bounds memory. Identity must stay; must not throw.
   * `metadata.managedFields` is gone already.
   */
  readonly transform?: (object: StoredObject) => StoredObject;
}

/**
 * Called after the cache changed: `old` is absent for a new object, `now` for one that is gone. What was deleted and made
 * again while nobody looked comes as one change with another uid.
 */
export type ChangeListener = (
  key: ObjectKey,
  old: StoredObject | undefined,
  now: StoredObject | undefined,
) => void;

/** 1-30 s between connections: a server that restarts is not stormed, and is found again soon. */
const BACK_OFF = { leastMs: 1_000, mostMs: 30_000 };
/** 10 s: a connection that lived so long worked; a server that closes after each event does not count as working. */
const HEALTHY_MS = 10_000;
/** 5 short-lived connections in a row: the version itself may be the trouble (e.g. storage restored from a backup). */
const DISTRUST_AFTER = 5;

/**
 * Local copy of all objects of a selection, kept up to date: list, then watch, for as long as it runs.
 *
 * Whatever ends a watch (server gone, connection reset, version forgotten, garbage on the wire) starts another with
 * back-off; after each break the copy is right again, deletions included.
 */
export class Informer {
  readonly #deps: InformerDeps;
  readonly #options: InformerOptions;
  readonly #cache = new Map<string, StoredObject>();
  readonly #listeners = new Set<ChangeListener>();
  readonly #synced = Promise.withResolvers<undefined>();
  /** Where the next watch goes on; `undefined`: list first. */
  #version: string | undefined;

  constructor(deps: InformerDeps, options: InformerOptions) {
    this.#deps = deps;
    this.#options = options;
    // who does not wait for it must not hear of an abort
    this.#synced.promise.catch(() => undefined);
  }

  /** Follows the cluster; to be called once. @returns Resolves when the signal has aborted; never rejects. */
  async start(signal: AbortSignal): Promise<void> {
    const isOver = (): boolean => signal.aborted;
    for (let failures = 0; !isOver(); ) {
      const began = this.#deps.clock.monotonic();
      const problem = await this.#follow(signal);
      if (isOver()) break;
      const livedMs = this.#deps.clock.monotonic() - began;
      failures = livedMs >= HEALTHY_MS ? 0 : failures + 1;
      if (problem instanceof ClusterError && problem.code === "expired") this.#version = undefined;
      else if (problem !== undefined) this.#warn("following failed", problem);
      if (failures > 0 && failures % DISTRUST_AFTER === 0) this.#version = undefined;
      if (failures > 0) await this.#pause(failures, signal);
    }
    this.#synced.reject(signal.reason);
  }

  /** Resolves when the first list is in the cache; rejects with the reason of the abort when there never was one. */
  async synced(): Promise<void> {
    await this.#synced.promise;
  }

  /** The object as it was last heard of. */
  get(key: ObjectKey): StoredObject | undefined {
    return this.#cache.get(idOf(key));
  }

  /** Every object, in no order. */
  list(): readonly StoredObject[] {
    return [...this.#cache.values()];
  }

  /**
   * Tells every change from now on, and every object that is there already. What the listener throws is logged.
   *
   * @returns Stops it.
   */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    for (const object of this.list()) this.#tell(listener, keyOf(object), undefined, object);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** One list, if needed, and one watch. @returns What ended it; `undefined` when the server closed in good order. */
  async #follow(signal: AbortSignal): Promise<unknown> {
    const { type, selection = {} } = this.#options;
    try {
      this.#version ??= await this.#relist(signal);
      const from = { ...selection, resourceVersion: this.#version };
      for await (const event of this.#deps.cluster.watch(type, from, signal)) this.#take(event);
      return undefined;
    } catch (error) {
      return error ?? new Error("failed to watch for no reason");
    }
  }

  async #relist(signal: AbortSignal): Promise<string> {
    const { type, selection = {} } = this.#options;
    const { items, resourceVersion } = await this.#deps.cluster.list(type, selection, signal);
    const listed = new Set(items.map((item) => idOf(item.metadata)));
    const gone = [...this.#cache].filter(([id]) => !listed.has(id));
    for (const item of items) this.#put(item);
    for (const [, object] of gone) this.#remove(object);
    this.#synced.resolve(undefined);
    return resourceVersion;
  }

  #take(event: WatchEvent): void {
    if (event.type === "bookmark") this.#version = event.resourceVersion;
    else {
      if (event.type === "deleted") this.#remove(event.object);
      else this.#put(event.object);
      this.#version = event.object.metadata.resourceVersion;
    }
  }

  #put(object: StoredObject): void {
    const id = idOf(object.metadata);
    const old = this.#cache.get(id);
    if (old?.metadata.resourceVersion === object.metadata.resourceVersion) return;
    const kept = this.#kept(object);
    this.#cache.set(id, kept);
    this.#tellAll(kept, old, kept);
  }

  #remove(object: StoredObject): void {
    const id = idOf(object.metadata);
    const old = this.#cache.get(id);
    if (old === undefined) return;
    this.#cache.delete(id);
    this.#tellAll(object, old, undefined);
  }

  #kept(object: StoredObject): StoredObject {
    const { managedFields: _managedFields, ...metadata } = object.metadata;
    const slim = { ...object, metadata };
    return this.#options.transform?.(slim) ?? slim;
  }

  #tellAll(
    object: StoredObject,
    old: StoredObject | undefined,
    now: StoredObject | undefined,
  ): void {
    for (const listener of this.#listeners) this.#tell(listener, keyOf(object), old, now);
  }

  #tell(
    listener: ChangeListener,
    key: ObjectKey,
    old: StoredObject | undefined,
    now: StoredObject | undefined,
  ): void {
    try {
      listener(key, old, now);
    } catch (error) {
      this.#warn("listener failed", error, { object: idOf(key) });
    }
  }

  async #pause(failures: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    // rejects on abort only, which the loop sees by itself
    await clock.sleep(backOffMs(BACK_OFF, failures, random), signal).catch(() => undefined);
  }

  #warn(message: string, error: unknown, fields: Readonly<Record<string, unknown>> = {}): void {
    const kind = this.#options.type.plural;
    this.#deps.log.warn(message, { kind, error: String(error), ...fields });
  }
}

function idOf({ namespace, name }: ObjectKey): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function keyOf({ metadata: { namespace, name } }: StoredObject): ObjectKey {
  return namespace === undefined ? { name } : { namespace, name };
}
