import type { Cluster } from "../api/cluster.ts";
import { type ObjectRef, WORKER_BUNDLE } from "../api/names.ts";
import { LeaderElection } from "../kube/leader-election.ts";
import { WorkQueue } from "../kube/work-queue.ts";
import type { Clock } from "../process/clock.ts";
import { orAbort } from "../process/or-abort.ts";
import type { Service } from "../process/service.ts";
import type { Logger } from "../telemetry/log.ts";
import { type Meter, silentMeter } from "../telemetry/meter.ts";
import { AgentDirectory, type DirectoryDeps } from "./agent-directory.ts";
import type { ToolLister } from "./discovery.ts";
import type { ModelLister } from "./model-lister.ts";
import { type CacheChange, type Namespaces, ObjectCache } from "./object-cache.ts";
import { BUNDLE_KEY, keyOf, parseKey } from "./reconcile/keys.ts";
import { LeaderTerm } from "./reconcile/leader-term.ts";
import { refreshModels } from "./reconcile/reconcile-provider-config.ts";
import { resolvedAgent } from "./reconcile/resolved-agent.ts";
import { StatusWriter } from "./reconcile/status-writer.ts";
import { wakeUps } from "./reconcile/wake-ups.ts";
import type { WorkloadOptions } from "./reconcile/workloads.ts";
import { ReferenceIndex } from "./reference-index.ts";

/** How a {@link Controller} works. */
export interface ControllerOptions {
  /** Namespaces whose objects it looks after (WATCH_NAMESPACES). */
  readonly namespaces: Namespaces;
  /** Its own namespace (KAGENT_NAMESPACE). */
  readonly platformNamespace: string;
  /** Name of this process, another one after each start: pod name and a random part. */
  readonly identity: string;
  /** Name of the Lease, when several replicas compete (LEADER_ELECT); absent: this one leads. */
  readonly leaseName?: string;
  /** ModelConfig of Agents that name none (DEFAULT_MODEL_CONFIG_NAME). */
  readonly defaultModelConfig?: string;
  /** Objects that are reconciled at once; 8 unless set. */
  readonly workers?: number;
  /** Time between two questions to a tool server in milliseconds (TOOL_REFRESH_INTERVAL); 60 s unless set. */
  readonly toolRefreshMs?: number;
}

/** What a {@link Controller} needs. */
export interface ControllerDeps {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 <= random < 1. */
  readonly random: () => number;
  readonly tools: ToolLister;
  readonly models: ModelLister;
  /** Where passes and Agents are counted; nowhere unless set. */
  readonly meter?: Meter;
  /** How workers are made. */
  readonly workloads: WorkloadOptions;
  /** A2A endpoint of an agent, for other agents. */
  readonly agentUrl: DirectoryDeps["agentUrl"];
}

/** 8 objects at once: the API server's share for one client, and enough to hide its answers' way. */
const WORKERS = 8;
/** TOOL_REFRESH_INTERVAL's default (kagent-api section 4). */
const TOOL_REFRESH_MS = 60_000;

/**
 * The controller's engine: copies of the cluster and the directory made of them on every replica, reconciling on the one
 * that leads.
 */
export class Controller implements Service {
  readonly name = "controller";
  /** What the HTTP side reads; complete once {@link start} has resolved. */
  readonly directory: AgentDirectory;
  readonly #deps: ControllerDeps;
  readonly #options: ControllerOptions;
  readonly #references = new ReferenceIndex();
  readonly #lifetime = new AbortController();
  readonly #cache: ObjectCache;
  /** Resolves Agents ahead of the first question, and reads the values they need. */
  readonly #resolving: WorkQueue;
  #election: LeaderElection | undefined;
  #term: LeaderTerm | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(deps: ControllerDeps, options: ControllerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#cache = new ObjectCache({
      ...deps,
      ...options,
      references: this.#references,
      lifetime: this.#lifetime.signal,
    });
    const { pointer: name } = WORKER_BUNDLE;
    const bundle = keyOf("ConfigMap", { namespace: options.platformNamespace, name });
    if (deps.workloads.delivery.kind === "bundle") this.#references.set(BUNDLE_KEY, [bundle]);
    const { values } = this.#cache;
    this.directory = new AgentDirectory({
      agentUrl: deps.agentUrl,
      ...(options.defaultModelConfig === undefined
        ? {}
        : { defaultModelConfig: options.defaultModelConfig }),
      service: (ref) => this.#cache.get("Service", ref),
      references: this.#references,
      isUnread: (id) => values.isUnread(id),
      value: (namespace, { type, name, key }) => values.value(type, { namespace, name }, key),
    });
    this.#resolving = new WorkQueue(deps, {
      name: "resolve",
      process: async (key, signal) => {
        await resolvedAgent(this.directory, this.#cache, parseKey(key).ref, signal);
        return undefined;
      },
    });
  }

  /** Whether this replica reconciles. */
  get isLeader(): boolean {
    return this.#term !== undefined;
  }

  /** Objects that wait to be reconciled and those under way; nothing where another replica leads. */
  get load(): { readonly waiting: number; readonly processing: number } {
    return this.#term?.load ?? { waiting: 0, processing: 0 };
  }

  /**
   * Copies the cluster, then competes for the lead. Work goes on until {@link stop}.
   *
   * @returns Resolves when the directory is complete.
   * @throws The signal's reason when it aborts before that.
   */
  async start(signal: AbortSignal): Promise<void> {
    const end = (): void => {
      this.#lifetime.abort(signal.reason);
    };
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    this.#cache.onChange((change) => {
      this.#take(change);
    });
    const { signal: lifetime } = this.#lifetime;
    await orAbort(this.#cache.start(), lifetime);
    this.#running = Promise.all([this.#resolving.run(lifetime), this.#lead(lifetime)]);
  }

  /** Ends passes under way, gives the lead away and stops following the cluster. */
  async stop(): Promise<void> {
    this.#lifetime.abort(new Error("the controller stops"));
    await this.#running;
  }

  /**
   * Asks a provider for its models now, on whatever replica, and writes them into its status.
   *
   * @returns Names of the models; `undefined` when there is no such ModelProviderConfig.
   * @throws ModelListError with a message for people when there are none to be had.
   */
  async refreshModels(ref: ObjectRef, signal: AbortSignal): Promise<readonly string[] | undefined> {
    const deps = {
      ...this.#deps,
      cache: this.#cache,
      directory: this.directory,
      references: this.#references,
      status: new StatusWriter(this.#deps.cluster, this.#deps.clock),
      // Who asks is told; an Event would tell the same to others.
      events: { record: () => undefined },
    };
    return await refreshModels(ref, deps, signal);
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const { leaseName, identity, platformNamespace } = this.#options;
    if (leaseName === undefined) {
      await this.#onLead(signal);
      return;
    }
    this.#election = new LeaderElection(this.#deps, {
      lease: { namespace: platformNamespace, name: leaseName },
      identity,
      onLead: (leading) => this.#onLead(leading),
    });
    await this.#election.run(signal);
  }

  async #onLead(signal: AbortSignal): Promise<void> {
    const {
      identity,
      platformNamespace,
      toolRefreshMs = TOOL_REFRESH_MS,
      workers = WORKERS,
    } = this.#options;
    const term = new LeaderTerm({
      ...this.#deps,
      meter: this.#deps.meter ?? silentMeter,
      cache: this.#cache,
      directory: this.directory,
      references: this.#references,
      instance: identity,
      platformNamespace,
      toolRefreshMs,
      workers,
    });
    this.#term = term;
    try {
      await term.run(signal);
    } finally {
      this.#term = undefined;
    }
  }

  #take(change: CacheChange): void {
    const term = this.#term;
    const keys = wakeUps(change, {
      directory: this.directory,
      references: this.#references,
      isEcho: (kind, object) => term?.isEcho(kind, object) ?? false,
    });
    for (const key of keys) {
      if (key.startsWith("Agent/")) this.#resolving.add(key);
      term?.enqueue(key);
    }
  }
}
