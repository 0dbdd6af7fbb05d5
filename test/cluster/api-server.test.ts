import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, watch } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { z } from "zod";
import { type ApiAccess, ApiClient, ApiError, readKubeconfig } from "./api-client.ts";
import { startApiServer } from "./api-server.ts";
import { useApiServer } from "./use-api-server.ts";

/** Limit of every call of these tests. */
const soon = (): AbortSignal => AbortSignal.timeout(60_000);

const versionSchema = z.object({ gitVersion: z.string() });
const uidSchema = z.object({ metadata: z.object({ uid: z.string() }) });
const tokenSchema = z.object({ status: z.object({ token: z.string() }) });

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Resolves when a file of that name comes into the folder. */
async function untilPresent(dir: string, name: string, signal: AbortSignal): Promise<void> {
  for await (const { filename } of watch(dir, { signal })) {
    if (filename === name) return;
  }
}

function refusedWith(status: number): (error: unknown) => boolean {
  return (error) => error instanceof ApiError && error.status === status;
}

describe("test/cluster/api-server", () => {
  const cluster = useApiServer();
  let access: ApiAccess;
  let admin: ApiClient;

  before(async () => {
    access = await readKubeconfig(cluster().kubeconfigPath);
    admin = new ApiClient(access);
  });

  after(async () => {
    // Not made where the suite is skipped.
    await (admin as ApiClient | undefined)?.close();
  });

  async function asUserOf<T>(token: string, work: (client: ApiClient) => Promise<T>): Promise<T> {
    const client = new ApiClient({ ...access, token });
    return work(client).finally(() => client.close());
  }

  it("is Kubernetes 1.36.3", async () => {
    const version = versionSchema.parse(await admin.get("/version", soon()));
    assert.equal(version.gitVersion, "v1.36.3");
  });

  it("listens on loopback only", () => {
    assert.match(cluster().url, /^https:\/\/127\.0\.0\.1:\d+$/);
  });

  it("lets the official client in through its kubeconfig", async () => {
    const config = new KubeConfig();
    config.loadFromFile(cluster().kubeconfigPath);
    const namespaces = await config.makeApiClient(CoreV1Api).listNamespace();
    assert.ok(namespaces.items.some(({ metadata }) => metadata?.name === "kube-system"));
  });

  it("refuses a token it did not give out", async () => {
    await asUserOf("not-a-token", async (stranger) => {
      await assert.rejects(stranger.get("/api/v1/pods", soon()), refusedWith(401));
    });
  });

  it("gives service accounts tokens, and no rights that RBAC does not name", async () => {
    const account = {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "visitor", namespace: "default" },
    };
    await admin.apply(account, soon());
    const path = "/api/v1/namespaces/default/serviceaccounts/visitor/token";
    const answer = await admin.create(path, { spec: { expirationSeconds: 600 } }, soon());
    await asUserOf(tokenSchema.parse(answer).status.token, async (visitor) => {
      await assert.doesNotReject(visitor.get("/version", soon()));
      await assert.rejects(visitor.get("/api/v1/pods", soon()), refusedWith(403));
    });
  });

  it("keeps address and objects over a restart", async () => {
    const path = "/api/v1/namespaces/kube-system";
    const { uid } = uidSchema.parse(await admin.get(path, soon())).metadata;
    const [etcd, api] = cluster().pids();
    await cluster().restart(soon());
    assert.equal(uidSchema.parse(await admin.get(path, soon())).metadata.uid, uid);
    assert.equal(cluster().pids()[0], etcd);
    assert.equal(cluster().pids().length, 2);
    assert.ok(api !== undefined && !isRunning(api));
  });

  describe("its end", () => {
    let dir: string;

    beforeEach(async () => {
      dir = await mkdtemp(join(tmpdir(), "kagent-cluster-"));
    });

    afterEach(async () => {
      await rm(dir, { recursive: true, force: true });
    });

    it("leaves no process and nothing but logs", async () => {
      const server = await startApiServer({ dir, signal: soon() });
      const pids = server.pids();
      assert.deepEqual(pids.map(isRunning), [true, true]);
      await server.stop();
      assert.deepEqual(pids.map(isRunning), [false, false]);
      assert.deepEqual(server.pids(), []);
      assert.deepEqual((await readdir(dir)).toSorted(), ["etcd.log", "kube-apiserver.log"]);
      await server.stop();
    });

    it("comes also when the start is given up", async () => {
      const controller = new AbortController();
      const reason = new Error("no longer wanted");
      const log = untilPresent(dir, "kube-apiserver.log", soon());
      const start = startApiServer({ dir, signal: controller.signal });
      await log;
      controller.abort(reason);
      await assert.rejects(start, reason);
      assert.deepEqual((await readdir(dir)).toSorted(), ["etcd.log", "kube-apiserver.log"]);
    });
  });
});
