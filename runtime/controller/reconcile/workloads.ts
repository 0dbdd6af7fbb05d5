import { cardJson } from "../../a2a/card.ts";
import type { Checked } from "../../api/checked.ts";
import type { KubeObject } from "../../api/cluster-reader.ts";
import { refKey } from "../../api/names.ts";
import type { AgentEntry } from "../agent-directory.ts";
import { agentObjects } from "../objects/agent-objects.ts";
import { POOL_NAME, type PoolObjects, poolObjects } from "../objects/pool-objects.ts";
import type { WorkerDelivery, WorkloadSettings } from "../objects/workload-settings.ts";
import { cardSource } from "../proxy/card-source.ts";
import type { WorkerBundle } from "./worker-bundle.ts";

/** How workers get their program. */
export type Delivery =
  /** An image that holds it. */
  | { readonly kind: "image"; readonly image: string }
  /** A stock Node image, and the bundle that the pointer names (decisions 19). */
  | { readonly kind: "bundle"; readonly nodeImage: string };

/** What the controller's configuration says of the workloads that it makes. */
export interface WorkloadOptions {
  readonly delivery: Delivery;
  readonly settings: Omit<WorkloadSettings, "delivery">;
  /** Agents that say nothing of `spec.workers`; dedicated unless set. */
  readonly workers?: "dedicated" | "pooled";
  /** Keys that prove callers of workers; none unless set. */
  readonly jwks?: () => object | undefined;
}

/** Port of agents and pools (kagent-api section 2.1). */
const PORT = 8080;

/** Makes the objects that run Agents. */
export class Workloads {
  readonly #options: WorkloadOptions;
  readonly #bundle: WorkerBundle | undefined;

  /** @param bundle - Set when the delivery is by bundle. */
  constructor(options: WorkloadOptions, bundle: WorkerBundle | undefined) {
    this.#options = options;
    this.#bundle = bundle;
  }

  /** What the objects of every Agent are made from. */
  get inputs(): { readonly bundle: string | undefined; readonly jwks: object | undefined } {
    return { bundle: this.#bundle?.current, jwks: this.#options.jwks?.() };
  }

  /** Whether the Agent's workers are those of its namespace's pool; an image of the user's own never is. */
  isPooled({ object: { spec } }: AgentEntry): boolean {
    const { workers = "dedicated" } = this.#options;
    return spec.type !== "BYO" && (spec.workers ?? workers) === "pooled";
  }

  /**
   * The objects of an Agent with pods of its own, in the order in which to apply them.
   *
   * @throws BundleMissingError, NameTakenError or ClusterError when the worker's program cannot be brought there.
   */
  async agent(entry: AgentEntry, signal: AbortSignal): Promise<Checked<readonly KubeObject[]>> {
    const { ref, object, config } = entry;
    const needsProgram = object.spec.type !== "BYO";
    return agentObjects({
      agent: object,
      ...(config === undefined ? {} : { config }),
      card: cardJson(cardSource(entry), `http://${ref.name}.${ref.namespace}:${PORT}`, "0.3"),
      jwks: this.#options.jwks?.(),
      settings: await this.#settings(needsProgram ? ref.namespace : undefined, signal),
    });
  }

  /**
   * The objects of a namespace's pool that serves these Agents; without Agents what it would have, to be removed.
   *
   * @throws As {@link agent}.
   */
  async pool(
    namespace: string,
    entries: readonly AgentEntry[],
    signal: AbortSignal,
  ): Promise<PoolObjects> {
    return poolObjects({
      namespace,
      agents: entries.flatMap((entry) =>
        entry.config === undefined
          ? []
          : [{ agent: entry.object, config: entry.config, card: pooledCard(entry) }],
      ),
      jwks: this.#options.jwks?.(),
      settings: await this.#settings(entries.length > 0 ? namespace : undefined, signal),
    });
  }

  /** @param namespace - Where the worker's program has to be; nowhere when absent. */
  async #settings(namespace: string | undefined, signal: AbortSignal): Promise<WorkloadSettings> {
    const { delivery, settings } = this.#options;
    return { ...settings, delivery: await this.#delivery(delivery, namespace, signal) };
  }

  async #delivery(
    delivery: Delivery,
    namespace: string | undefined,
    signal: AbortSignal,
  ): Promise<WorkerDelivery> {
    if (delivery.kind === "image") return delivery;
    const { nodeImage } = delivery;
    const configMapName =
      namespace === undefined ? "" : ((await this.#bundle?.ensureIn(namespace, signal)) ?? "");
    return { kind: "bundle", nodeImage, configMapName };
  }
}

function pooledCard(entry: AgentEntry): object {
  const { ref } = entry;
  const url = `http://${POOL_NAME}.${ref.namespace}:${PORT}/agents/${refKey(ref)}/`;
  return cardJson(cardSource(entry), url, "0.3");
}
