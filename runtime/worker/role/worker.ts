import type { TaskService } from "../../a2a/task-service.ts";
import { tokenFile } from "../../process/auth/own-token.ts";
import { type Clock, systemClock } from "../../process/clock.ts";
import { type HttpService, httpService } from "../../process/http.ts";
import type { Service } from "../../process/service.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Meter } from "../../telemetry/meter.ts";
import type { TasksDeps } from "../tasks.ts";
import { AgentSet } from "./agent-set.ts";
import { workerAuthenticator } from "./authentication.ts";
import { FolderWatch } from "./folder-watch.ts";
import { ownUrl } from "./own-address.ts";
import type { WorkerSettings } from "./settings.ts";
import type { TurnRunner, TurnRunnerDeps } from "./turn-runner.ts";
import { type MetricsText, type WorkerHealth, workerApp } from "./worker-app.ts";

/** 250 ms after the start what runs turns is loaded, unless a task comes before: cards are asked for first. */
const WARM_MS = 250;

/** What may be handed to a {@link Worker} in place of its own. */
export interface WorkerOptions {
  readonly log: Logger;
  /** The machine's clock unless set. */
  readonly clock?: Clock;
  /** Where turns are counted; asked for with the first of them. Nobody counts unless set. */
  readonly meter?: () => Promise<Meter>;
  /** What `/metrics` says; not served without it. */
  readonly metrics?: () => Promise<MetricsText>;
  /** Models, tools, spans: what turns are given in place of this worker's own. */
  readonly turns?: Partial<TasksDeps>;
}

/** A worker: the agents of its folders over A2A, sessions at the controller. */
export class Worker implements Service {
  readonly name = "worker";
  /** The agents as they are now. */
  readonly agents: AgentSet;
  readonly #settings: WorkerSettings;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #runnerDeps: TurnRunnerDeps;
  readonly #meter: WorkerOptions["meter"];
  readonly #http: HttpService;
  readonly #watches: readonly FolderWatch[];
  #opening: Promise<TurnRunner> | undefined;
  #runner: TurnRunner | undefined;
  #draining = false;
  #stopWarming: (() => void) | undefined;

  constructor(settings: WorkerSettings, options: WorkerOptions) {
    const { log, clock = systemClock, turns, metrics } = options;
    this.#meter = options.meter;
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    this.agents = new AgentSet({ ...settings, log });
    this.#watches = settings.folders.map(
      (path) => new FolderWatch(path, () => this.agents.load(path), { clock, log }),
    );
    this.#runnerDeps = {
      settings,
      config: (ref) => this.agents.config(ref),
      ownUrl: () => ownUrl(settings, this.#http.port()),
      token: tokenFile(settings.tokenPath, { clock, log }),
      clock,
      log,
      ...(turns === undefined ? {} : { turns }),
    };
    const app = workerApp({
      agents: this.agents,
      tasks: this.#tasks(),
      authenticator: workerAuthenticator(settings, { clock, log }),
      health: () => this.#health(),
      ...(metrics === undefined ? {} : { metrics }),
      baseUrl: settings.baseUrl ?? defaultBaseUrl(settings),
      clock,
      log,
    });
    const { host, port, drainMs } = settings;
    this.#http = httpService({ name: this.name, host, port }, app, drainMs);
  }

  /** Port that is bound; known once {@link start} has resolved. */
  get port(): number {
    return this.#http.port();
  }

  /** Serves as soon as the files have been read; the controller need not be there yet. */
  async start(signal: AbortSignal): Promise<void> {
    await this.agents.load();
    for (const watch of this.#watches) watch.start();
    await this.#http.start(signal);
    this.#stopWarming = this.#clock.schedule(WARM_MS, () => {
      this.#open().catch((error: unknown) => {
        this.#log.error("tasks cannot be run", { error: String(error) });
      });
    });
  }

  /** Takes no more tasks, lets those under way come to their end for a while, and stores what there is to store. */
  async stop(): Promise<void> {
    this.#draining = true;
    this.#stopWarming?.();
    for (const watch of this.#watches) watch.stop();
    const late = new AbortController();
    const disarm = this.#clock.schedule(this.#settings.drainMs, () => {
      late.abort(new Error("the drain is over"));
    });
    try {
      const runner = await this.#opening;
      await Promise.all([this.#http.stop(), runner?.close(late.signal)]);
    } finally {
      disarm();
    }
  }

  /** What runs tasks, loaded when it is needed: it is most of the program, and no card waits for it. */
  #open(): Promise<TurnRunner> {
    this.#opening ??= Promise.all([
      import("./turn-runner.ts"),
      this.#meter?.(),
      import("../../a2a/rpc-endpoint.ts"), // what a first task is asked for by
    ]).then(([{ TurnRunner }, meter]) => {
      const counted = meter === undefined ? {} : { meter };
      const runner = new TurnRunner({ ...this.#runnerDeps, ...counted });
      this.#runner = runner;
      void runner.tasks.start(); // says by the log what it cannot do
      return runner;
    });
    return this.#opening;
  }

  #tasks(): TaskService {
    const tasks = async () => (await this.#open()).tasks;
    return {
      send: async (request, caller) => (await tasks()).send(request, caller),
      get: async (agent, taskId, caller) => (await tasks()).get(agent, taskId, caller),
      list: async (filter, caller) => (await tasks()).list(filter, caller),
      cancel: async (agent, taskId, caller) => (await tasks()).cancel(agent, taskId, caller),
      subscribe: async (agent, taskId, caller) => (await tasks()).subscribe(agent, taskId, caller),
    };
  }

  #health(): WorkerHealth {
    const report = this.agents.report();
    const store = this.#runner?.store ?? { awayMs: undefined, events: 0 };
    const sound = report.folders.length === 0 && report.agents.every((agent) => !agent.problem);
    const status = sound && store.awayMs === undefined ? "ok" : "degraded";
    return { status: this.#draining ? "draining" : status, ...report, store };
  }
}

function defaultBaseUrl(settings: WorkerSettings): string {
  const { name, namespace, port } = settings;
  return name === undefined ? ownUrl(settings, port) : `http://${name}.${namespace}:${port}`;
}
