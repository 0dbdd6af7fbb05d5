import type { ObjectKey, ResourceType, StoredObject } from "../api/cluster.ts";
import type { Clock } from "../process/clock.ts";
import { ChangeLog } from "./change-log.ts";
import type { FieldOwners } from "./field-owners.ts";
import { type JsonObject, sameJson, withValue } from "./json-fields.ts";
import {
  collectionOf,
  contentDiffers,
  hasFinalizers,
  idOf,
  ownersOf,
  stampOf,
  stored,
  writablePart,
} from "./memory-objects.ts";

/** An object in the table. */
export interface Entry {
  readonly type: ResourceType;
  readonly object: StoredObject;
  readonly owners: FieldOwners;
}

/** The objects of the in-memory cluster: versions, finalizers and garbage collection; every write is logged. */
export class MemoryTable {
  /** What watches follow. */
  readonly log: ChangeLog;
  readonly #collections = new Map<string, Map<string, Entry>>();
  readonly #uids = new Set<string>();
  readonly #clock: Pick<Clock, "now">;
  readonly #newId: () => string;

  /** @param options.remembered - Most changes of the log. */
  constructor(options: {
    readonly clock: Pick<Clock, "now">;
    readonly newId: () => string;
    readonly remembered: number;
  }) {
    this.log = new ChangeLog(options.remembered);
    this.#clock = options.clock;
    this.#newId = options.newId;
  }

  /** @throws ClusterError `invalid` when the namespace is missing. */
  find(type: ResourceType, key: ObjectKey): Entry | undefined {
    const id = idOf(type, key);
    return this.#collections.get(collectionOf(type))?.get(id);
  }

  /** Every object of a kind, by namespace and name. */
  all(type: ResourceType): readonly StoredObject[] {
    return [...(this.#collections.get(collectionOf(type)) ?? [])]
      .sort(([some], [other]) => (some < other ? -1 : 1))
      .map(([, { object }]) => object);
  }

  /** The object as it would be stored; `before`'s own when nothing changes. */
  build(before: Entry | undefined, part: JsonObject, status = before?.object["status"]) {
    const next = { resourceVersion: String(this.log.version + 1) };
    if (before === undefined) {
      const uid = this.#newId();
      const creationTimestamp = this.#timestamp();
      return stored(part, { uid, ...next, generation: 1, creationTimestamp }, status);
    }
    const stamp = stampOf(before.object);
    const same = stored(part, stamp, status);
    if (sameJson(same, before.object)) return before.object;
    const generation = stamp.generation + (contentDiffers(same, before.object) ? 1 : 0);
    return stored(part, { ...stamp, ...next, generation }, status);
  }

  /** Stores an object; nothing happens when nothing changes. */
  write(
    type: ResourceType,
    before: Entry | undefined,
    part: JsonObject,
    owners: FieldOwners,
    status?: unknown,
  ): StoredObject {
    const object = this.build(before, part, status);
    const entry = { type, object, owners };
    if (object === before?.object) this.#put(entry);
    else {
      this.#store(entry, before);
      const isReleased = object.metadata.deletionTimestamp !== undefined && !hasFinalizers(object);
      if (isReleased) this.#remove(entry);
      else this.#collect(entry);
    }
    return object;
  }

  #store(entry: Entry, before: Entry | undefined): void {
    const { type, object } = entry;
    this.#put(entry);
    this.#uids.add(object.metadata.uid);
    const old = before === undefined ? {} : { before: before.object };
    this.log.append({ collection: collectionOf(type), object, ...old, isDeleted: false });
  }

  #put(entry: Entry): void {
    const collection = collectionOf(entry.type);
    const objects = this.#collections.get(collection) ?? new Map<string, Entry>();
    objects.set(idOf(entry.type, entry.object.metadata), entry);
    this.#collections.set(collection, objects);
  }

  /** Removes an object, or marks it while somebody has to do something before. */
  delete(entry: Entry): void {
    if (!hasFinalizers(entry.object)) this.#remove(entry);
    else if (entry.object.metadata.deletionTimestamp === undefined)
      this.#store({ ...entry, object: this.#restamped(entry, this.#timestamp()) }, entry);
  }

  #remove(entry: Entry): void {
    const { type, object } = entry;
    const collection = collectionOf(type);
    this.#collections.get(collection)?.delete(idOf(type, object.metadata));
    this.#uids.delete(object.metadata.uid);
    const last = this.#restamped(entry);
    this.log.append({ collection, object: last, before: object, isDeleted: true });
    const all = [...this.#collections.values()].flatMap((objects) => [...objects.values()]);
    for (const each of all)
      if (ownersOf(each.object).some(({ uid }) => uid === object.metadata.uid)) this.#collect(each);
  }

  /** Deletes an object whose owners are all gone; takes owners that are gone off others. */
  #collect(entry: Entry): void {
    // what went with another owner is no longer there
    if (this.find(entry.type, entry.object.metadata) !== entry) return;
    const owners = ownersOf(entry.object);
    const living = owners.filter(({ uid }) => this.#uids.has(uid));
    if (living.length === owners.length) return;
    if (living.length === 0) this.delete(entry);
    else {
      const part = writablePart(entry.object);
      const path = ["metadata", "ownerReferences"];
      this.write(entry.type, entry, withValue(part, path, living), entry.owners);
    }
  }

  #restamped({ object }: Entry, deletionTimestamp?: string): StoredObject {
    const resourceVersion = String(this.log.version + 1);
    const deleted = deletionTimestamp === undefined ? {} : { deletionTimestamp };
    const stamp = { ...stampOf(object), resourceVersion, ...deleted };
    return stored(writablePart(object), stamp, object["status"]);
  }

  #timestamp(): string {
    return new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  }
}
