import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { A2aClient } from "../../a2a/client.ts";
import { type ObjectRef, refKey } from "../../api/names.ts";
import { McpClientPool } from "../../mcp/client-pool.ts";
import { tokenFile } from "../../process/auth/own-token.ts";
import { TokenReviewer } from "../../process/auth/service-verifier.ts";
import { type HttpService, httpService } from "../../process/http.ts";
import type { Service } from "../../process/service.ts";
import { Controller } from "../controller.ts";
import type { FrontDoor } from "../http/front-door.ts";
import { httpModelLister } from "../model-lister.ts";
import { POOL_NAME } from "../objects/pool-objects.ts";
import { serviceAddress } from "../proxy/agent-address.ts";
import { AgentFront } from "../proxy/agent-front.ts";
import { controllerDoor } from "./controller-door.ts";
import type { ControllerParts } from "./controller-parts.ts";
import { duties } from "./duties.ts";
import type { Listen } from "./settings.ts";
import { poolLister } from "./tool-access.ts";
import type { TrustRules } from "./trust.ts";
import { admissionDeps, webhook } from "./webhook.ts";

/** What is left of the drain when streams are cut, for the rest to stop. */
const ENDING_MS = 3_000;

/** The parts of a controller, wired: what reconciles, what serves, and what is done now and then. */
export class ControllerProcess {
  readonly controller: Controller;
  /** In the order in which they start. */
  readonly services: readonly Service[];
  readonly #parts: ControllerParts;
  readonly #front: AgentFront;
  readonly #pool: McpClientPool;
  readonly #identity: string;
  readonly #http: HttpService;
  readonly #trust: TrustRules;
  #ready = false;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    const { settings, cluster, clock, log } = parts;
    this.#identity = `${settings.podName ?? settings.controllerName}/${randomUUID()}`;
    const client = { name: "kagent-controller", version: parts.version.version };
    this.#pool = new McpClientPool({ log, clock, client });
    this.controller = this.#controller();
    this.#trust = this.#rules();
    this.#front = this.#agentFront();
    const reviewer = new TokenReviewer({
      review: (token, audience, signal) => cluster.reviewToken(token, audience, signal),
      clock,
      audiences: settings.tokenAudiences,
    });
    const door = controllerDoor(parts, {
      admission: admissionDeps(parts, this.controller),
      directory: this.controller.directory,
      front: this.#front,
      pool: this.#pool,
      reviewer,
      trust: this.#trust,
      metrics: this.#metricsApp(),
      ready: () => this.#ready,
    });
    this.#http = this.#listen("HTTP API", settings.http, door);
    this.services = [
      ...this.#optional("health", settings.health, this.#healthApp()),
      ...this.#optional("metrics", settings.metrics, this.#metricsApp()),
      this.controller,
      this.#agents(),
      ...duties(parts, this.controller, this.#owner()),
      this.#http,
      ...this.#optional("MCP", settings.mcp, door),
      ...webhook(parts, this.controller),
      this.#readiness(),
    ];
  }

  /** Port of the HTTP API; known once its service has started. */
  get port(): number {
    return this.#http.port();
  }

  #controller(): Controller {
    const { settings, cluster, clock, log, jwks, meter } = this.#parts;
    const { agentsUrl, controllerName, leaderElect } = settings;
    return new Controller(
      {
        cluster,
        clock,
        log,
        random: Math.random,
        tools: poolLister(this.#pool),
        models: httpModelLister(),
        workloads: { ...settings.workloads, jwks },
        meter,
        agentUrl: (ref) => `${agentsUrl}${refKey(ref)}/`,
      },
      {
        namespaces: settings.watched,
        platformNamespace: settings.namespace,
        identity: this.#identity,
        defaultModelConfig: settings.defaultModelConfig,
        toolRefreshMs: settings.toolRefreshMs,
        ...(leaderElect ? { leaseName: controllerName } : {}),
      },
    );
  }

  #rules(): TrustRules {
    const { settings } = this.#parts;
    const { workers, settings: pods } = settings.workloads;
    const { serviceAccountName: defaultAccount } = pods;
    return {
      directory: this.controller.directory,
      services: settings.trustedServices,
      controller: `${settings.namespace}/${settings.controllerName}`,
      isPooled: ({ spec }) => spec.type !== "BYO" && (spec.workers ?? workers) === "pooled",
      ...(defaultAccount === undefined ? {} : { defaultAccount }),
    };
  }

  #agentFront(): AgentFront {
    const { settings, clock, log, store, address } = this.#parts;
    return new AgentFront({
      directory: this.controller.directory,
      sessions: store.sessions,
      agents: new A2aClient({ clock, log }),
      address: address ?? serviceAddress((ref) => this.#poolOf(ref)),
      owner: this.#owner(),
      token: tokenFile(settings.tokenPath, { clock, log }),
      baseUrl: settings.a2aBaseUrl,
      clock,
      newId: randomUUID,
      log,
      totalMs: settings.a2aTimeoutMs,
    });
  }

  /** This process as the one that follows tasks of agents which bring their own worker. */
  #owner() {
    const { podIp, http } = this.#parts.settings;
    const host = podIp?.includes(":") === true ? `[${podIp}]` : (podIp ?? "127.0.0.1");
    const port = (): number => (http.port === 0 ? this.#http.port() : http.port);
    return {
      id: `controller/${this.#identity}`,
      get url() {
        return `http://${host}:${port()}`; // the port may be one that was free
      },
    };
  }

  #poolOf(ref: ObjectRef): string | undefined {
    const object = this.controller.directory.agent(ref)?.object;
    return object !== undefined && this.#trust.isPooled(object) ? POOL_NAME : undefined;
  }

  /** Ends what is followed here, and the connections to tool servers, when the process stops. */
  #agents(): Service {
    return {
      name: "agents",
      start: () => Promise.resolve(),
      stop: async () => {
        await this.#front.close();
        await this.#pool.close();
      },
    };
  }

  #healthApp(): Hono {
    const app = new Hono();
    app.get("/healthz", (c) => c.text("ok"));
    app.get("/readyz", (c) => (this.#ready ? c.text("ok") : c.text("starting, or stopping", 503)));
    return app;
  }

  #metricsApp(): Hono {
    const { meter } = this.#parts;
    const app = new Hono();
    app.get("/metrics", async (c) =>
      c.body(await meter.text(), 200, { "content-type": meter.contentType }),
    );
    return app;
  }

  /** Last to start and first to stop: whoever balances load sends nobody here before and after. */
  #readiness(): Service {
    return {
      name: "readiness",
      start: () => {
        this.#ready = true;
        return Promise.resolve();
      },
      stop: () => {
        this.#ready = false;
        return Promise.resolve();
      },
    };
  }

  #optional(name: string, at: Listen | undefined, app: Served): readonly Service[] {
    return at === undefined ? [] : [this.#listen(name, at, app)];
  }

  #listen(name: string, { host, port }: Listen, app: Served): HttpService {
    const drainMs = Math.max(0, this.#parts.settings.drainMs - ENDING_MS);
    const fetch = app.fetch.bind(app) as Parameters<typeof httpService>[1]["fetch"];
    return httpService({ name, host, port }, { fetch }, drainMs);
  }
}

/** What answers requests of Node's server. */
type Served = Pick<FrontDoor, "fetch"> | Pick<Hono, "fetch">;
