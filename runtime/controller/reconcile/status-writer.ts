import { canonical } from "../../api/approval-decision.ts";
import { type Cluster, RESOURCES, type StoredObject } from "../../api/cluster.ts";
import {
  type Condition,
  ConditionList,
  type ConditionType,
  type ConditionUpdate,
  withCondition,
  withoutCondition,
} from "../../api/conditions.ts";
import type { Clock } from "../../process/clock.ts";

/** Kinds whose status we write. */
export type StatusKind = "Agent" | "ModelConfig" | "RemoteMCPServer" | "ModelProviderConfig";

/** What a status should say. */
export interface StatusUpdate {
  /** Conditions that hold, or do not; others stay as they are. */
  readonly conditions: readonly ConditionUpdate[];
  /** Conditions that are no longer spoken of. */
  readonly without?: readonly ConditionType[];
  /** Further fields of the status; `null` takes one away. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** What a write came to. */
export interface StatusChange {
  /** Conditions as they are now. */
  readonly conditions: readonly Condition[];
  /** Conditions whose status, reason or message is another than before. */
  readonly changed: readonly Condition[];
}

type Status = Readonly<Record<string, unknown>>;

/** 32,000 characters: what the schema of a condition takes, with room for the mark of what is left out. */
const MAX_MESSAGE = 32_000;

/** Writes statuses, and only those that say something new. */
export class StatusWriter {
  readonly #cluster: Pick<Cluster, "patchStatus">;
  readonly #clock: Pick<Clock, "now">;
  /** What was written on top of the version that the cache has, until the cache has moved on. */
  readonly #written = new Map<string, { readonly basedOn: string; readonly status: Status }>();

  constructor(cluster: Pick<Cluster, "patchStatus">, clock: Pick<Clock, "now">) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  /**
   * Makes the status of an object say what it should; an object that is gone stays gone.
   *
   * @param object - As the cache has it.
   * @throws ClusterError when the write fails.
   */
  async write(
    kind: StatusKind,
    object: StoredObject,
    update: StatusUpdate,
    signal: AbortSignal,
  ): Promise<StatusChange> {
    const before = this.read(kind, object);
    const conditions = ConditionList.parse(before["conditions"]);
    const next = this.#next(conditions, update, object.metadata.generation ?? 0);
    const changed = next.filter(
      (condition) => !conditions.some((old) => saysTheSame(old, condition)),
    );
    const patch = {
      ...update.fields,
      observedGeneration: object.metadata.generation ?? 0,
      ...(next === conditions ? {} : { conditions: next }),
    };
    if (isSaid(before, patch)) return { conditions: next, changed };
    const { name, namespace = "" } = object.metadata;
    const written = await this.#cluster.patchStatus(
      RESOURCES[kind],
      { name, namespace },
      patch,
      signal,
    );
    if (written !== undefined && written.metadata.uid === object.metadata.uid)
      this.#written.set(idOf(kind, object), {
        basedOn: object.metadata.resourceVersion,
        status: statusOf(written),
      });
    return { conditions: next, changed };
  }

  /** The status of an object, what was just written included. */
  read(kind: StatusKind, object: StoredObject): Status {
    const id = idOf(kind, object);
    const written = this.#written.get(id);
    if (written?.basedOn === object.metadata.resourceVersion) return written.status;
    if (written !== undefined) this.#written.delete(id);
    return statusOf(object);
  }

  /** Forgets an object that is gone. */
  forget(kind: StatusKind, namespace: string, name: string): void {
    this.#written.delete(`${kind}/${namespace}/${name}`);
  }

  #next(
    conditions: readonly Condition[],
    { conditions: updates, without = [] }: StatusUpdate,
    generation: number,
  ): readonly Condition[] {
    const now = new Date(this.#clock.now());
    const kept = without.reduce(withoutCondition, conditions);
    return updates.reduce(
      (all, update) =>
        withCondition(all, { ...update, message: clipped(update.message) }, generation, now),
      kept,
    );
  }
}

function idOf(kind: StatusKind, { metadata }: StoredObject): string {
  return `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
}

function statusOf({ status }: StoredObject): Status {
  return typeof status === "object" && status !== null ? (status as Status) : {};
}

function isSaid(status: Status, patch: Status): boolean {
  return Object.entries(patch).every(
    ([field, value]) => canonical(status[field] ?? null) === canonical(value ?? null),
  );
}

function saysTheSame(some: Condition, other: Condition): boolean {
  return (
    some.type === other.type &&
    some.status === other.status &&
    some.reason === other.reason &&
    some.message === other.message
  );
}

function clipped(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE)} ...`;
}
