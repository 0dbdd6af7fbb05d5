import { join } from "node:path";
import { Hono } from "hono";
import { a2aApp } from "../a2a/http.ts";
import type { Caller } from "../a2a/task-service.ts";
import { readApprover } from "../api/approvers.ts";
import { DEFAULT_NAMESPACE, HEADERS, refKey } from "../api/names.ts";
import { refOf } from "../api/rules/object-set.ts";
import { AgentDirectory, acceptance, type RejectedObject } from "../controller/agent-directory.ts";
import { httpApi } from "../controller/http-api.ts";
import { platformTools } from "../controller/platform-tools.ts";
import { serverSettings } from "../controller/resolve-server.ts";
import { a2aRoutes } from "../gateway/a2a-routes.ts";
import { mcpRoutes } from "../gateway/mcp-routes.ts";
import { McpClientPool } from "../mcp/client-pool.ts";
import { mcpHandler } from "../mcp/server.ts";
import { loopbackOnly } from "../process/access.ts";
import { systemClock } from "../process/clock.ts";
import { httpService } from "../process/http.ts";
import { openStore, type Store } from "../store/open-store.ts";
import type { Logger } from "../telemetry/log.ts";
import { prometheusMeter, type ScrapedMeter } from "../telemetry/meter.ts";
import type { Tasks } from "../worker/tasks.ts";
import { loadDefinitions } from "./definitions.ts";
import { openLocalCluster } from "./local-cluster.ts";
import { type LocalModel, openLocalModel } from "./local-model.ts";
import { localTasks } from "./local-tasks.ts";
import type { LocalOptions, Progress } from "./options.ts";
import type { PortName } from "./ports.ts";
import { removeRunFile, writeRunFile } from "./run-file.ts";

import { toolRoutes } from "./tool-servers.ts";

/** Longest wait for one tool server's list of tools at the start. */
const DISCOVERY_MS = 5_000;

/** Answers under way get this long when the platform stops; four listeners stop one by one within 2 s. */
const DRAIN_MS = 250;
/** Binding a port is immediate or fails. */
const LISTEN_MS = 5_000;

/** Where a running platform answers. */
export interface PlatformUrls {
  /** HTTP API and A2A. */
  readonly api: string;
  /** MCP endpoint of the platform. */
  readonly mcp: string;
  /** MCP gateway, routes below `/mcp/`. */
  readonly toolGateway: string;
  /** A2A gateway, agents below `/agents/`. */
  readonly agentGateway: string;
}

/** A hono app whatever it knows of its server. */
interface App {
  fetch(request: Request, env: object): Response | Promise<Response>;
}

/** What a start found out, for people. */
export interface PlatformReport {
  readonly urls: PlatformUrls;
  /** Agents that answer, as `namespace/name`. */
  readonly agents: readonly string[];
  /** Agents that are not accepted, with the reason. */
  readonly broken: readonly { readonly agent: string; readonly why: string }[];
  /** Objects that no schema admits. */
  readonly rejected: readonly RejectedObject[];
  readonly model: Pick<LocalModel, "label" | "hint">;
  /** What the cluster's tools read. */
  readonly cluster: string;
  /** Number of tasks that a run before this one left open. */
  readonly recovered: number;
}

/** The whole platform in one process: store, tool servers, gateways, worker, HTTP API. */
export class Platform {
  readonly #options: LocalOptions;
  readonly #log: Logger;
  readonly #progress: Progress;
  /** What {@link stop} does; the last part that started is the first to stop. */
  readonly #stops: (() => Promise<void>)[] = [];
  #ready = false;

  constructor(options: LocalOptions, log: Logger, progress: Progress) {
    this.#options = options;
    this.#log = log;
    this.#progress = progress;
  }

  /**
   * Starts every part in order.
   *
   * @throws ListenError for a port that is taken, StoreFileError, ModelError, ClusterError, or an Error
   *   about the definitions; what had started is stopped again.
   */
  async start(signal: AbortSignal): Promise<PlatformReport> {
    try {
      return await this.#start(signal);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Stops what has started, last part first. Tasks under way end `failed` and say so. */
  async stop(): Promise<void> {
    this.#ready = false;
    for (const stop of this.#stops.splice(0).reverse()) {
      try {
        await stop();
      } catch (error) {
        this.#log.error("part did not stop", { error: String(error) });
      }
    }
  }

  async #start(signal: AbortSignal): Promise<PlatformReport> {
    // Model and cluster are asked over the network while the store opens.
    const [store, meter, model, cluster] = await Promise.all([
      this.#openStore(),
      prometheusMeter(),
      openLocalModel(this.#options, systemClock, signal),
      openLocalCluster(this.#options, systemClock, signal),
    ]);
    this.#stops.push(() => {
      cluster.close();
      return Promise.resolve();
    });
    this.#progress("model", model.label);
    this.#progress("cluster", cluster.label);
    const routes = toolRoutes({
      options: this.#options,
      cluster,
      memories: store.memories,
      clock: systemClock,
      log: this.#log,
    });
    const gateway = mcpRoutes({ routes, log: this.#log, clock: systemClock });
    const toolGateway = await this.#listen("MCP gateway", "toolGateway", gateway);
    const front = new Hono();
    const api = await this.#listen("HTTP API", "api", front);
    const agentGateway = await this.#listen(
      "A2A gateway",
      "agentGateway",
      a2aRoutes({ controllerUrl: api, log: this.#log, clock: systemClock }),
    );
    const directory = new AgentDirectory({
      model: model.resolve,
      value: () => undefined,
      agentUrl: ({ namespace, name }) => `${agentGateway}/agents/${namespace}/${name}/`,
    });
    const rejected = directory.load(
      await loadDefinitions(this.#options.definitionsUrl, {
        clusters: [{ name: cluster.name }],
        namespace: DEFAULT_NAMESPACE,
        gatewayUrl: toolGateway,
      }),
    );
    const pool = new McpClientPool({ log: this.#log, clock: systemClock });
    this.#stops.push(() => pool.close());
    const tasks = localTasks({ store, directory, model, pool, meter, log: this.#log });
    this.#stops.push(() => tasks.close());
    const recovered = await tasks.recover();
    await tasks.start();
    this.#serve(front, { store, directory, tasks, meter, api });
    const mcp = await this.#listen("MCP", "mcp", this.#mcpApp(directory, tasks));
    await this.#discover(directory, pool, signal);
    const urls = { api, mcp: `${mcp}/mcp`, toolGateway, agentGateway };
    this.#announce(urls);
    this.#ready = true;
    return { ...agentsOf(directory), urls, rejected, model, cluster: cluster.label, recovered };
  }

  async #openStore(): Promise<Store> {
    const path = join(this.#options.dataDirectory, "kagent.db");
    const store = await openStore({ path });
    this.#stops.push(() => store.close());
    this.#progress("store", path);
    return store;
  }

  /** Fills the HTTP API, which listens since its address was needed. */
  #serve(
    front: Hono,
    parts: {
      readonly store: Store;
      readonly directory: AgentDirectory;
      readonly tasks: Tasks;
      readonly meter: ScrapedMeter;
      readonly api: string;
    },
  ): void {
    const { store, directory, tasks, meter, api } = parts;
    const caller = (request: Request): Caller => this.#caller(request);
    front.route(
      "/",
      a2aApp({
        agents: (ref) => directory.config(ref),
        tasks,
        caller,
        baseUrl: api,
        log: this.#log,
        clock: systemClock,
      }),
    );
    front.route("/", this.#mcpApp(directory, tasks));
    front.get("/metrics", async (c) =>
      c.body(await meter.text(), 200, { "content-type": meter.contentType }),
    );
    front.route(
      "/",
      httpApi({
        directory,
        sessions: store.sessions,
        approvals: store.approvals,
        memories: store.agentMemories,
        shares: store.shares,
        feedback: store.feedback,
        caller,
        ready: () => this.#ready,
        version: { version: this.#options.version, commit: "unknown" },
      }),
    );
  }

  #mcpApp(directory: AgentDirectory, tasks: Tasks): Hono {
    const handle = mcpHandler({
      name: "kagent-agents",
      version: this.#options.version,
      tools: platformTools({ directory, tasks, defaultUser: this.#options.user }),
      log: this.#log,
    });
    const app = new Hono();
    app.all("/mcp", (context) => handle(context.req.raw));
    app.all("/mcp/", (context) => handle(context.req.raw));
    return app;
  }

  /** On a laptop the user is the operating system's unless a request says otherwise (decisions 23). */
  #caller(request: Request): Caller {
    const headers = Object.fromEntries(request.headers);
    const approver = headers[HEADERS.source] === "agent" ? readApprover(headers) : undefined;
    return {
      user: headers[HEADERS.userId] ?? this.#options.user,
      headers,
      ...(approver === undefined ? {} : { approver }),
    };
  }

  /** Listens, guarded against pages of other sites. @returns The base URL. */
  async #listen(name: string, port: PortName, app: App): Promise<string> {
    const { host, ports } = this.#options;
    const guarded = new Hono();
    guarded.use(loopbackOnly());
    guarded.all("*", (context) => app.fetch(context.req.raw, context.env as object));
    const service = httpService({ name, host, port: ports[port] }, guarded, DRAIN_MS);
    await service.start(AbortSignal.timeout(LISTEN_MS));
    this.#stops.push(() => service.stop());
    const url = `http://${host}:${service.port()}`;
    this.#progress(name, url);
    return url;
  }

  /** Asks every tool server what it offers, for people; an agent asks again when it needs to know. */
  async #discover(
    directory: AgentDirectory,
    pool: McpClientPool,
    signal: AbortSignal,
  ): Promise<void> {
    const late = AbortSignal.any([signal, AbortSignal.timeout(DISCOVERY_MS)]);
    await Promise.all(
      directory.servers().map(async (server) => {
        const ref = refOf(server);
        const settings = serverSettings(ref, server, {});
        try {
          directory.setDiscovered(ref, await pool.listTools(settings, {}, late));
        } catch (error) {
          signal.throwIfAborted();
          this.#log.warn("tool server did not answer", {
            server: refKey(ref),
            error: String(error),
          });
        }
      }),
    );
  }

  #announce(urls: PlatformUrls): void {
    const { dataDirectory } = this.#options;
    writeRunFile(dataDirectory, {
      pid: process.pid,
      apiUrl: urls.api,
      mcpUrl: urls.mcp,
      toolGatewayUrl: urls.toolGateway,
      agentGatewayUrl: urls.agentGateway,
      startedAt: new Date(systemClock.now()).toISOString(),
    });
    this.#stops.push(() => {
      removeRunFile(dataDirectory);
      return Promise.resolve();
    });
  }
}

function agentsOf(directory: AgentDirectory): Pick<PlatformReport, "agents" | "broken"> {
  const entries = directory.agents();
  return {
    agents: entries.filter(({ config }) => config !== undefined).map(({ ref }) => refKey(ref)),
    broken: entries
      .filter(({ config }) => config === undefined)
      .map((entry) => ({ agent: refKey(entry.ref), why: acceptance(entry) })),
  };
}
