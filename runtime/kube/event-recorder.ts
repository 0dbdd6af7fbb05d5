import { createHash } from "node:crypto";
import { type Cluster, RESOURCES, type StoredObject } from "../api/cluster.ts";
import type { KubeObject } from "../api/cluster-reader.ts";
import type { Clock } from "../process/clock.ts";
import type { Logger } from "../telemetry/log.ts";

/** What an {@link EventRecorder} works with. */
export interface EventRecorderDeps {
  readonly cluster: Pick<Cluster, "apply">;
  readonly clock: Pick<Clock, "now" | "monotonic" | "schedule">;
  readonly log: Logger;
  /** Who reports, e.g. `kagent-controller`. */
  readonly component: string;
  /** Which process of it, e.g. the pod's name. */
  readonly instance: string;
}

/** Something that happened to an object, for `kubectl describe`. */
export interface ObjectEvent {
  readonly type: "Normal" | "Warning";
  /** One word in CamelCase, for machines; at most 128 characters. */
  readonly reason: string;
  /** For people; cut after 1,024 characters. No secrets. */
  readonly message: string;
}

/** Equal events: written as one, with a count. */
interface Series {
  readonly object: StoredObject;
  readonly event: ObjectEvent;
  readonly name: string;
  readonly firstAt: number;
  lastAt: number;
  count: number;
  /** Monotonic time of the last write. */
  writtenAt: number;
  cancel: (() => void) | undefined;
}

/** 10 s between two writes of equal events. */
const WRITE_EVERY_MS = 10_000;
/** 10 minutes without an equal event: the next one is a new event. */
const SERIES_MS = 600_000;
/** 1,000 series are counted at once; the oldest is forgotten first. */
const MAX_SERIES = 1_000;
const MAX_MESSAGE = 1_024;
const MAX_REASON = 128;
/** 253 characters of a name, less the dot and the 16 characters behind it. */
const MAX_NAME = 236;

/**
 * Records Events on objects.
 *
 * Equal ones (object, type, reason, message) are one Event whose count grows, written at most once in 10 s. Recording
 * never fails and never waits: what cannot be written is logged.
 */
export class EventRecorder {
  readonly #deps: EventRecorderDeps;
  readonly #series = new Map<string, Series>();
  readonly #writes = new Set<Promise<void>>();
  readonly #closed = new AbortController();

  constructor(deps: EventRecorderDeps) {
    this.#deps = deps;
  }

  /** Records that `event` happened to `object` now. Does nothing after {@link close}. */
  record(object: StoredObject, { type, reason, message }: ObjectEvent): void {
    if (this.#closed.signal.aborted) return;
    const event = {
      type,
      reason: reason.slice(0, MAX_REASON),
      message: message.slice(0, MAX_MESSAGE),
    };
    const series = this.#seriesOf(object, event);
    series.count += 1;
    series.lastAt = this.#deps.clock.now();
    if (series.cancel !== undefined) return;
    const waitMs = series.writtenAt + WRITE_EVERY_MS - this.#deps.clock.monotonic();
    if (waitMs <= 0) this.#write(series);
    else
      series.cancel = this.#deps.clock.schedule(waitMs, () => {
        series.cancel = undefined;
        this.#write(series);
      });
  }

  /** Writes what still waits. @returns Resolves when all is written, or `signal` aborts. */
  async close(signal: AbortSignal): Promise<void> {
    for (const series of this.#series.values()) {
      if (series.cancel === undefined) continue;
      series.cancel();
      series.cancel = undefined;
      this.#write(series);
    }
    const giveUp = (): void => {
      this.#closed.abort(signal.reason);
    };
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    await Promise.all(this.#writes);
    signal.removeEventListener("abort", giveUp);
    this.#closed.abort(new Error("the event recorder is closed"));
  }

  #seriesOf(object: StoredObject, event: ObjectEvent): Series {
    const now = this.#deps.clock.now();
    const { type, reason, message } = event;
    const key = JSON.stringify([object.metadata.uid, type, reason, message]);
    const known = this.#series.get(key);
    // the last one used is the last one to be forgotten
    this.#series.delete(key);
    const isOver = known === undefined || now - known.lastAt > SERIES_MS;
    const name = eventName(object.metadata.name, `${key}${now}`);
    const series = isOver
      ? { object, event, name, firstAt: now, lastAt: now, count: 0, ...UNWRITTEN }
      : known;
    this.#series.set(key, series);
    this.#forgetOldest();
    return series;
  }

  #forgetOldest(): void {
    for (const [key, { cancel }] of this.#series) {
      if (this.#series.size <= MAX_SERIES) return;
      cancel?.();
      this.#series.delete(key);
    }
  }

  #write(series: Series): void {
    series.writtenAt = this.#deps.clock.monotonic();
    const write = this.#attempt(series).finally(() => {
      this.#writes.delete(write);
    });
    this.#writes.add(write);
  }

  async #attempt(series: Series): Promise<void> {
    const { cluster, component, log } = this.#deps;
    try {
      const options = { fieldManager: component };
      await cluster.apply(RESOURCES.Event, this.#object(series), options, this.#closed.signal);
    } catch (error) {
      const { reason } = series.event;
      log.warn("failed to record an event", {
        object: series.object.metadata.name,
        reason,
        error: String(error),
      });
    }
  }

  #object({ object, event, name, firstAt, lastAt, count }: Series): KubeObject {
    const { component, instance } = this.#deps;
    const { apiVersion, kind, metadata } = object;
    const { uid, resourceVersion } = metadata;
    // events of objects of the whole cluster live in the default namespace
    const namespace = metadata.namespace ?? "default";
    const place = metadata.namespace === undefined ? {} : { namespace };
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace },
      involvedObject: { apiVersion, kind, name: metadata.name, ...place, uid, resourceVersion },
      ...event,
      count,
      firstTimestamp: timestamp(firstAt),
      lastTimestamp: timestamp(lastAt),
      source: { component },
      reportingComponent: component,
      reportingInstance: instance,
    };
  }
}

const UNWRITTEN = { writtenAt: -Infinity, cancel: undefined };

/** Name of an Event: of the object it is about, and something that tells it from others. */
function eventName(object: string, key: string): string {
  const start = object.slice(0, MAX_NAME).replace(/[.-]+$/, "");
  return `${start}.${createHash("sha256").update(key).digest("hex").slice(0, 16)}`;
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
