import assert from "node:assert/strict";
import type { ToolServerSettings } from "../../../../runtime/api/agent-config.ts";
import { RESOURCES, type StoredObject } from "../../../../runtime/api/cluster.ts";
import type { KubeObject } from "../../../../runtime/api/cluster-reader.ts";
import type { Condition } from "../../../../runtime/api/conditions.ts";
import type { ToolDescription } from "../../../../runtime/api/tool.ts";
import { Controller, type ControllerOptions } from "../../../../runtime/controller/controller.ts";
import type { ModelSource } from "../../../../runtime/controller/model-lister.ts";
import type { WorkloadOptions } from "../../../../runtime/controller/reconcile/workloads.ts";
import { silentLog } from "../../../../runtime/telemetry/log.ts";
import type { Meter } from "../../../../runtime/telemetry/meter.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { RecordingCluster } from "./recording-cluster.ts";

const never = new AbortController().signal;
type Kind = keyof typeof RESOURCES;
type Fields = Readonly<Record<string, unknown>>;

/** Rounds of the event loop without a write after which nothing goes on. */
const QUIET_ROUNDS = 12;

/** A controller on the in-memory cluster, with a clock that stands still and tool servers and providers by script. */
export class ControllerFixture {
  readonly clock: FakeClock;
  readonly recording: RecordingCluster;
  readonly controllers: Controller[] = [];
  /** Answers of tool servers by name; a server without one hangs. */
  readonly tools = new Map<string, readonly string[] | Error>();
  readonly askedServers: ToolServerSettings[] = [];
  /** Answer of every provider. */
  models: readonly string[] | Error = [];
  readonly askedProviders: ModelSource[] = [];
  meter: Meter | undefined;
  readonly #options: Partial<ControllerOptions>;
  readonly #workloads: WorkloadOptions;

  constructor(
    options: Partial<ControllerOptions> & { readonly workloads?: Partial<WorkloadOptions> } = {},
    from?: ControllerFixture,
  ) {
    const { workloads, ...rest } = options;
    this.#options = rest;
    this.#workloads = {
      delivery: { kind: "image", image: "registry/kagent:1" },
      settings: { controllerUrl: "http://kagent-controller.kagent:8083" },
      ...workloads,
    };
    this.clock = from?.clock ?? new FakeClock();
    this.recording = from?.recording ?? new RecordingCluster(this.clock);
  }

  /** Starts a controller; several of them are replicas. */
  async start(identity = "one"): Promise<Controller> {
    const controller = new Controller(
      {
        cluster: this.recording.cluster,
        clock: this.clock,
        log: silentLog,
        random: () => 0.5,
        tools: { listTools: (server, signal) => this.#listTools(server, signal) },
        models: { list: (source) => this.#listModels(source) },
        workloads: this.#workloads,
        ...(this.meter === undefined ? {} : { meter: this.meter }),
        agentUrl: ({ namespace, name }) => `http://${name}.${namespace}:8080`,
      },
      { namespaces: "all", platformNamespace: "kagent", identity, ...this.#options },
    );
    await controller.start(never);
    this.controllers.push(controller);
    await this.settle();
    return controller;
  }

  /** Lets everything happen that happens without the clock. */
  async settle(): Promise<void> {
    let quiet = 0;
    for (let round = 0; round < 20_000 && quiet < QUIET_ROUNDS; round++) {
      const before = this.recording.writes.length;
      await new Promise((resolve) => setImmediate(resolve));
      const isBusy = this.controllers.some(({ load }) => load.waiting + load.processing > 0);
      quiet = isBusy || this.recording.writes.length > before ? 0 : quiet + 1;
    }
  }

  /** Moves the clock and lets everything happen. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await this.settle();
  }

  /** Stops every controller; nothing of them may be left. */
  async end(): Promise<void> {
    await Promise.all(this.controllers.map((controller) => controller.stop()));
    await this.settle();
    assert.equal(this.clock.pending, 0, "timers are left");
  }

  /** Applies an object as people do; not in the list of writes. */
  async put(kind: Kind, name: string, fields: Fields, namespace = "kagent"): Promise<StoredObject> {
    const { group, version, namespaced } = RESOURCES[kind];
    const { metadata = {}, ...rest } = fields as { metadata?: object };
    const object = {
      apiVersion: group === "" ? version : `${group}/${version}`,
      kind,
      metadata: { name, ...(namespaced ? { namespace } : {}), ...metadata },
      ...rest,
    } as KubeObject;
    return await this.recording.memory.apply(
      RESOURCES[kind],
      object,
      { fieldManager: "kubectl" },
      never,
    );
  }

  async delete(kind: Kind, name: string, namespace = "kagent"): Promise<void> {
    await this.recording.memory.delete(RESOURCES[kind], { namespace, name }, never);
    await this.settle();
  }

  async get(kind: Kind, name: string, namespace = "kagent"): Promise<StoredObject | undefined> {
    return await this.recording.memory.get(RESOURCES[kind], { namespace, name }, never);
  }

  async all(kind: Kind): Promise<readonly StoredObject[]> {
    return (await this.recording.memory.list(RESOURCES[kind], {}, never)).items;
  }

  /** `status reason: message` of a condition; `-` without one. */
  async condition(kind: Kind, name: string, type: string, namespace = "kagent"): Promise<string> {
    const object = await this.get(kind, name, namespace);
    const { conditions = [] } = (object?.["status"] ?? {}) as { conditions?: readonly Condition[] };
    const found = conditions.find((condition) => condition.type === type);
    return found === undefined ? "-" : `${found.status} ${found.reason}: ${found.message}`;
  }

  async #listTools(
    server: ToolServerSettings,
    signal: AbortSignal,
  ): Promise<readonly ToolDescription[]> {
    this.askedServers.push(server);
    const answer = this.tools.get(server.ref.name);
    if (answer instanceof Error) throw answer;
    if (answer !== undefined)
      return answer.map((name) => ({ name, description: `Does ${name}.`, inputSchema: {} }));
    return await new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        reject(signal.reason as Error);
      });
    });
  }

  #listModels(source: ModelSource): Promise<readonly string[]> {
    this.askedProviders.push(source);
    return this.models instanceof Error
      ? Promise.reject(this.models)
      : Promise.resolve(this.models);
  }
}
