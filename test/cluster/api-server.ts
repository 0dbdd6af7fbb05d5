import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { request } from "undici";
import { stringify } from "yaml";
import { ApiClient } from "./api-client.ts";
import { clusterBinary } from "./binaries.ts";
import { onFreePort } from "./free-port.ts";
import { type OwnedProcess, startProcess } from "./owned-process.ts";
import { LOOPBACK, type Placement } from "./placement.ts";

/** Where and until when {@link startApiServer} works. */
export interface ApiServerOptions {
  /**
   * Absolute path of a folder for data, keys, kubeconfig and logs; made when absent. It belongs to the caller: `stop`
   * removes everything but the logs (`etcd.log`, `kube-apiserver.log`).
   */
  readonly dir: string;
  /** Gives the start up; whatever runs by then is ended. No effect after the start. */
  readonly signal: AbortSignal;
  /** Where both run; loopback of this machine unless set. */
  readonly placement?: Placement;
}

/** A running API server with its etcd: RBAC, admission and storage are real; controllers and kubelet are whoever else starts them. */
export interface ApiServer {
  /** Address, e.g. `https://127.0.0.1:<port>`. */
  readonly url: string;
  /** Kubeconfig of an administrator (group `system:masters`), authenticated by a token. */
  readonly kubeconfigPath: string;
  /** Folder of certificate and keys: what other processes of the cluster sign and verify with. */
  readonly keys: { readonly servingCertificate: string; readonly serviceAccountKey: string };
  /** Ids of the processes that run now. */
  readonly pids: () => readonly number[];
  /**
   * Ends the API server and starts it on the same port with the same data; watches break, objects stay.
   *
   * @throws ProcessStartError; the signal's reason; Error after `stop`. Only `stop` is of use then.
   */
  restart(signal: AbortSignal): Promise<void>;
  /** Ends both processes (SIGTERM, later SIGKILL) and removes data, keys and kubeconfig. May be called again. */
  stop(): Promise<void>;
}

/** 60 s: etcd needs one second. */
const ETCD_READY_MS = 60_000;
/** 3 minutes: the API server needs four seconds on an idle machine. */
const API_READY_MS = 180_000;
/** 2 s for one question whether a server is ready. */
const PROBE_MS = 2_000;

/** Files below the folder of one cluster. */
interface Files {
  readonly etcdData: string;
  readonly keys: string;
  /** Written by the API server itself: its certificate and the authority that signed it. */
  readonly servingCertificate: string;
  readonly serviceAccountKey: string;
  readonly tokens: string;
  readonly kubeconfig: string;
  readonly log: (name: string) => string;
}

/**
 * Starts etcd and kube-apiserver on free ports of loopback; builds them first where they are not at hand (minutes).
 *
 * @throws MissingGoError where they must be built and there is no Go; GoBuildError; ProcessStartError with the last
 * lines of the log of the one that did not come up; the signal's reason. Nothing runs then; the logs stay.
 */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { dir, signal, placement = LOOPBACK } = options;
  const commands = {
    etcd: await clusterBinary("etcd", signal),
    api: await clusterBinary("kube-apiserver", signal),
  };
  const files = filesBelow(dir);
  const running: OwnedProcess[] = [];
  const stop = async (): Promise<void> => {
    // The API server first: without its storage it would wait for answers until it is killed.
    for (let last = running.at(-1); last !== undefined; last = running.at(-1)) {
      await last.stop();
      running.pop();
    }
    for (const path of [files.etcdData, files.keys, files.kubeconfig]) {
      await rm(path, { recursive: true, force: true });
    }
  };
  try {
    const token = await writeKeys(files);
    const etcd = await onFreePort((port) =>
      startEtcd(commands.etcd, { files, placement, port }, signal),
    );
    running.push(etcd.process);
    const start = (port: number, until: AbortSignal): Promise<OwnedProcess> =>
      startKubeApiServer(commands.api, { files, token, etcdUrl: etcd.url, port, placement }, until);
    const api = await onFreePort(async (port) => ({ port, process: await start(port, signal) }));
    running.push(api.process);
    const url = `https://${placement.address}:${api.port}`;
    await writeKubeconfig(files, url, token);
    return {
      url,
      kubeconfigPath: files.kubeconfig,
      keys: {
        servingCertificate: files.servingCertificate,
        serviceAccountKey: files.serviceAccountKey,
      },
      pids: () => running.map(({ pid }) => pid),
      async restart(until) {
        until.throwIfAborted();
        if (running.length === 0)
          throw new Error("failed to restart the API server: it is stopped");
        await running.at(1)?.stop();
        running.splice(1);
        running.push(await start(api.port, until));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function filesBelow(dir: string): Files {
  const keys = join(dir, "keys");
  return {
    etcdData: join(dir, "etcd"),
    keys,
    servingCertificate: join(keys, "apiserver.crt"),
    serviceAccountKey: join(keys, "service-account.pem"),
    tokens: join(keys, "tokens.csv"),
    kubeconfig: join(dir, "kubeconfig"),
    log: (name) => join(dir, `${name}.log`),
  };
}

/** Writes what the API server reads, and returns the administrator's token. */
async function writeKeys(files: Files): Promise<string> {
  await mkdir(files.keys, { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const token = randomBytes(24).toString("base64url");
  await writeFile(files.serviceAccountKey, privateKey, { mode: 0o600 });
  await writeFile(files.tokens, `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  return token;
}

async function startEtcd(
  command: string,
  { files, placement, port }: Pick<ApiServerStart, "files" | "placement" | "port">,
  signal: AbortSignal,
): Promise<{ readonly url: string; readonly process: OwnedProcess }> {
  const url = `http://${placement.address}:${port}`;
  // The one member never calls itself, so the port for peers may be any.
  const peers = "http://127.0.0.1:0";
  const args = [
    "--name=test",
    `--data-dir=${files.etcdData}`,
    // A lost machine loses the test anyway; the disk is spared several writes per object.
    "--unsafe-no-fsync",
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=test=${peers}`,
    "--log-level=warn",
  ];
  const process = await startProcess(
    { name: "etcd", ...placement.enter(command, args), logPath: files.log("etcd") },
    {
      timeoutMs: ETCD_READY_MS,
      signal,
      probe: async (until) => {
        const answer = await request(`${url}/readyz`, {
          signal: AbortSignal.any([until, AbortSignal.timeout(PROBE_MS)]),
          reset: true,
        });
        await answer.body.dump();
        return answer.statusCode === 200;
      },
    },
  );
  return { url, process };
}

/** What one start of the API server is given. */
interface ApiServerStart {
  readonly files: Files;
  readonly token: string;
  readonly etcdUrl: string;
  readonly port: number;
  readonly placement: Placement;
}

function startKubeApiServer(
  command: string,
  start: ApiServerStart,
  signal: AbortSignal,
): Promise<OwnedProcess> {
  const { files, port, placement } = start;
  return startProcess(
    {
      name: "kube-apiserver",
      ...placement.enter(command, apiServerArguments(start)),
      logPath: files.log("kube-apiserver"),
    },
    {
      timeoutMs: API_READY_MS,
      signal,
      probe: async (until) => {
        const authority = await readFile(files.servingCertificate, "utf8");
        const url = `https://${placement.address}:${port}`;
        const client = new ApiClient({ url, authority, token: start.token });
        try {
          const limit = AbortSignal.any([until, AbortSignal.timeout(PROBE_MS)]);
          return (await client.get("/readyz", limit)) === "ok";
        } finally {
          await client.close();
        }
      },
    },
  );
}

function apiServerArguments(start: ApiServerStart): readonly string[] {
  const { files, etcdUrl, port, placement } = start;
  return [
    `--etcd-servers=${etcdUrl}`,
    `--bind-address=${placement.address}`,
    `--advertise-address=${placement.address}`,
    `--secure-port=${port}`,
    // It makes itself an authority and a certificate for loopback there, and keeps them over a restart.
    `--cert-dir=${files.keys}`,
    "--service-cluster-ip-range=10.96.0.0/16",
    "--authorization-mode=RBAC",
    `--token-auth-file=${files.tokens}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${files.serviceAccountKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    ...placement.apiServerArguments,
  ];
}

async function writeKubeconfig(files: Files, url: string, token: string): Promise<void> {
  const authority = await readFile(files.servingCertificate);
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [
      {
        name: "test",
        cluster: { server: url, "certificate-authority-data": authority.toString("base64") },
      },
    ],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
  };
  await writeFile(files.kubeconfig, stringify(config), { mode: 0o600 });
}
