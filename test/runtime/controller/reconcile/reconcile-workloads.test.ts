import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { RESOURCES } from "../../../../runtime/api/cluster.ts";
import type { KubeObject } from "../../../../runtime/api/cluster-reader.ts";
import { DEFAULT_MODEL, writtenAgent } from "../kagent-objects.ts";
import { ControllerFixture } from "./controller-fixture.ts";

const never = new AbortController().signal;
const ACCEPTED = "True Reconciled: Agent configuration accepted";
type Fields = Readonly<Record<string, unknown>>;

const names = (objects: readonly KubeObject[]) =>
  objects.map(({ metadata: { namespace = "", name } }) => `${namespace}/${name}`);

async function started(
  workloads: NonNullable<ConstructorParameters<typeof ControllerFixture>[0]>["workloads"] = {},
): Promise<ControllerFixture> {
  const all = new ControllerFixture({ workloads });
  for (const namespace of ["kagent", "team"])
    await all.put(
      "ModelConfig",
      "default-model-config",
      { spec: DEFAULT_MODEL["spec"] },
      namespace,
    );
  return all;
}

const pooled = (name: string, declarative: Fields = {}) =>
  writtenAgent(name, declarative, { workers: "pooled" });

describe("runtime/controller/reconcile with images of the user's own", () => {
  it("makes what runs one, without a model and without our program", async () => {
    const all = await started({ delivery: { kind: "bundle", nodeImage: "node:24" } });
    await all.start();
    const spec = { type: "BYO", byo: { deployment: { image: "registry/mine:1" } } };
    await all.put("Agent", "mine", { spec });
    await all.settle();
    assert.equal(await all.condition("Agent", "mine", "Accepted"), ACCEPTED);
    assert.equal(await all.condition("Agent", "mine", "ToolsResolved"), "-");
    assert.match(JSON.stringify(await all.get("Deployment", "mine")), /registry\/mine:1/);
    await all.end();
  });

  it("refuses one without an image, and containers with the name of another", async () => {
    const all = await started();
    await all.start();
    await all.put("Agent", "mine", { spec: { type: "BYO", byo: { deployment: {} } } });
    const extraContainers = [{ name: "kagent" }, { name: "x" }, { name: "x" }];
    await all.put("Agent", "a", writtenAgent("a", { deployment: { extraContainers } }));
    await all.settle();
    assert.match(
      await all.condition("Agent", "mine", "Accepted"),
      /^False ReconcileFailed: spec\.byo\.deployment\.image: is required/,
    );
    assert.match(
      await all.condition("Agent", "a", "Accepted"),
      /extraContainers\[0\].*extraContainers\[2\]/,
    );
    assert.deepEqual(await all.all("Deployment"), []);
    await all.end();
  });
});

describe("runtime/controller/reconcile with pools", () => {
  it("serves Agents by their namespace's pool, and takes it away with the last of them", async () => {
    const all = await started();
    await all.start();
    await all.put("Agent", "a", pooled("a"));
    await all.put("Agent", "b", pooled("b"));
    await all.put("Agent", "own", writtenAgent("own"));
    await all.settle();
    await all.pass(200);
    assert.deepEqual(names(await all.all("Deployment")), ["kagent/kagent-workers", "kagent/own"]);
    for (const name of ["a", "b"]) {
      assert.equal(await all.condition("Agent", name, "Accepted"), ACCEPTED);
      assert.match(await all.condition("Agent", name, "Ready"), /^False DeploymentNotReady/);
    }
    const key = { namespace: "kagent", name: "kagent-workers" };
    await all.recording.memory.patchStatus(
      RESOURCES.Deployment,
      key,
      { availableReplicas: 2 },
      never,
    );
    await all.settle();
    assert.match(await all.condition("Agent", "b", "Ready"), /^True DeploymentReady/);
    await all.delete("Agent", "a");
    await all.pass(200);
    const secrets = JSON.stringify(await all.all("Secret"));
    assert.ok(!secrets.includes('"a.config.json"') && secrets.includes('"b.config.json"'));
    await all.delete("Agent", "b");
    await all.pass(200);
    assert.deepEqual(names(await all.all("Deployment")), ["kagent/own"]);
    assert.deepEqual(names(await all.all("Secret")), ["kagent/own"]);
    all.recording.taken();
    await all.pass(600_000);
    assert.deepEqual(all.recording.taken(), []);
    await all.end();
  });

  it("brings a new prompt to running pods by one Secret alone", async () => {
    const all = await started();
    await all.start();
    await all.put("Agent", "a", pooled("a"));
    await all.put("Agent", "b", pooled("b"));
    await all.settle();
    await all.pass(200);
    const metadata = { labels: { app: "kagent", kagent: "kagent-workers" } };
    await all.put("Pod", "p", { metadata });
    const pod = { namespace: "kagent", name: "p" };
    await all.recording.memory.patchStatus(RESOURCES.Pod, pod, { phase: "Running" }, never);
    await all.settle();
    const deployment = await all.get("Deployment", "kagent-workers");
    all.recording.taken();
    await all.put("Agent", "a", pooled("a", { systemMessage: "You are new." }));
    await all.settle();
    await all.pass(200);
    const writes = all.recording.taken();
    assert.deepEqual(
      writes.map((write) => write.replace(/-\d+$/, "")),
      ["apply Secret kagent/kagent-workers", "apply Pod kagent/p", "status Agent kagent/a"],
    );
    assert.deepEqual(await all.get("Deployment", "kagent-workers"), deployment);
    await all.end();
  });

  it("moves an Agent into the pool and out of it", async () => {
    const all = await started();
    await all.start();
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    await all.put("Agent", "a", pooled("a"));
    await all.settle();
    assert.ok((await all.get("Deployment", "a")) !== undefined, "it stays until the pool has it");
    await all.pass(200);
    assert.deepEqual(names(await all.all("Deployment")), ["kagent/kagent-workers"]);
    assert.equal(await all.get("Secret", "a"), undefined);
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    await all.pass(200);
    assert.deepEqual(names(await all.all("Deployment")), ["kagent/a"]);
    assert.equal(await all.condition("Agent", "a", "Accepted"), ACCEPTED);
    await all.end();
  });

  it("writes nothing when another replica takes over, and removes a pool that nobody needs", async () => {
    const all = await started();
    await all.start();
    await all.put("Agent", "a", pooled("a"));
    await all.settle();
    await all.pass(200);
    await all.end();
    all.recording.taken();
    const next = new ControllerFixture({}, all);
    await next.start("two");
    await next.pass(200);
    assert.deepEqual(next.recording.taken(), []);
    await next.end();
    await all.delete("Agent", "a");
    const last = new ControllerFixture({}, all);
    await last.start("three");
    await last.pass(200);
    assert.deepEqual(await last.all("Deployment"), []);
    await last.end();
  });

  it("is what Agents get that say nothing, where the platform says so", async () => {
    const all = await started({ workers: "pooled" });
    await all.start();
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    await all.pass(200);
    assert.deepEqual(names(await all.all("Deployment")), ["kagent/kagent-workers"]);
    await all.end();
  });
});

describe("runtime/controller/reconcile with the worker's bundle", () => {
  const pointer = (name: string) => ({ data: { configMap: name } });
  const original = (text: string) => ({ immutable: true, data: { "main.mjs": text } });
  const bundled = { delivery: { kind: "bundle", nodeImage: "node:24" } } as const;

  const rolledOut = async (all: ControllerFixture, name: string): Promise<void> => {
    const key = { namespace: "team", name };
    const deployment = await all.get("Deployment", name, "team");
    const status = {
      observedGeneration: deployment?.metadata.generation,
      replicas: 1,
      updatedReplicas: 1,
      availableReplicas: 1,
    };
    await all.recording.memory.patchStatus(RESOURCES.Deployment, key, status, never);
    await all.settle();
  };

  it("waits for the bundle, copies it to where Agents are, and follows the pointer", async () => {
    const all = await started(bundled);
    await all.start();
    await all.put("Agent", "a", { spec: writtenAgent("a")["spec"] }, "team");
    await all.put("Agent", "home", writtenAgent("home"));
    await all.settle();
    assert.match(
      await all.condition("Agent", "a", "Accepted", "team"),
      /^False .*ConfigMap kagent\/kagent-worker-bundle has no key configMap/,
    );
    await all.put("ConfigMap", "bundle-1", original("1"));
    await all.put("ConfigMap", "kagent-worker-bundle", pointer("bundle-1"));
    await all.settle();
    assert.equal(await all.condition("Agent", "a", "Accepted", "team"), ACCEPTED);
    assert.equal(await all.condition("Agent", "home", "Accepted"), ACCEPTED);
    const copy = await all.get("ConfigMap", "bundle-1", "team");
    assert.deepEqual([copy?.["immutable"], copy?.["data"]], [true, { "main.mjs": "1" }]);
    assert.match(JSON.stringify(await all.get("Deployment", "a", "team")), /"bundle-1"/);
    await rolledOut(all, "a");

    await all.put("ConfigMap", "bundle-2", original("2"));
    await all.put("ConfigMap", "kagent-worker-bundle", pointer("bundle-2"));
    await all.settle();
    assert.match(JSON.stringify(await all.get("Deployment", "a", "team")), /"bundle-2"/);
    assert.ok((await all.get("ConfigMap", "bundle-2", "team")) !== undefined);
    await all.pass(60_000);
    assert.ok(
      (await all.get("ConfigMap", "bundle-1", "team")) !== undefined,
      "pods still mount it",
    );
    await rolledOut(all, "a");
    await all.pass(60_000);
    assert.equal(await all.get("ConfigMap", "bundle-1", "team"), undefined);
    assert.ok((await all.get("ConfigMap", "bundle-1")) !== undefined, "the original is not ours");

    await all.delete("Agent", "a", "team");
    await all.pass(600_000);
    assert.equal(await all.get("ConfigMap", "bundle-2", "team"), undefined);
    all.recording.taken();
    await all.pass(600_000);
    assert.deepEqual(all.recording.taken(), []);
    await all.end();
  });

  it("says so when what the pointer names is no bundle", async () => {
    const all = await started(bundled);
    await all.put("ConfigMap", "kagent-worker-bundle", pointer("nothing"));
    await all.put("Agent", "a", { spec: writtenAgent("a")["spec"] }, "team");
    await all.start();
    const said = async () => await all.condition("Agent", "a", "Accepted", "team");
    assert.match(await said(), /there is no ConfigMap kagent\/nothing/);
    await all.put("ConfigMap", "nothing", { data: {} });
    await all.pass(60_000);
    assert.match(await said(), /must be a ConfigMap with immutable: true/);
    await all.end();
  });

  it("copies it to where a pool is", async () => {
    const all = await started({ ...bundled, workers: "pooled" });
    await all.put("ConfigMap", "bundle-1", original("1"));
    await all.put("ConfigMap", "kagent-worker-bundle", pointer("bundle-1"));
    await all.put("Agent", "a", { spec: writtenAgent("a")["spec"] }, "team");
    await all.start();
    await all.pass(200);
    assert.equal(await all.condition("Agent", "a", "Accepted", "team"), ACCEPTED);
    assert.ok((await all.get("ConfigMap", "bundle-1", "team")) !== undefined);
    await all.put("ConfigMap", "bundle-2", original("2"));
    await all.put("ConfigMap", "kagent-worker-bundle", pointer("bundle-2"));
    await all.settle();
    await all.pass(200);
    assert.match(
      JSON.stringify(await all.get("Deployment", "kagent-workers", "team")),
      /"bundle-2"/,
    );
    await all.end();
  });
});
