import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { after, before, describe, it } from "mocha";
import { z } from "zod";
import { ApiClient, objectPath, readKubeconfig } from "./api-client.ts";
import { createFailingWorkloads } from "./failing-workloads.ts";
import { fluxObject } from "./flux-objects.ts";
import { useApiServer } from "./use-api-server.ts";
import {
  CHECKOUT_SETTINGS,
  FAILING_WORKLOADS,
  FLUX_OBJECTS,
  HEALTHY_WORKLOADS,
  HELM_RELEASES,
  LEDGER_SECRET,
  NAMESPACES,
  NODES,
  type Workload,
} from "./workload-facts.ts";

/** Limit of every call of these tests. */
const soon = (): AbortSignal => AbortSignal.timeout(60_000);

const terminatedSchema = z.object({
  reason: z.string(),
  exitCode: z.number(),
  message: z.string().optional(),
});
const podSchema = z.object({
  metadata: z.object({
    uid: z.string(),
    ownerReferences: z.tuple([z.object({ kind: z.literal("ReplicaSet"), name: z.string() })]),
  }),
  spec: z.object({ nodeName: z.string().optional() }),
  status: z.object({
    phase: z.string(),
    conditions: z.array(
      z.object({
        type: z.string(),
        status: z.string(),
        reason: z.string().optional(),
        message: z.string().optional(),
      }),
    ),
    containerStatuses: z
      .array(
        z.object({
          ready: z.boolean(),
          restartCount: z.number(),
          state: z.object({
            waiting: z.object({ reason: z.string(), message: z.string() }).optional(),
            running: z.object({}).optional(),
          }),
          lastState: z.object({ terminated: terminatedSchema.optional() }),
        }),
      )
      .optional(),
  }),
});
const conditionsSchema = z.object({
  status: z.object({
    conditions: z.array(
      z.object({
        type: z.string(),
        status: z.string(),
        reason: z.string(),
        message: z.string(),
      }),
    ),
  }),
});
const eventsSchema = z.object({
  items: z.array(
    z.object({
      type: z.string(),
      reason: z.string(),
      message: z.string(),
      count: z.number(),
      involvedObject: z.object({ kind: z.string(), name: z.string(), uid: z.string() }),
    }),
  ),
});
const secretSchema = z.object({
  type: z.string(),
  metadata: z.object({ labels: z.record(z.string(), z.string()).optional() }),
  data: z.record(z.string(), z.string()),
});
const configMapSchema = z.object({ data: z.record(z.string(), z.string()) });
const releaseSchema = z.object({
  name: z.string(),
  namespace: z.string(),
  version: z.number(),
  info: z.object({ status: z.string(), description: z.string() }),
  chart: z.object({ metadata: z.object({ name: z.string(), version: z.string() }) }),
  manifest: z.string(),
});

describe("test/cluster/failing-workloads", () => {
  const cluster = useApiServer();
  let client: ApiClient;

  before(async () => {
    await createFailingWorkloads(cluster().kubeconfigPath, soon());
    client = new ApiClient(await readKubeconfig(cluster().kubeconfigPath));
  });

  after(async () => {
    // Not made where the suite is skipped.
    await (client as ApiClient | undefined)?.close();
  });

  async function readPod(workload: Workload): Promise<z.output<typeof podSchema>> {
    const path = `/api/v1/namespaces/${workload.namespace}/pods/${String(workload.pods[0])}`;
    return podSchema.parse(await client.get(path, soon()));
  }

  async function container(workload: Workload) {
    const statuses = (await readPod(workload)).status.containerStatuses ?? [];
    assert.equal(statuses.length, 1);
    return statuses[0]!;
  }

  /** Reasons of the warnings about a pod, each once. */
  async function warnings(workload: Workload): Promise<readonly string[]> {
    const { uid } = (await readPod(workload)).metadata;
    const selector = encodeURIComponent(`involvedObject.uid=${uid},type=Warning`);
    const path = `/api/v1/namespaces/${workload.namespace}/events?fieldSelector=${selector}`;
    const { items } = eventsSchema.parse(await client.get(path, soon()));
    assert.ok(items.every(({ involvedObject }) => involvedObject.name === workload.pods[0]));
    return [...new Set(items.map(({ reason }) => reason))].toSorted();
  }

  async function ready(path: string, type: string) {
    const { conditions } = conditionsSchema.parse(await client.get(path, soon())).status;
    const condition = conditions.find((one) => one.type === type);
    assert.ok(condition !== undefined);
    return condition;
  }

  it("shows a container that crashes again and again, with its last words", async () => {
    const workload = FAILING_WORKLOADS.crashLoop;
    const { state, lastState, restartCount, ready: isReady } = await container(workload);
    assert.equal(isReady, false);
    assert.equal(restartCount, 14);
    assert.equal(state.waiting?.reason, "CrashLoopBackOff");
    assert.deepEqual(lastState.terminated, {
      reason: "Error",
      exitCode: 1,
      message: workload.state.message,
    });
    assert.deepEqual(await warnings(workload), ["BackOff"]);
  });

  it("lets the cause of the crash be found: the setting it names is absent", async () => {
    const { namespace, name, missingKey } = CHECKOUT_SETTINGS;
    const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`;
    const { data } = configMapSchema.parse(await client.get(path, soon()));
    assert.equal(data[missingKey], undefined);
    assert.ok(FAILING_WORKLOADS.crashLoop.state.message.includes(missingKey));
    assert.ok(FAILING_WORKLOADS.crashLoop.state.message.includes(name));
  });

  it("shows an image that cannot be pulled", async () => {
    const workload = FAILING_WORKLOADS.imagePull;
    const { state } = await container(workload);
    assert.equal(state.waiting?.reason, "ImagePullBackOff");
    assert.ok(state.waiting.message.includes(workload.image));
    assert.equal((await readPod(workload)).status.phase, "Pending");
    assert.deepEqual(await warnings(workload), ["Failed"]);
  });

  it("shows a container that was killed for its memory", async () => {
    const workload = FAILING_WORKLOADS.oomKilled;
    const { state, lastState, restartCount } = await container(workload);
    assert.ok(state.running !== undefined);
    assert.equal(restartCount, 6);
    assert.deepEqual(lastState.terminated, { reason: "OOMKilled", exitCode: 137 });
    assert.deepEqual(await warnings(workload), ["BackOff"]);
  });

  it("shows a pod that no node takes", async () => {
    const workload = FAILING_WORKLOADS.unschedulable;
    const { spec, status } = await readPod(workload);
    assert.equal(spec.nodeName, undefined);
    assert.equal(status.phase, "Pending");
    assert.equal(status.containerStatuses, undefined);
    const [condition] = status.conditions;
    assert.equal(condition?.type, "PodScheduled");
    assert.equal(condition.status, "False");
    assert.equal(condition.reason, "Unschedulable");
    assert.equal(condition.message, workload.state.message);
    assert.deepEqual(await warnings(workload), ["FailedScheduling"]);
  });

  for (const workload of Object.values(HEALTHY_WORKLOADS)) {
    it(`shows ${workload.deployment} running, without a warning`, async () => {
      const { state, ready: isReady, restartCount } = await container(workload);
      assert.ok(isReady);
      assert.ok(state.running !== undefined);
      assert.equal(restartCount, 0);
      assert.deepEqual(await warnings(workload), []);
    });
  }

  for (const workload of [
    ...Object.values(HEALTHY_WORKLOADS),
    ...Object.values(FAILING_WORKLOADS),
  ]) {
    it(`shows the Deployment ${workload.deployment} as its pods are, and owns them`, async () => {
      const { namespace, deployment, replicaSet, state } = workload;
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`;
      const isWell = state.kind === "running" || state.kind === "oom-killed";
      assert.equal((await ready(path, "Available")).status, isWell ? "True" : "False");
      const [owner] = (await readPod(workload)).metadata.ownerReferences;
      assert.equal(owner.name, replicaSet);
    });
  }

  for (const { name } of NODES) {
    it(`shows node ${name} ready`, async () => {
      assert.equal((await ready(`/api/v1/nodes/${name}`, "Ready")).status, "True");
    });
  }

  for (const facts of Object.values(HELM_RELEASES)) {
    it(`keeps release ${facts.name} as Helm does: ${facts.status}`, async () => {
      const path = `/api/v1/namespaces/${facts.namespace}/secrets/sh.helm.release.v1.${facts.name}.v1`;
      const secret = secretSchema.parse(await client.get(path, soon()));
      assert.equal(secret.type, "helm.sh/release.v1");
      const { name, status } = facts;
      assert.deepEqual(secret.metadata.labels, { owner: "helm", name, status, version: "1" });
      const encoded = Buffer.from(secret.data["release"] ?? "", "base64").toString("utf8");
      const json = gunzipSync(Buffer.from(encoded, "base64")).toString("utf8");
      const release = releaseSchema.parse(JSON.parse(json));
      assert.equal(release.info.status, status);
      assert.equal(release.info.description, facts.description);
      assert.equal(release.chart.metadata.version, facts.chartVersion);
    });
  }

  for (const facts of Object.values(FLUX_OBJECTS)) {
    it(`shows ${facts.kind} ${facts.namespace}/${facts.name} with Ready=${facts.ready}`, async () => {
      const condition = await ready(objectPath(fluxObject(facts)), "Ready");
      assert.equal(condition.status, facts.ready);
      assert.equal(condition.reason, facts.reason);
      assert.equal(condition.message, facts.message);
    });
  }

  it("shows the canary in one Secret and nowhere else", async () => {
    const { namespace, name, key, canary } = LEDGER_SECRET;
    const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
    const { data } = secretSchema.parse(await client.get(path, soon()));
    assert.equal(Buffer.from(data[key] ?? "", "base64").toString("utf8"), canary);
    for (const where of NAMESPACES) {
      for (const kind of ["pods", "events", "configmaps"]) {
        const list = await client.get(`/api/v1/namespaces/${where}/${kind}`, soon());
        assert.ok(!JSON.stringify(list).includes(canary));
      }
    }
  });

  it("can be done again: the same objects, not new ones", async () => {
    const { metadata } = await readPod(FAILING_WORKLOADS.crashLoop);
    const before = eventsSchema.parse(await client.get("/api/v1/events", soon())).items.length;
    await createFailingWorkloads(cluster().kubeconfigPath, soon());
    assert.equal((await readPod(FAILING_WORKLOADS.crashLoop)).metadata.uid, metadata.uid);
    const after = eventsSchema.parse(await client.get("/api/v1/events", soon())).items.length;
    assert.equal(after, before);
  });
});
