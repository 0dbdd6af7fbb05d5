import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { request } from "undici";
import { stringify } from "yaml";
import { customResourceDefinitions } from "../../../runtime/api/crd.ts";
import { WORKER_BUNDLE } from "../../../runtime/api/names.ts";
import { bundleRole, contentOf } from "../../../stacks/bundle/bundle-role.ts";
import type { NodeCluster } from "../node/node-cluster.ts";
import { type OwnedProcess, startProcess } from "../owned-process.ts";
import { poll } from "../poll.ts";
import type { Postgres } from "../postgres.ts";

const run = promisify(execFile);

/** 60 s for a controller to serve: its caches are empty, its tables are made. */
const READY_MS = 60_000;
/** 30 s for one kubectl. */
const KUBECTL_MS = 30_000;
const NAMESPACE = "kagent";
const CONTROLLER = "kagent-controller";
const MAIN = join(import.meta.dirname, "../../../runtime/main.ts");

/** What {@link NodePlatform.install} puts together. */
export interface PlatformParts {
  readonly cluster: NodeCluster;
  readonly postgres: Postgres;
  /** Folder for tokens and logs; the caller's. */
  readonly dir: string;
  readonly signal: AbortSignal;
}

/** A controller as a process of its own. */
export interface RunningController {
  readonly name: string;
  readonly process: OwnedProcess;
  /** Base URL of its HTTP API, from this process and from pods. */
  readonly url: string;
}

/** The platform on a cluster with a node: controllers as processes on the node, workers as its pods. */
export class NodePlatform {
  readonly cluster: NodeCluster;
  readonly #parts: PlatformParts;
  readonly #controllers: RunningController[] = [];
  #ports = 8083;

  private constructor(parts: PlatformParts) {
    this.cluster = parts.cluster;
    this.#parts = parts;
  }

  /** CRDs, the namespace under the restricted Pod Security Standard, the worker's bundle, the controllers' Service. */
  static async install(parts: PlatformParts): Promise<NodePlatform> {
    const platform = new NodePlatform(parts);
    await platform.apply(...customResourceDefinitions());
    const established = ["wait", "crd", "--all", "--for=condition=Established", "--timeout=20s"];
    await platform.kubectl(established);
    await platform.apply(
      {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: {
          name: NAMESPACE,
          labels: { "pod-security.kubernetes.io/enforce": "restricted" },
        },
      },
      {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: CONTROLLER, namespace: NAMESPACE },
      },
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: CONTROLLER, namespace: NAMESPACE },
        spec: { ports: [{ name: "http", port: 8083 }] },
      },
    );
    await platform.#deliver();
    const token = ["create", "token", CONTROLLER, "-n", NAMESPACE, "--audience", "kagent"];
    await writeFile(platform.#tokenPath, (await platform.kubectl(token)).trim(), { mode: 0o600 });
    return platform;
  }

  /** Runs kubectl as an administrator. @throws Error with what it said. */
  async kubectl(args: readonly string[], input = ""): Promise<string> {
    const { kubectl, kubeconfigPath } = this.cluster;
    const work = run(kubectl, ["--kubeconfig", kubeconfigPath, ...args], {
      timeout: KUBECTL_MS,
      maxBuffer: 64 * 1024 * 1024,
      signal: this.#parts.signal,
    });
    work.child.stdin?.end(input);
    return (await work).stdout;
  }

  /** `kubectl apply` as people do it, without --server-side. */
  async apply(...objects: readonly object[]): Promise<string> {
    const text = objects.map((object) => stringify(object)).join("---\n");
    return await this.kubectl(["apply", "-f", "-"], text);
  }

  /** One object as it is now. */
  async get(kind: string, name: string, namespace = NAMESPACE): Promise<Record<string, unknown>> {
    const text = await this.kubectl(["get", kind, name, "-n", namespace, "-o", "json"]);
    return JSON.parse(text) as Record<string, unknown>;
  }

  /** Waits until `probe` answers something. */
  async until<T>(what: string, timeoutMs: number, probe: () => Promise<T | undefined>): Promise<T> {
    return await poll(probe, { what, timeoutMs, signal: this.#parts.signal });
  }

  /** Waits until an Agent's conditions Accepted and Ready are `True`. */
  async ready(agent: string, timeoutMs = 60_000): Promise<void> {
    for (const condition of ["Accepted", "Ready"])
      await this.until(`agent ${agent} ${condition}`, timeoutMs, async () => {
        const path = `jsonpath={.status.conditions[?(@.type=="${condition}")].status}`;
        const args = ["get", "agent", agent, "-n", NAMESPACE, "-o", path];
        return (await this.kubectl(args)) === "True" ? true : undefined;
      });
  }

  /** Controllers that run. */
  get controllers(): readonly RunningController[] {
    return this.#controllers;
  }

  /** Starts a controller; it serves when this resolves. */
  async startController(
    name: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<RunningController> {
    const { cluster, postgres, dir, signal } = this.#parts;
    const port = this.#ports;
    this.#ports += 10;
    const url = `http://${cluster.address}:${port}`;
    const env = {
      PATH: process.env["PATH"] ?? "",
      KUBECONFIG: cluster.kubeconfigPath,
      POSTGRES_DATABASE_URL: postgres.socketUrl(),
      HTTP_SERVER_ADDRESS: `${cluster.address}:${port}`,
      MCP_SERVER_ADDRESS: `${cluster.address}:${port + 1}`,
      HEALTH_PROBE_BIND_ADDRESS: `${cluster.address}:${port + 2}`,
      WEBHOOK_ADDRESS: `${cluster.address}:${port + 3}`,
      KAGENT_WEBHOOK_URL: `https://${cluster.address}:${port + 3}`,
      A2A_BASE_URL: url,
      // behind the Service they all have one port
      KAGENT_CONTROLLER_URL: `http://${CONTROLLER}.${NAMESPACE}:8083`,
      AUTH_TRUSTED_PEERS: cluster.outside,
      KAGENT_TOKEN_PATH: this.#tokenPath,
      KAGENT_POD_IP: cluster.address,
      KAGENT_IMAGE_PULL_POLICY: "IfNotPresent",
      KAGENT_NODE_IMAGE: "docker.io/library/node:24-slim",
      LEADER_ELECT: "true",
      TOOL_REFRESH_INTERVAL: "5s",
      HOSTNAME: name,
      LOG_LEVEL: "info",
      ...environment,
    };
    const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    // the environment travels by env(1), for the process that is started is given none
    const command = cluster.onNode("env", [
      "-i",
      ...variables,
      process.execPath,
      "--no-warnings",
      MAIN,
      "controller",
    ]);
    const logPath = join(dir, `${name}.log`);
    const owned = await startProcess(
      { name, ...command, logPath },
      { timeoutMs: READY_MS, signal, probe: () => answers(`${url}/health`) },
    );
    const running = { name, process: owned, url };
    this.#controllers.push(running);
    await this.#endpoints();
    return running;
  }

  /** What people would look at first when something does not work. */
  async report(): Promise<string> {
    const looks = [
      ["get", "agents,deployments,pods,leases", "-n", NAMESPACE, "-o", "wide"],
      ["get", "events", "-n", NAMESPACE, "--sort-by=.lastTimestamp"],
      ["logs", "-n", NAMESPACE, "-l", "app=kagent", "--tail=15", "--prefix"],
    ];
    const said: string[] = [];
    for (const look of looks)
      said.push(await this.kubectl(look).catch((error: unknown) => String(error)));
    for (const { name } of this.#controllers) {
      const log = await readFile(join(this.#parts.dir, `${name}.log`), "utf8");
      said.push(`${name}:\n${log.split("\n").slice(-15).join("\n")}`);
    }
    return `${said.map((text) => text.slice(-6_000)).join("\n")}\n`;
  }

  /** Takes a controller that has gone out of the Service. */
  async forget(gone: RunningController): Promise<void> {
    this.#controllers.splice(this.#controllers.indexOf(gone), 1);
    await this.#endpoints();
  }

  /** Ends the controllers. */
  async stop(): Promise<void> {
    await Promise.all(this.#controllers.splice(0).map(({ process: owned }) => owned.stop()));
  }

  get #tokenPath(): string {
    return join(this.#parts.dir, "controller-token");
  }

  /** The worker's program as the stacks deliver it: an immutable map and a pointer to it. */
  async #deliver(): Promise<void> {
    const { name, files } = await bundleRole("worker");
    const data: Record<string, string> = {};
    const binaryData: Record<string, string> = {};
    for (const [key, file] of Object.entries(files))
      if ("text" in file) data[key] = file.text;
      else binaryData[key] = Buffer.from(contentOf(file)).toString("base64");
    const object = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: NAMESPACE },
      immutable: true,
      data,
      binaryData,
    };
    // too large for the annotation of a client-side apply
    await this.kubectl(["create", "-f", "-"], JSON.stringify(object));
    await this.apply({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: WORKER_BUNDLE.pointer, namespace: NAMESPACE },
      data: { [WORKER_BUNDLE.key]: name },
    });
  }

  /** Controllers are no pods, so nobody else says where the Service leads. */
  async #endpoints(): Promise<void> {
    const slices = this.#controllers.map(({ name, url }) => ({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name: `${CONTROLLER}-${name}`,
        namespace: NAMESPACE,
        labels: { "kubernetes.io/service-name": CONTROLLER, "kagent.test/slice": "controller" },
      },
      addressType: "IPv4",
      ports: [{ name: "http", port: Number(new URL(url).port), protocol: "TCP" }],
      endpoints: [{ addresses: [this.cluster.address], conditions: { ready: true } }],
    }));
    const known = new Set(slices.map(({ metadata }) => metadata.name));
    const list = ["get", "endpointslices", "-n", NAMESPACE, "-l", "kagent.test/slice=controller"];
    const names = (await this.kubectl([...list, "-o", "name"])).split("\n").filter(Boolean);
    const old = names.filter((name) => !known.has(name.split("/")[1] ?? ""));
    if (old.length > 0) await this.kubectl(["delete", "-n", NAMESPACE, ...old]);
    if (slices.length > 0) await this.apply(...slices);
  }
}

async function answers(url: string): Promise<boolean> {
  const answer = await request(url, { signal: AbortSignal.timeout(2_000), reset: true });
  await answer.body.dump();
  return answer.statusCode === 200;
}
