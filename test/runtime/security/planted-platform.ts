import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { a2aApp } from "../../../runtime/a2a/http.ts";
import { AGENT_FILES, pooledKey } from "../../../runtime/api/agent-files/names.ts";
import { RESOURCES } from "../../../runtime/api/cluster.ts";
import type { KubeObject } from "../../../runtime/api/cluster-reader.ts";
import { ControllerProcess } from "../../../runtime/controller/role/controller-process.ts";
import { controllerSettings } from "../../../runtime/controller/role/settings.ts";
import { MemoryCluster } from "../../../runtime/kube/memory-cluster.ts";
import { systemClock } from "../../../runtime/process/clock.ts";
import { openStore, type Store } from "../../../runtime/store/open-store.ts";
import { jsonLog, type Logger } from "../../../runtime/telemetry/log.ts";
import { prometheusMeter, type ScrapedMeter } from "../../../runtime/telemetry/meter.ts";
import { Worker } from "../../../runtime/worker/role/worker.ts";
import { card, serveApp, type TestServer } from "../../support/a2a-server.ts";
import { freePortBase } from "../../support/free-port-base.ts";
import { TestIssuer } from "../process/auth/tokens.ts";
import { MountedFolder } from "../worker/role/mounted-folder.ts";
import type { Canaries } from "./canaries.ts";
import { Outside } from "./outside.ts";
import { OWN_AGENTS, plantedObjects } from "./planted-objects.ts";
import { type PlantedSecrets, plantedSecrets } from "./planted-secrets.ts";

const never = new AbortController().signal;
const CONTROLLER = "system:serviceaccount:kagent:kagent-controller";
const WORKER = "system:serviceaccount:kagent:agents";

/** Waits until something holds; what never does fails by the test's time limit. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

/** A token of somebody; its signature is what nobody may keep. */
export async function plantedToken(
  canaries: Canaries,
  issuer: TestIssuer,
  name: string,
  sub: string,
): Promise<string> {
  const token = await issuer.token({ sub });
  return canaries.known(name, token, token.slice(token.lastIndexOf(".") + 1)).value;
}

/** Controller, worker and store in one process, on real sockets, with secrets wherever a platform meets them. */
export class PlantedPlatform {
  readonly secrets: PlantedSecrets;
  readonly cluster: MemoryCluster;
  readonly people: TestIssuer;
  readonly outside: Outside;
  /** Every line of every log, down to `debug`. */
  readonly logs: string[] = [];
  /** Folder of the store's file. */
  readonly data = mkdtempSync(join(tmpdir(), "planted-"));
  readonly #services: TestIssuer;
  readonly #lifetime = new AbortController();
  readonly #folder = new MountedFolder();
  readonly #log: Logger;
  readonly #closing: (() => unknown)[] = [];
  #store: Store | undefined;
  worker: Worker | undefined;
  controllerUrl = "";

  private constructor(
    parts: Pick<PlantedPlatform, "secrets" | "people" | "outside"> & {
      readonly services: TestIssuer;
      readonly owners: ReadonlyMap<string, string>;
    },
  ) {
    this.secrets = parts.secrets;
    this.people = parts.people;
    this.outside = parts.outside;
    this.#services = parts.services;
    this.cluster = new MemoryCluster({
      clock: systemClock,
      newId: randomUUID,
      tokenOwner: (token) => {
        const user = parts.owners.get(token);
        return user === undefined ? undefined : { user, groups: [], audiences: ["kagent"] };
      },
    });
    this.#log = jsonLog({ level: "debug", write: (line) => void this.logs.push(line) });
  }

  static async start(canaries: Canaries): Promise<PlantedPlatform> {
    const secrets = plantedSecrets(canaries);
    const outside = await Outside.start(secrets);
    const people = await TestIssuer.create(Date.now);
    const services = await TestIssuer.create(Date.now, "s1", "https://cluster.example");
    const token = (name: string, sub: string) => plantedToken(canaries, services, name, sub);
    const controller = await token("token of the controller", CONTROLLER);
    const own = await token("token of the worker", WORKER);
    const owners = new Map([
      [controller, CONTROLLER],
      [own, WORKER],
    ]);
    const platform = new PlantedPlatform({ secrets, people, outside, services, owners });
    platform.#closing.push(() => outside.close());
    writeFileSync(join(platform.data, "controller-token"), controller);
    writeFileSync(join(platform.data, "worker-token"), own);
    for (const [kind, object] of plantedObjects(secrets, outside))
      await platform.cluster.create(RESOURCES[kind], object as KubeObject, never);
    await platform.#open();
    return platform;
  }

  /** Files of every agent as the controller wrote them, by agent. */
  async files(name: string): Promise<Readonly<Record<string, string>> | undefined> {
    const key = { namespace: "kagent", name };
    const object = await this.cluster.get(RESOURCES.Secret, key, never);
    const data = object?.["data"] as Readonly<Record<string, string>> | undefined;
    const entries = Object.entries(data ?? {});
    return data && Object.fromEntries(entries.map(([file, text]) => [file, atob(text)]));
  }

  /** What the kubelet does: the agents' Secrets become the worker's files. */
  async mount(): Promise<void> {
    const mounted: Record<string, string> = {};
    for (const name of OWN_AGENTS)
      for (const [file, text] of Object.entries((await this.files(name)) ?? {}))
        mounted[file === AGENT_FILES.jwks ? file : pooledKey(name, file)] = text;
    this.#folder.write(mounted);
  }

  /** Replaces the tool server's header; resolves once agents have it. */
  async rotate(value: string): Promise<void> {
    const object = plantedSecret(value);
    await this.cluster.apply(RESOURCES.Secret, object, { fieldManager: "test" }, never);
    const written = JSON.stringify(value).slice(1, -1);
    await until(
      async () => (await this.files("one"))?.[AGENT_FILES.credentials]?.includes(written) ?? false,
    );
    await this.mount();
    const headers = () =>
      this.worker?.agents.config({ namespace: "kagent", name: "one" })?.toolServers[0]?.server
        .headers;
    await until(() => Object.values(headers() ?? {}).includes(value));
  }

  /** Stops everything; the store's file stays until {@link remove}. */
  async stop(): Promise<void> {
    this.#lifetime.abort(new Error("over"));
    for (const close of this.#closing.splice(0).toReversed()) await close();
  }

  remove(): void {
    this.#folder.remove();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** Bytes of the store's files as they are now. */
  storeFiles(names: readonly string[]): Buffer {
    return Buffer.concat(names.map((name) => readFileSync(join(this.data, name))));
  }

  async #open(): Promise<void> {
    this.#store = await openStore({ path: join(this.data, "kagent.db") });
    this.#closing.push(() => this.#store?.close());
    const port = await freePortBase();
    this.controllerUrl = `http://127.0.0.1:${port}`;
    const helper = await this.#helper();
    const meter = await prometheusMeter();
    const worker = this.#worker(meter);
    const controller = await this.#controller(port, meter, (name) =>
      name === "helper" ? helper.url : `http://127.0.0.1:${worker.port}`,
    );
    this.#closing.push(async () => {
      await worker.stop();
      for (const service of controller.services.toReversed()) await service.stop();
    });
    for (const service of controller.services) await service.start(this.#lifetime.signal);
    for (const name of OWN_AGENTS) await until(async () => (await this.files(name)) !== undefined);
    await this.mount();
    await worker.start(this.#lifetime.signal);
  }

  async #helper(): Promise<TestServer> {
    const server = await serveApp(
      a2aApp({
        agents: (ref) => ({ ...card(ref.name), ref }),
        tasks: this.outside.helpers,
        caller: ({ headers }) => ({ user: headers.get("x-user-id") ?? "nobody", headers: {} }),
        baseUrl: "http://helper",
        prefix: "/agents",
        log: this.#log,
      }),
    );
    this.#closing.push(() => server.close());
    return server;
  }

  #worker(meter: ScrapedMeter): Worker {
    const metrics = async () => ({ contentType: meter.contentType, body: await meter.text() });
    const options = { log: this.#log, meter: () => Promise.resolve(meter), metrics };
    this.worker = new Worker(
      {
        host: "127.0.0.1",
        port: 0,
        folders: [this.#folder.path],
        namespace: "kagent",
        controllerUrl: this.controllerUrl,
        auth: "token",
        trustedCallers: [CONTROLLER],
        tokenPath: join(this.data, "worker-token"),
        logLevel: "debug",
        drainMs: 0,
      },
      options,
    );
    return this.worker;
  }

  async #controller(
    port: number,
    meter: ScrapedMeter,
    at: (name: string) => string,
  ): Promise<ControllerProcess> {
    writeFileSync(join(this.data, "people.json"), JSON.stringify(await this.people.keySet()));
    const keys = await this.#services.keySet();
    return new ControllerProcess({
      settings: controllerSettings({
        HTTP_SERVER_ADDRESS: `127.0.0.1:${port}`,
        KAGENT_CONTROLLER_URL: this.controllerUrl,
        MCP_SERVER_ADDRESS: "0",
        HEALTH_PROBE_BIND_ADDRESS: "0",
        WEBHOOK_ADDRESS: "0",
        KAGENT_WORKER_IMAGE: "worker:1",
        DEFAULT_SERVICE_ACCOUNT_NAME: "agents",
        KAGENT_TOKEN_PATH: join(this.data, "controller-token"),
        KAGENT_DRAIN_SECONDS: "0",
        AUTH_MODE: "jwt",
        AUTH_JWT_ISSUER: this.people.issuer,
        AUTH_JWKS_FILE: join(this.data, "people.json"),
        WRITE_USERS: "ana",
      }),
      cluster: this.cluster,
      store: this.#store as Store,
      meter,
      clock: systemClock,
      log: this.#log,
      version: { version: "1.2.3", commit: "abc" },
      jwks: () => keys,
      address: ({ namespace, name }) => new URL(`${at(name)}/agents/${namespace}/${name}/`),
      signal: this.#lifetime.signal,
    });
  }
}

function plantedSecret(value: string): KubeObject {
  const metadata = { name: "tool-key", namespace: "kagent" };
  return { apiVersion: "v1", kind: "Secret", metadata, data: { token: btoa(value) } };
}
