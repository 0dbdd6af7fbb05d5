import { execFile } from "node:child_process";
import { access, constants, mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { promisify } from "node:util";
import { withFileLock } from "./file-lock.ts";
import { type GoCommand, goBuild } from "./go-build.ts";

const run = promisify(execFile);

/** A command of the cluster and how its version is recognised. */
export interface ClusterBinary extends GoCommand {
  /** A whole line that `<command> --version` prints for exactly this version. */
  readonly versionLine: string;
}

const KUBERNETES_VERSION = "v1.36.3";
const ETCD_VERSION = "v3.7.3";
const COREDNS_VERSION = "v1.15.0";

/** Every command of Kubernetes is one row; the staging modules of release 1.x are published as 0.x. */
function kubernetes(name: string): ClusterBinary {
  return {
    name,
    module: "k8s.io/kubernetes",
    version: KUBERNETES_VERSION,
    mainPackage: `k8s.io/kubernetes/cmd/${name}`,
    stagingVersion: KUBERNETES_VERSION.replace("v1.", "v0."),
    linkerFlags: ["-X", `k8s.io/component-base/version.gitVersion=${KUBERNETES_VERSION}`],
    versionLine: `Kubernetes ${KUBERNETES_VERSION}`,
  };
}

/** What a cluster for tests consists of. */
export const BINARIES = {
  etcd: {
    name: "etcd",
    module: "go.etcd.io/etcd/server/v3",
    version: ETCD_VERSION,
    mainPackage: "go.etcd.io/etcd/server/v3",
    linkerFlags: [],
    versionLine: `etcd Version: ${ETCD_VERSION.slice(1)}`,
  },
  coredns: {
    name: "coredns",
    module: "github.com/coredns/coredns",
    version: COREDNS_VERSION,
    mainPackage: "github.com/coredns/coredns",
    linkerFlags: [],
    versionLine: `CoreDNS-${COREDNS_VERSION.slice(1)}`,
  },
  "kube-apiserver": kubernetes("kube-apiserver"),
  "kube-controller-manager": kubernetes("kube-controller-manager"),
  "kube-scheduler": kubernetes("kube-scheduler"),
  kubelet: kubernetes("kubelet"),
  "kube-proxy": kubernetes("kube-proxy"),
  kubectl: kubernetes("kubectl"),
} as const satisfies Readonly<Record<string, ClusterBinary>>;

/** Name of a row of {@link BINARIES}. */
export type BinaryName = keyof typeof BINARIES;

/** What {@link obtainBinary} needs of the outside. */
export interface ObtainDeps {
  /** Reads `KAGENT_TEST_BIN_DIR`, `PATH` and `XDG_CACHE_HOME`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Builds a command at `target`. */
  readonly build: (command: GoCommand, target: string, signal: AbortSignal) => Promise<void>;
  /** Takes a line for people about work that takes minutes. */
  readonly progress: (line: string) => void;
}

/** 40 minutes for one command from nothing, downloads and the wait for another process included. */
const OBTAIN_MS = 2_400_000;
/** 20 s: the first start of a file of 100 MB on a slow disk. */
const VERSION_MS = 20_000;
/** 30 s between two lines that say a build goes on. */
const PROGRESS_MS = 30_000;

const systemDeps: ObtainDeps = {
  env: process.env,
  build: goBuild,
  progress: (line) => {
    process.stderr.write(`cluster: ${line}\n`);
  },
};

/**
 * Path of a command of the cluster, built first where no installed or cached one has the version.
 *
 * @throws MissingGoError when it has to be built and there is no `go`; GoBuildError when the build fails; a
 * `TimeoutError` after 40 minutes; the signal's reason.
 */
export function clusterBinary(name: BinaryName, signal: AbortSignal): Promise<string> {
  return obtainBinary(BINARIES[name], systemDeps, signal);
}

/**
 * Path of `binary`: from `KAGENT_TEST_BIN_DIR`, the user's cache, PATH, or built into the cache, in this order.
 *
 * A file found elsewhere counts only if it prints its version. Two processes at once build once.
 *
 * @throws As {@link clusterBinary}.
 */
export async function obtainBinary(
  binary: ClusterBinary,
  deps: ObtainDeps,
  signal: AbortSignal,
): Promise<string> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(OBTAIN_MS)]);
  const { env } = deps;
  const folder = join(cacheFolder(env), `${binary.name}-${binary.version}`);
  const cached = join(folder, binary.name);

  const given = env["KAGENT_TEST_BIN_DIR"];
  const chosen = await firstOfVersion(binary, given ? [resolve(given)] : [], limited);
  if (chosen !== undefined) return chosen;
  if (await isExecutable(cached)) return cached;
  const installed = await firstOfVersion(binary, env["PATH"]?.split(delimiter) ?? [], limited);
  if (installed !== undefined) return installed;

  await mkdir(folder, { recursive: true });
  return withFileLock(
    join(folder, "lock"),
    async () => {
      if (!(await isExecutable(cached))) await buildInto(cached, binary, deps, limited);
      return cached;
    },
    {
      onWait: () => {
        deps.progress(`waiting for another process that builds ${binary.name} ${binary.version}`);
      },
      signal: limited,
    },
  );
}

async function buildInto(
  target: string,
  binary: ClusterBinary,
  deps: ObtainDeps,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 1000);
  const title = `${binary.name} ${binary.version}`;
  deps.progress(`building ${title} from ${binary.module}: takes minutes the first time`);
  const heartbeat = setInterval(() => {
    deps.progress(`still building ${title} after ${seconds()} s`);
  }, PROGRESS_MS);
  // The lock has one holder, so a part left here by a killed process belongs to nobody.
  const partial = `${target}.partial`;
  try {
    await deps.build(binary, partial, signal);
    await rename(partial, target);
  } finally {
    clearInterval(heartbeat);
    await rm(partial, { force: true });
  }
  deps.progress(`built ${title} in ${seconds()} s`);
}

/** Where builds are kept. Relative values of the variable are ignored, as its specification asks. */
export function cacheFolder(env: ObtainDeps["env"]): string {
  const named = env["XDG_CACHE_HOME"] ?? "";
  return join(isAbsolute(named) ? named : join(homedir(), ".cache"), "kagent");
}

async function firstOfVersion(
  binary: ClusterBinary,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const folder of folders) {
    if (!isAbsolute(folder)) continue;
    const path = join(folder, binary.name);
    if (await isOfVersion(path, binary.versionLine, signal)) return path;
  }
  return undefined;
}

async function isOfVersion(path: string, line: string, signal: AbortSignal): Promise<boolean> {
  if (!(await isExecutable(path))) return false;
  try {
    const { stdout } = await run(path, ["--version"], { signal, timeout: VERSION_MS });
    return stdout.split("\n").includes(line);
  } catch {
    // Whatever does not answer `--version` is not the file that is looked for.
    signal.throwIfAborted();
    return false;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
