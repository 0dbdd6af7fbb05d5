import { glob, mkdir, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Agent, request } from "undici";
import { stringify } from "yaml";
import { type ApiServer, startApiServer } from "../api-server.ts";
import { type BinaryName, clusterBinary } from "../binaries.ts";
import { startProcess } from "../owned-process.ts";
import {
  containerdConfig,
  kubeletConfig,
  NODE_NAME,
  nameServerConfig,
  podNetwork,
  proxyConfig,
  resolverConfig,
} from "./configuration.ts";
import { imageArchives } from "./images.ts";
import { type Namespaces, openNamespaces } from "./namespaces.ts";
import { nodePackages } from "./packages.ts";
import { preflight } from "./preflight.ts";

/** Where and until when {@link startNodeCluster} works. */
export interface NodeClusterOptions {
  /** Absolute path of a folder for everything; made when absent. `stop` leaves the logs alone. */
  readonly dir: string;
  /** Gives the start up. */
  readonly signal: AbortSignal;
}

/** A cluster of one node that runs pods: the real control plane, kubelet, containerd and Service network. */
export interface NodeCluster {
  readonly api: ApiServer;
  /** Kubeconfig of an administrator. */
  readonly kubeconfigPath: string;
  /** Path of kubectl. */
  readonly kubectl: string;
  /** Address of the node; what listens there is reached by pods and by this process. */
  readonly address: string;
  /** Address of this machine as the cluster sees it. */
  readonly outside: string;
  /**
   * A command as it has to be started to run on the node's network, where Services have names and addresses. The
   * started process is the command itself.
   */
  readonly onNode: Namespaces["inNetwork"];
  /** Runs a short command among the node's processes to its end. */
  readonly run: Namespaces["run"];
  /** Ends everything, pods included, and removes all but the logs. */
  stop(): Promise<void>;
}

/** 60 s for a daemon; each needs a second or two. */
const READY_MS = 60_000;
/** 2 minutes to unpack 130 MB on a busy machine. */
const IMPORT_MS = 120_000;
const PROBE_MS = 2_000;

/**
 * Starts the cluster in namespaces of its own: nothing of it is left on this machine's network, mounts or processes.
 *
 * @throws NodeUnavailableError where a node cannot run, with what is missing; MissingGoError, GoBuildError,
 * ProcessStartError; the signal's reason. Nothing runs then.
 */
export async function startNodeCluster(options: NodeClusterOptions): Promise<NodeCluster> {
  const { dir, signal } = options;
  await nodePackages(signal);
  await preflight(signal);
  const images = await imageArchives(signal);
  await mkdir(dir, { recursive: true });
  const node = await openNamespaces(join(dir, "namespaces.log"), signal);
  let api: ApiServer | undefined;
  const stop = async (): Promise<void> => {
    // who watches the API server goes first, else it waits for them
    await node.stop();
    await api?.stop();
    await removePodGroups();
    await rm(join(dir, "node"), { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    api = await startApiServer({
      dir: join(dir, "api"),
      signal,
      placement: {
        address: node.address,
        enter: (command, args) => node.inNetwork(command, args),
        apiServerArguments: [
          "--kubelet-preferred-address-types=InternalIP",
          "--allow-privileged=true",
        ],
      },
    });
    const parts = new Parts(dir, node, api, signal);
    await parts.controlPlane();
    await parts.containerd(images);
    await parts.nameServer();
    await parts.kubelet();
    await parts.proxy();
    return {
      api,
      kubeconfigPath: api.kubeconfigPath,
      kubectl: await clusterBinary("kubectl", signal),
      address: node.address,
      outside: node.outside,
      onNode: (command, args) => {
        const script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
        const inner = ["sh", "-c", script, resolverPath(dir), command, ...args];
        return node.inNetwork("unshare", ["--mount", "--propagation", "private", ...inner]);
      },
      run: (command, args, limit) => node.run(command, args, limit),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Names of the cluster for processes that are no pods. */
function resolverPath(dir: string): string {
  return join(dir, "node", "resolv.conf");
}

/** The daemons of the node and the controllers of the control plane, in the order of their start. */
class Parts {
  readonly #dir: string;
  readonly #node: Namespaces;
  readonly #api: ApiServer;
  readonly #signal: AbortSignal;

  constructor(dir: string, node: Namespaces, api: ApiServer, signal: AbortSignal) {
    this.#dir = dir;
    this.#node = node;
    this.#api = api;
    this.#signal = signal;
  }

  async controlPlane(): Promise<void> {
    const { servingCertificate, serviceAccountKey } = this.#api.keys;
    const common = [
      `--kubeconfig=${this.#api.kubeconfigPath}`,
      "--leader-elect=false",
      `--bind-address=${this.#node.address}`,
    ];
    await this.#component("kube-controller-manager", this.#health("https", 10_257), [
      ...common,
      `--service-account-private-key-file=${serviceAccountKey}`,
      `--root-ca-file=${servingCertificate}`,
      `--cert-dir=${this.#path("controller-manager")}`,
    ]);
    await this.#component("kube-scheduler", this.#health("https", 10_259), common);
  }

  async containerd(images: readonly string[]): Promise<void> {
    const socket = this.#path("containerd.sock");
    const config = this.#path("containerd.toml");
    await mkdir(this.#path("cni"), { recursive: true });
    const network = JSON.stringify(podNetwork(this.#path("ipam")));
    await writeFile(this.#path("cni/10-kagent.conflist"), network);
    await writeFile(config, containerdConfig(this.#path(), socket));
    const ctr = (args: readonly string[], ms: number): Promise<string> =>
      this.#node.run(
        "ctr",
        ["-a", socket, ...args],
        AbortSignal.any([this.#signal, AbortSignal.timeout(ms)]),
      );
    await this.#daemon("containerd", "containerd", ["-c", config], async () => {
      await ctr(["version"], PROBE_MS);
      return true;
    });
    for (const archive of images)
      await ctr(["-n", "k8s.io", "images", "import", archive], IMPORT_MS);
  }

  async nameServer(): Promise<void> {
    const config = this.#path("Corefile");
    const { address } = this.#node;
    await writeFile(config, nameServerConfig(this.#api.kubeconfigPath, address));
    await this.#daemon(
      "coredns",
      await clusterBinary("coredns", this.#signal),
      ["-conf", config],
      healthy(`http://${address}:8081/health`),
    );
    await writeFile(resolverPath(this.#dir), resolverConfig(address));
  }

  async kubelet(): Promise<void> {
    const path = this.#path("kubelet.yaml");
    await writeFile(path, stringify(kubeletConfig(this.#path(), this.#node.address)));
    await this.#component("kubelet", this.#health("http", 10_248), [
      `--config=${path}`,
      `--kubeconfig=${this.#api.kubeconfigPath}`,
      `--root-dir=${this.#path("kubelet")}`,
      `--cert-dir=${this.#path("kubelet-pki")}`,
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${this.#node.address}`,
    ]);
  }

  async proxy(): Promise<void> {
    const path = this.#path("kube-proxy.yaml");
    const config = proxyConfig(this.#api.kubeconfigPath, this.#node.address);
    await writeFile(path, stringify(config));
    await this.#component("kube-proxy", this.#health("http", 10_256), [`--config=${path}`]);
  }

  async #component(name: BinaryName, health: Probe, args: readonly string[]): Promise<void> {
    await this.#daemon(name, await clusterBinary(name, this.#signal), args, health);
  }

  /** Starts a daemon in the node; it ends with the node's namespaces. */
  async #daemon(
    name: string,
    command: string,
    args: readonly string[],
    probe: Probe,
  ): Promise<void> {
    await mkdir(this.#path(), { recursive: true });
    await startProcess(
      { name, ...this.#node.inNode(command, args), logPath: join(this.#dir, `${name}.log`) },
      { timeoutMs: READY_MS, signal: this.#signal, probe },
    );
  }

  #health(protocol: "http" | "https", port: number): Probe {
    return healthy(`${protocol}://${this.#node.address}:${port}/healthz`);
  }

  #path(name = ""): string {
    return join(this.#dir, "node", name);
  }
}

type Probe = () => Promise<boolean>;

/** Whether a component says that it is well. */
function healthy(url: string): Probe {
  return async () => {
    // the certificates are the components' own, made at their start
    const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
    try {
      const signal = AbortSignal.timeout(PROBE_MS);
      const { statusCode, body } = await request(url, { signal, dispatcher });
      await body.dump();
      return statusCode === 200;
    } finally {
      await dispatcher.close();
    }
  };
}

/** Where containerd puts the control groups of pods; the kernel keeps them when their processes are gone. */
const POD_GROUPS = "/sys/fs/cgroup/*/k8s.io/*";

async function removePodGroups(): Promise<void> {
  // one that is not empty belongs to another cluster
  for await (const group of glob(POD_GROUPS)) await rmdir(group).catch(() => undefined);
}
