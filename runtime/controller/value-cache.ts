import { type Cluster, RESOURCES, type StoredObject } from "../api/cluster.ts";
import { type ObjectRef, refKey } from "../api/names.ts";
import { orAbort } from "../process/or-abort.ts";

/** Kinds that hold values. */
export type ValueKind = "Secret" | "ConfigMap";

/** Data as the API server has it: base64 in Secrets, text in ConfigMaps. */
export type ValueData = Readonly<Record<string, string>>;

/** What {@link ValueCache} needs. */
export interface ValueCacheDeps {
  readonly cluster: Pick<Cluster, "get">;
  /** Whether anybody refers to `Kind/namespace/name`; only then its data is kept. */
  readonly isUsed: (id: string) => boolean;
  /** Aborts when the process ends. */
  readonly lifetime: AbortSignal;
}

/** 16 objects are read at once. */
const READS_AT_ONCE = 16;

/**
 * The data of the Secrets and ConfigMaps that somebody refers to, and of no others.
 *
 * Informers hand over every object they see; what nobody refers to is forgotten at once and read again on the day
 * somebody does. So memory follows what is used, not what a cluster holds.
 */
export class ValueCache {
  readonly #deps: ValueCacheDeps;
  /** Ids of what exists. */
  readonly #existing = new Set<string>();
  readonly #data = new Map<string, ValueData>();
  readonly #reading = new Map<string, Promise<void>>();

  constructor(deps: ValueCacheDeps) {
    this.#deps = deps;
  }

  /** Takes note of an object as it is now. */
  observe(kind: ValueKind, object: StoredObject): void {
    const id = idOf(kind, object);
    this.#existing.add(id);
    if (this.#deps.isUsed(id)) this.#data.set(id, dataOf(object));
    else this.#data.delete(id);
  }

  /** Takes note that an object is gone. */
  forget(kind: ValueKind, object: StoredObject): void {
    const id = idOf(kind, object);
    this.#existing.delete(id);
    this.#data.delete(id);
  }

  /** Data of an object; `undefined` when there is none, or when it {@link isUnread}. */
  data(kind: ValueKind, ref: ObjectRef): ValueData | undefined {
    return this.#data.get(`${kind}/${refKey(ref)}`);
  }

  /** One value as text; `undefined` as for {@link data}, and when the key is missing. */
  value(kind: ValueKind, ref: ObjectRef, key: string): string | undefined {
    const data = this.data(kind, ref);
    const value = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
    if (value === undefined || kind === "ConfigMap") return value;
    return Buffer.from(value, "base64").toString("utf8");
  }

  /** Whether an object exists whose data has to be read first. */
  isUnread(id: string): boolean {
    return this.#existing.has(id) && !this.#data.has(id);
  }

  /**
   * Reads objects that are unread; each once, however many ask, and on to its end whoever stops waiting.
   *
   * @throws ClusterError when one cannot be read, the signal's reason after an abort.
   */
  async read(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const wanted = ids.filter((id) => this.isUnread(id));
    for (let at = 0; at < wanted.length; at += READS_AT_ONCE)
      await Promise.all(
        wanted.slice(at, at + READS_AT_ONCE).map((id) => orAbort(this.#readOnce(id), signal)),
      );
  }

  /** Forgets the data that nobody refers to any more. */
  sweep(): void {
    for (const id of [...this.#data.keys()]) if (!this.#deps.isUsed(id)) this.#data.delete(id);
  }

  #readOnce(id: string): Promise<void> {
    const under = this.#reading.get(id);
    if (under !== undefined) return under;
    const reading = this.#read(id).finally(() => {
      this.#reading.delete(id);
    });
    this.#reading.set(id, reading);
    return reading;
  }

  async #read(id: string): Promise<void> {
    const [kind = "", namespace = "", name = ""] = id.split("/");
    const type = kind === "Secret" ? RESOURCES.Secret : RESOURCES.ConfigMap;
    const object = await this.#deps.cluster.get(type, { namespace, name }, this.#deps.lifetime);
    // What an informer told meanwhile is at least as new as this answer.
    if (!this.isUnread(id)) return;
    if (object === undefined) this.#existing.delete(id);
    else this.#data.set(id, dataOf(object));
  }
}

function idOf(kind: ValueKind, { metadata }: StoredObject): string {
  return `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
}

/** Values of another type are left out: an API server has none. */
function dataOf(object: StoredObject): ValueData {
  const { data } = object;
  if (typeof data !== "object" || data === null) return {};
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) =>
      typeof value === "string" ? [[key, value] as const] : [],
    ),
  );
}
