import type { StoredObject } from "../../api/cluster.ts";
import type { ObjectRef } from "../../api/names.ts";
import { EventRecorder } from "../../kube/event-recorder.ts";
import { WorkQueue } from "../../kube/work-queue.ts";
import { ToolDiscovery, type ToolLister } from "../discovery.ts";
import type { CachedKind } from "../object-cache.ts";
import { BUNDLE_KEY, isOfPool, keyOf, parseKey, poolKey } from "./keys.ts";
import { FIELD_MANAGER, ObjectWriter } from "./object-writer.ts";
import { forgetTools } from "./offered-tools.ts";
import { Pools } from "./pools.ts";
import { reconcileAgent } from "./reconcile-agent.ts";
import { reconcileBundle } from "./reconcile-bundle.ts";
import type { Outcome, ReconcileDeps } from "./reconcile-deps.ts";
import { reconcileModelConfig } from "./reconcile-model-config.ts";
import { reconcilePool } from "./reconcile-pool.ts";
import { reconcileProviderConfig } from "./reconcile-provider-config.ts";
import { reconcileToolServer } from "./reconcile-tool-server.ts";
import { SettledAgents } from "./settled-agents.ts";
import { StatusWriter } from "./status-writer.ts";
import { WorkerBundle } from "./worker-bundle.ts";
import { type WorkloadOptions, Workloads } from "./workloads.ts";

/** What one time of leading works with; see {@link ReconcileDeps} for the rest. */
export interface TermDeps
  extends Omit<
    ReconcileDeps,
    | "bundle"
    | "discovery"
    | "enqueue"
    | "events"
    | "objects"
    | "pools"
    | "settled"
    | "status"
    | "workloads"
  > {
  readonly workloads: WorkloadOptions;
  /** Namespace of the platform, where the worker's bundle is. */
  readonly platformNamespace: string;
  readonly tools: ToolLister;
  /** 0 <= random < 1. */
  readonly random: () => number;
  /** Name of this process in Events. */
  readonly instance: string;
  /** Objects that are reconciled at once. */
  readonly workers: number;
  /** TOOL_REFRESH_INTERVAL in milliseconds. */
  readonly toolRefreshMs: number;
}

/** 10 min between full passes: mends what was changed behind our back and no watch told. */
const RESYNC_MS = 600_000;
/** 2 s for Events that still wait when the term ends. */
const EVENTS_MS = 2_000;
/** Definitions before what they serve: Agents then find hashes and tools at their first pass. */
const RECONCILED = ["ModelConfig", "RemoteMCPServer", "ModelProviderConfig", "Agent"] as const;

type Reconcile = (ref: ObjectRef, deps: ReconcileDeps, signal: AbortSignal) => Promise<Outcome>;

const RECONCILERS: Readonly<Record<string, Reconcile>> = {
  Agent: reconcileAgent,
  ModelConfig: reconcileModelConfig,
  RemoteMCPServer: reconcileToolServer,
  ModelProviderConfig: reconcileProviderConfig,
  Pool: reconcilePool,
  Bundle: reconcileBundle,
};

/**
 * One time of leading: everything is looked at once, then whatever changes.
 *
 * Nothing that a term knows outlives it: the next leader, in this process or another, begins from the cluster.
 */
export class LeaderTerm {
  readonly #deps: TermDeps;
  readonly #events: EventRecorder;
  readonly #reconcile: ReconcileDeps;
  readonly #queue: WorkQueue;

  constructor(deps: TermDeps) {
    this.#deps = deps;
    this.#events = new EventRecorder({
      ...deps,
      component: FIELD_MANAGER,
      instance: deps.instance,
    });
    const { toolRefreshMs, workers } = deps;
    const discovery = new ToolDiscovery({
      ...deps,
      intervalMs: toolRefreshMs,
      onResult: (server) => {
        this.enqueue(keyOf("RemoteMCPServer", server));
      },
    });
    const objects = new ObjectWriter(deps);
    const bundle =
      deps.workloads.delivery.kind === "bundle"
        ? new WorkerBundle({ ...deps, objects })
        : undefined;
    this.#reconcile = {
      ...deps,
      discovery,
      objects,
      bundle,
      events: this.#events,
      pools: new Pools(),
      settled: new SettledAgents(),
      status: new StatusWriter(deps.cluster, deps.clock),
      workloads: new Workloads(deps.workloads, bundle),
      enqueue: (key, afterMs) => {
        if (afterMs === undefined) this.enqueue(key);
        else this.#queue.addAfter(key, afterMs);
      },
    };
    this.#queue = new WorkQueue(deps, {
      name: "reconcile",
      workers,
      process: (key, signal) => this.#process(key, signal),
    });
  }

  /** Objects that wait, and those under way. */
  get load(): { readonly waiting: number; readonly processing: number } {
    return { waiting: this.#queue.depth, processing: this.#queue.processing };
  }

  /** Has `Kind/namespace/name` reconciled soon; kinds that are none of ours are ignored. */
  enqueue(key: string): void {
    if (Object.hasOwn(RECONCILERS, parseKey(key).kind)) this.#queue.add(key);
  }

  /** Whether this term itself wrote an object the way it is. */
  isEcho(kind: CachedKind, object: StoredObject): boolean {
    return this.#reconcile.objects.isEcho(kind, object);
  }

  /** Reconciles until the signal aborts. @returns Resolves when nothing is under way any more. */
  async run(signal: AbortSignal): Promise<void> {
    const { meter } = this.#deps;
    meter.set("kagent_leader", {}, 1);
    this.#all();
    const cancel = this.#again(signal);
    await Promise.all([this.#queue.run(signal), this.#reconcile.discovery.run(signal)]);
    cancel();
    meter.set("kagent_leader", {}, 0);
    for (const { metadata } of this.#deps.cache.list("Agent"))
      forgetTools({ namespace: metadata.namespace ?? "", name: metadata.name }, meter);
    await this.#events.close(AbortSignal.timeout(EVENTS_MS));
  }

  #all(): void {
    const { cache } = this.#deps;
    cache.values.sweep();
    for (const kind of RECONCILED)
      for (const { metadata } of cache.list(kind))
        this.#queue.add(keyOf(kind, { namespace: metadata.namespace ?? "", name: metadata.name }));
    for (const deployment of cache.list("Deployment"))
      if (isOfPool(deployment)) this.#queue.add(poolKey(deployment.metadata.namespace ?? ""));
    this.#queue.add(BUNDLE_KEY);
  }

  #again(signal: AbortSignal): () => void {
    let cancel = (): void => undefined;
    const later = (): void => {
      cancel = this.#deps.clock.schedule(RESYNC_MS, () => {
        if (signal.aborted) return;
        this.#all();
        later();
      });
    };
    later();
    return () => {
      cancel();
    };
  }

  async #process(key: string, signal: AbortSignal): Promise<Outcome> {
    const { clock, meter } = this.#deps;
    const { kind, ref } = parseKey(key);
    const began = clock.monotonic();
    let result = "failed";
    try {
      const outcome = await RECONCILERS[kind]?.(ref, this.#reconcile, signal);
      result = "ok";
      return outcome;
    } finally {
      meter.count("kagent_reconciles_total", { kind, result });
      meter.observe("kagent_reconcile_seconds", { kind }, (clock.monotonic() - began) / 1_000);
      meter.set("kagent_queue_depth", { queue: "reconcile" }, this.#queue.depth);
    }
  }
}
