import type { Cluster } from "../../../../runtime/api/cluster.ts";
import { MemoryCluster } from "../../../../runtime/kube/memory-cluster.ts";
import type { Clock } from "../../../../runtime/process/clock.ts";

/** The in-memory cluster; writes down every write, and fails or stalls those that a test wants it to. */
export class RecordingCluster {
  readonly memory: MemoryCluster;
  /** `verb Kind namespace/name` of every write that was asked for, Events and Leases excepted. */
  readonly writes: string[] = [];
  /** Thrown instead of doing a write; the write is still listed. */
  failure: (write: string) => Error | undefined = () => undefined;
  readonly cluster: { -readonly [K in keyof Cluster]: Cluster[K] };

  constructor(clock: Pick<Clock, "now">) {
    let uids = 0;
    this.memory = new MemoryCluster({ clock, newId: () => `uid-${++uids}` });
    const inner = this.memory;
    this.cluster = {
      get: (...args) => inner.get(...args),
      list: (...args) => inner.list(...args),
      watch: (...args) => inner.watch(...args),
      reviewToken: (...args) => inner.reviewToken(...args),
      create: async (type, object, signal) => {
        this.#note("create", type.kind, object.metadata);
        return await inner.create(type, object, signal);
      },
      apply: async (type, object, options, signal) => {
        this.#note("apply", type.kind, object.metadata);
        return await inner.apply(type, object, options, signal);
      },
      update: async (type, object, signal) => {
        this.#note("update", type.kind, object.metadata);
        return await inner.update(type, object, signal);
      },
      delete: async (type, key, signal) => {
        this.#note("delete", type.kind, key);
        return await inner.delete(type, key, signal);
      },
      patchStatus: async (type, key, status, signal) => {
        this.#note("status", type.kind, key);
        return await inner.patchStatus(type, key, status, signal);
      },
    };
  }

  /** Writes since the last call. */
  taken(): readonly string[] {
    return this.writes.splice(0);
  }

  #note(
    verb: string,
    kind: string,
    { namespace = "", name }: { readonly namespace?: string; readonly name: string },
  ): void {
    if (kind === "Lease" || kind === "Event") return;
    const write = `${verb} ${kind} ${namespace}/${name}`;
    this.writes.push(write);
    const failure = this.failure(write);
    if (failure !== undefined) throw failure;
  }
}
