import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { RESOURCES } from "../../runtime/api/cluster.ts";
import { EventRecorder } from "../../runtime/kube/event-recorder.ts";
import { podCluster } from "../../runtime/kube/in-cluster.ts";
import { Informer } from "../../runtime/kube/informer.ts";
import { KubeCluster } from "../../runtime/kube/kube-cluster.ts";
import { readKubeconfig } from "../../runtime/kube/kubeconfig.ts";
import { systemClock } from "../../runtime/process/clock.ts";
import { silentLog } from "../../runtime/telemetry/log.ts";
import {
  type ContractCluster,
  clusterContract,
  configMap,
  failureOf,
} from "../runtime/kube/cluster-contract.ts";
import { ApiClient, readKubeconfig as readAccess } from "./api-client.ts";
import { poll } from "./poll.ts";
import { useApiServer } from "./use-api-server.ts";

/** 60 s for one step against a server on a busy machine, a restart included. */
const soon = (): AbortSignal => AbortSignal.timeout(60_000);
/** The API server's own audience. */
const ISSUER = "https://kubernetes.default.svc";
const { ConfigMap, Namespace, ServiceAccount } = RESOURCES;

describe("runtime/kube/kube-cluster on a real API server", () => {
  const server = useApiServer();
  let admin: KubeCluster | undefined;
  let spaces = 0;

  const connect = async (options = {}) =>
    new KubeCluster(await readKubeconfig({ path: server().kubeconfigPath }), options);

  before(async () => {
    admin = await connect();
  });
  after(() => {
    admin?.close();
  });

  async function newNamespace(cluster: KubeCluster): Promise<string> {
    const namespace = `space-${++spaces}`;
    const object = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
    await cluster.create(Namespace, object, soon());
    return namespace;
  }

  /** Token of a new ServiceAccount `agent`, for the API server itself or another audience. */
  async function serviceAccountToken(
    cluster: KubeCluster,
    namespace: string,
    audiences: readonly string[] = ["kagent"],
  ): Promise<string> {
    const metadata = { name: "agent", namespace };
    await cluster.create(
      ServiceAccount,
      { apiVersion: "v1", kind: "ServiceAccount", metadata },
      soon(),
    );
    const client = new ApiClient(await readAccess(server().kubeconfigPath));
    try {
      const answer = await client.create(
        `/api/v1/namespaces/${namespace}/serviceaccounts/agent/token`,
        {
          apiVersion: "authentication.k8s.io/v1",
          kind: "TokenRequest",
          spec: { audiences },
        },
        soon(),
      );
      return (answer as { readonly status: { readonly token: string } }).status.token;
    } finally {
      await client.close();
    }
  }

  clusterContract("the API server", async (): Promise<ContractCluster> => {
    // pages of 5, so that lists take several requests
    const cluster = await connect({ pageSize: 5 });
    const namespace = await newNamespace(cluster);
    return {
      cluster,
      namespace,
      // a server that starts remembers what happens from then on
      forget: (signal) => server().restart(signal),
      token: {
        text: await serviceAccountToken(cluster, namespace),
        user: `system:serviceaccount:${namespace}:agent`,
      },
      close: async () => {
        cluster.close();
      },
    };
  });

  it("tells a kind that is not served from an object that is not there", async () => {
    assert.ok(admin);
    const type = { ...ConfigMap, group: "nowhere.example.org" };
    const key = { namespace: "default", name: "a" };
    assert.equal((await failureOf(admin.get(type, key, soon()))).code, "not-found");
  });

  it("tells that the namespace is missing", async () => {
    assert.ok(admin);
    const work = admin.create(ConfigMap, configMap("nowhere", "a", {}), soon());
    const error = await failureOf(work);
    assert.equal(error.code, "not-found");
    assert.match(error.message, /namespaces "nowhere" not found/);
  });

  it("passes on the paths of all fields that are wrong", async () => {
    assert.ok(admin);
    const namespace = await newNamespace(admin);
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "a", namespace },
      spec: { ports: [{ port: 0 }, { port: 1, name: "UPPER" }] },
    };
    const error = await failureOf(admin.create(RESOURCES.Service, service, soon()));
    assert.equal(error.code, "invalid");
    assert.match(error.message, /spec\.ports\[0\]\.port/);
    assert.match(error.message, /spec\.ports\[1\]\.name/);
  });

  it("keeps an informer right through restarts of the server", async () => {
    assert.ok(admin);
    const own = admin;
    const namespace = await newNamespace(own);
    const apply = (name: string, x: string) =>
      own.apply(ConfigMap, configMap(namespace, name, { x }), { fieldManager: "test" }, soon());
    const cluster = await connect();
    const deps = { cluster, clock: systemClock, random: Math.random, log: silentLog };
    const informer = new Informer(deps, { type: ConfigMap, selection: { namespace } });
    const end = new AbortController();
    await apply("a", "1");
    await apply("b", "1");
    const run = informer.start(end.signal);
    await informer.synced();
    const content = () =>
      informer
        .list()
        .map(({ metadata, ...rest }) => `${metadata.name}=${(rest["data"] as { x: string }).x}`)
        .sort()
        .join();
    const until = (wanted: string) =>
      poll(async () => (content() === wanted ? true : undefined), {
        what: `${wanted}, not ${content()}`,
        timeoutMs: 50_000,
        signal: soon(),
      });
    await until("a=1,b=1");
    await server().restart(soon());
    await apply("a", "2");
    await until("a=2,b=1");
    // what happens while the server is new to it: its old version is forgotten, or not
    await Promise.all([own.delete(ConfigMap, { namespace, name: "b" }, soon()), apply("c", "1")]);
    await server().restart(soon());
    await until("a=2,c=1");
    end.abort(new Error("over"));
    await run;
    cluster.close();
  });

  it("serves a pod with the rights of its ServiceAccount", async () => {
    assert.ok(admin);
    const namespace = await newNamespace(admin);
    const directory = await mkdtemp(join(tmpdir(), "kagent-pod-"));
    const { url, authority } = await readAccess(server().kubeconfigPath);
    await writeFile(join(directory, "ca.crt"), authority);
    await writeFile(
      join(directory, "token"),
      await serviceAccountToken(admin, namespace, [ISSUER]),
    );
    const { hostname, port } = new URL(url);
    const environment = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
    const chosen = podCluster(environment, directory);
    assert.ok(chosen);
    const pod = new KubeCluster(chosen);
    const error = await failureOf(pod.list(ConfigMap, { namespace }, soon()));
    assert.equal(error.code, "forbidden");
    assert.match(error.message, new RegExp(`system:serviceaccount:${namespace}:agent`));
    await writeFile(join(directory, "token"), "rotated-away");
    assert.equal((await failureOf(pod.list(ConfigMap, {}, soon()))).code, "unauthorized");
    pod.close();
    await rm(directory, { recursive: true });
  });

  it("takes the Events of the recorder", async () => {
    assert.ok(admin);
    const namespace = await newNamespace(admin);
    const object = await admin.create(ConfigMap, configMap(namespace, "a", {}), soon());
    const problems: unknown[] = [];
    const recorder = new EventRecorder({
      cluster: admin,
      clock: systemClock,
      log: { ...silentLog, warn: (_message, fields) => void problems.push(fields) },
      component: "kagent-controller",
      instance: "pod-1",
    });
    const event = { type: "Warning", reason: "ReconcileFailed", message: "no model" } as const;
    recorder.record(object, event);
    recorder.record(object, event);
    await recorder.close(soon());
    assert.deepEqual(problems, []);
    const selection = { namespace, fieldSelector: "involvedObject.name=a" };
    const { items } = await admin.list(RESOURCES.Event, selection, soon());
    assert.deepEqual(
      items.map((each) => [each["reason"], each["count"]]),
      [["ReconcileFailed", 2]],
    );
  });

  it("sends a bookmark before it closes a watch, and closes it in time", async () => {
    const cluster = await connect({ watchSeconds: 5 });
    const { resourceVersion } = await cluster.list(ConfigMap, {}, soon());
    const types: string[] = [];
    for await (const event of cluster.watch(ConfigMap, { resourceVersion }, soon()))
      types.push(event.type);
    assert.ok(types.every((type) => type === "bookmark"));
    cluster.close();
  });
});
