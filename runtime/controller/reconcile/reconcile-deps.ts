import type { Cluster, StoredObject } from "../../api/cluster.ts";
import type { EventRecorder } from "../../kube/event-recorder.ts";
import type { Clock } from "../../process/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Meter } from "../../telemetry/meter.ts";
import type { AgentDirectory } from "../agent-directory.ts";
import type { ToolDiscovery } from "../discovery.ts";
import type { ModelLister } from "../model-lister.ts";
import type { ObjectCache } from "../object-cache.ts";
import type { ReferenceIndex } from "../reference-index.ts";
import type { ObjectWriter } from "./object-writer.ts";
import type { Pools } from "./pools.ts";
import type { SettledAgents } from "./settled-agents.ts";
import type { StatusChange, StatusKind, StatusUpdate, StatusWriter } from "./status-writer.ts";
import type { WorkerBundle } from "./worker-bundle.ts";
import type { Workloads } from "./workloads.ts";

/** What reconcilers work with; made anew for each time that a replica leads. */
export interface ReconcileDeps {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Logger;
  readonly cache: ObjectCache;
  readonly directory: AgentDirectory;
  readonly references: ReferenceIndex;
  readonly status: StatusWriter;
  readonly objects: ObjectWriter;
  readonly discovery: ToolDiscovery;
  readonly models: ModelLister;
  readonly events: Pick<EventRecorder, "record">;
  readonly meter: Meter;
  readonly workloads: Workloads;
  readonly pools: Pools;
  readonly settled: SettledAgents;
  /** The worker's program; absent where an image holds it. */
  readonly bundle: WorkerBundle | undefined;
  /** Has `Kind/namespace/name` reconciled soon, or after so many milliseconds. */
  readonly enqueue: (key: string, afterMs?: number) => void;
}

/** What a pass came to: look again after a while, or nothing more to do until something changes. */
export type Outcome = { readonly requeueAfterMs: number } | undefined;

/**
 * Writes a status, and an Event about each condition that has come to be False.
 *
 * @throws ClusterError when the status cannot be written.
 */
export async function report(
  deps: Pick<ReconcileDeps, "events" | "log" | "status">,
  kind: StatusKind,
  object: StoredObject,
  update: StatusUpdate,
  signal: AbortSignal,
): Promise<StatusChange> {
  const change = await deps.status.write(kind, object, update, signal);
  for (const { type, status, reason, message } of change.changed) {
    const { namespace = "", name } = object.metadata;
    deps.log.info("condition changed", {
      object: `${kind}/${namespace}/${name}`,
      type,
      status,
      reason,
    });
    // Not being ready is a state that pods pass through; kubelet and scheduler report on those.
    if (status === "False" && type !== "Ready")
      deps.events.record(object, { type: "Warning", reason, message });
  }
  return change;
}
