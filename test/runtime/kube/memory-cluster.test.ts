import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { RESOURCES } from "../../../runtime/api/cluster.ts";
import { MemoryCluster } from "../../../runtime/kube/memory-cluster.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { clusterContract, configMap, failureOf } from "./cluster-contract.ts";

const open = new AbortController().signal;
const { ConfigMap, Secret } = RESOURCES;
const USER = "system:serviceaccount:kagent:agent";

/** A cluster on a clock that stands still, with counted uids. */
function memoryCluster(more: Partial<ConstructorParameters<typeof MemoryCluster>[0]> = {}) {
  let ids = 0;
  const newId = () => `uid-${++ids}`;
  return new MemoryCluster({ clock: new FakeClock(), newId, ...more });
}

clusterContract("runtime/kube/memory-cluster", async () => {
  const groups = ["system:serviceaccounts", "system:authenticated"];
  const cluster = memoryCluster({
    tokenOwner: (token) =>
      token === "good" ? { user: USER, groups, audiences: ["kagent", "other"] } : undefined,
  });
  return {
    cluster,
    namespace: "space",
    forget: async () => {
      cluster.compact();
    },
    token: { text: "good", user: USER },
    close: async () => undefined,
  };
});

describe("runtime/kube/memory-cluster", () => {
  const owner = (object: {
    readonly kind: string;
    readonly metadata: { name: string; uid: string };
  }) => {
    const { name, uid } = object.metadata;
    return { apiVersion: "v1", kind: object.kind, name, uid };
  };
  const names = async (cluster: MemoryCluster) =>
    (await cluster.list(ConfigMap, {}, open)).items.map(({ metadata }) => metadata.name);

  it("is the same each time: ids and time are handed in", async () => {
    const run = async () => {
      const cluster = memoryCluster();
      await cluster.create(ConfigMap, configMap("n", "a", { x: "1" }), open);
      await cluster.apply(ConfigMap, configMap("n", "b", {}), { fieldManager: "m" }, open);
      return cluster.list(ConfigMap, {}, open);
    };
    const once = await run();
    assert.deepEqual(once, await run());
    assert.deepEqual(once.items[0]?.metadata, {
      name: "a",
      namespace: "n",
      uid: "uid-1",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
    });
  });

  it("keeps and hands out copies that nobody can change", async () => {
    const cluster = memoryCluster();
    const object = configMap("n", "a", { x: "1" });
    const created = await cluster.create(ConfigMap, object, open);
    Object.assign(object["data"] as object, { x: "2" });
    assert.deepEqual(
      (await cluster.get(ConfigMap, { namespace: "n", name: "a" }, open))?.["data"],
      {
        x: "1",
      },
    );
    assert.throws(() => Object.assign(created["data"] as object, { x: "3" }), TypeError);
  });

  it("deletes what belongs to a deleted owner, through generations and kinds", async () => {
    const cluster = memoryCluster();
    const a = await cluster.create(ConfigMap, configMap("n", "a", {}), open);
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s", namespace: "n", ownerReferences: [owner(a)] },
    };
    const b = await cluster.create(Secret, secret, open);
    await cluster.create(ConfigMap, configMap("n", "c", {}, { ownerReferences: [owner(b)] }), open);
    await cluster.create(ConfigMap, configMap("n", "d", {}), open);
    await cluster.delete(ConfigMap, { namespace: "n", name: "a" }, open);
    assert.deepEqual(await names(cluster), ["d"]);
    assert.equal(await cluster.get(Secret, { namespace: "n", name: "s" }, open), undefined);
  });

  it("keeps what still has an owner, and takes the one that is gone off it", async () => {
    const cluster = memoryCluster();
    const a = await cluster.create(ConfigMap, configMap("n", "a", {}), open);
    const b = await cluster.create(ConfigMap, configMap("n", "b", {}), open);
    const both = { ownerReferences: [owner(a), owner(b)] };
    await cluster.create(ConfigMap, configMap("n", "c", {}, both), open);
    await cluster.delete(ConfigMap, { namespace: "n", name: "a" }, open);
    const kept = await cluster.get(ConfigMap, { namespace: "n", name: "c" }, open);
    assert.deepEqual(kept?.metadata.ownerReferences, [owner(b)]);
    await cluster.delete(ConfigMap, { namespace: "n", name: "b" }, open);
    assert.deepEqual(await names(cluster), []);
  });

  it("deletes each dependent once, however it is related", async () => {
    const cluster = memoryCluster();
    const a = await cluster.create(ConfigMap, configMap("n", "a", {}), open);
    const child = { ownerReferences: [owner(a)] };
    const b = await cluster.create(ConfigMap, configMap("n", "b", {}, child), open);
    const both = { ownerReferences: [owner(a), owner(b)] };
    await cluster.create(ConfigMap, configMap("n", "c", {}, both), open);
    const { resourceVersion } = await cluster.list(ConfigMap, {}, open);
    await cluster.delete(ConfigMap, { namespace: "n", name: "a" }, open);
    await cluster.create(ConfigMap, configMap("n", "end", {}), open);
    const told: string[] = [];
    for await (const event of cluster.watch(ConfigMap, { resourceVersion }, open)) {
      assert.ok(event.type !== "bookmark");
      told.push(`${event.type} ${event.object.metadata.name}`);
      if (event.object.metadata.name === "end") break;
    }
    assert.deepEqual(told, ["deleted a", "deleted b", "deleted c", "added end"]);
  });

  it("collects what is created for an owner that is gone", async () => {
    const cluster = memoryCluster();
    const a = await cluster.create(ConfigMap, configMap("n", "a", {}), open);
    await cluster.delete(ConfigMap, { namespace: "n", name: "a" }, open);
    const late = configMap("n", "b", {}, { ownerReferences: [owner(a)] });
    await cluster.apply(ConfigMap, late, { fieldManager: "m" }, open);
    assert.deepEqual(await names(cluster), []);
  });

  it("refuses what its rules refuse, in their words", async () => {
    const admit = (object: { readonly [field: string]: unknown }) =>
      object["data"] === undefined ? [{ path: "data", message: "is missing" }] : [];
    const cluster = memoryCluster({ admit });
    const { apiVersion, kind, metadata } = configMap("n", "a", {});
    const bad = { apiVersion, kind, metadata };
    const error = await failureOf(cluster.create(ConfigMap, bad, open));
    assert.equal(error.code, "invalid");
    assert.equal(error.message, "data: is missing");
    assert.deepEqual(await names(cluster), []);
    await cluster.create(ConfigMap, configMap("n", "a", {}), open);
  });

  it("forgets the oldest changes, and tells a watch that comes too late", async () => {
    const cluster = memoryCluster({ remembered: 3 });
    for (const name of ["a", "b", "c", "d"])
      await cluster.create(ConfigMap, configMap("n", name, {}), open);
    const watch = (resourceVersion: string) =>
      cluster.watch(ConfigMap, { resourceVersion }, open).next();
    assert.equal((await failureOf(watch("0"))).code, "expired");
    const { value } = await watch("1");
    assert.ok(value?.type === "added" && value.object.metadata.name === "b");
  });

  it("takes no version that is none", async () => {
    const work = memoryCluster().watch(ConfigMap, { resourceVersion: "x" }, open).next();
    assert.equal((await failureOf(work)).code, "invalid");
  });
});
