import assert from "node:assert/strict";
import { describe, it } from "mocha";
import {
  type OwnerReference,
  RESOURCES,
  type StoredObject,
} from "../../../../runtime/api/cluster.ts";
import type { KubeObject } from "../../../../runtime/api/cluster-reader.ts";
import { type CachedKind, hashData } from "../../../../runtime/controller/object-cache.ts";
import { ObjectWriter } from "../../../../runtime/controller/reconcile/object-writer.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { RecordingCluster } from "./recording-cluster.ts";

const LABELS = { app: "kagent", kagent: "a", "app.kubernetes.io/managed-by": "kagent" };
const never = new AbortController().signal;
const clock = new FakeClock();

/** A writer whose cache follows only when a test says so. */
class Fixture {
  readonly recording = new RecordingCluster(clock);
  readonly cached = new Map<string, StoredObject>();
  readonly writer = new ObjectWriter({
    cluster: this.recording.cluster,
    cache: { get: (kind, { namespace, name }) => this.cached.get(`${kind}/${namespace}/${name}`) },
  });

  async follow(kind: CachedKind, name: string): Promise<void> {
    const object = await this.recording.memory.get(
      RESOURCES[kind],
      { namespace: "n", name },
      never,
    );
    const key = `${kind}/n/${name}`;
    if (object === undefined) this.cached.delete(key);
    else if (kind === "Secret") this.cached.set(key, { ...object, dataHash: hashData(object) });
    else this.cached.set(key, object);
  }

  async owner(name: string): Promise<OwnerReference> {
    const agent = {
      apiVersion: "kagent.dev/v1alpha2",
      kind: "Agent",
      metadata: { name, namespace: "n" },
    };
    const { uid } = (await this.recording.memory.create(RESOURCES.Agent, agent, never)).metadata;
    const { apiVersion, kind } = agent;
    return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
  }
}

function secret(owner: OwnerReference, data: Readonly<Record<string, string>>): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "a", namespace: "n", labels: LABELS, ownerReferences: [owner] },
    data,
  };
}

function service(owner: OwnerReference, spec: Readonly<Record<string, unknown>>): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "a", namespace: "n", labels: LABELS, ownerReferences: [owner] },
    spec,
  };
}

describe("runtime/controller/reconcile/ObjectWriter", () => {
  it("writes once, before and after the cache has caught up", async () => {
    const all = new Fixture();
    const owner = await all.owner("a");
    const desired = secret(owner, { k: "dg==" });
    await all.writer.ensure("Secret", desired, owner, never);
    await all.writer.ensure("Secret", desired, owner, never);
    await all.follow("Secret", "a");
    await all.writer.ensure("Secret", desired, owner, never);
    assert.deepEqual(all.recording.taken(), ["apply Secret n/a"]);
  });

  it("writes again for other data, and when somebody changed or deleted the object", async () => {
    const all = new Fixture();
    const owner = await all.owner("a");
    await all.writer.ensure("Secret", secret(owner, { k: "dg==" }), owner, never);
    await all.follow("Secret", "a");
    await all.writer.ensure("Secret", secret(owner, { k: "dw==" }), owner, never);
    await all.follow("Secret", "a");
    const by = { fieldManager: "somebody" };
    await all.recording.memory.apply(RESOURCES.Secret, secret(owner, { k: "eA==" }), by, never);
    await all.follow("Secret", "a");
    const mended = await all.writer.ensure("Secret", secret(owner, { k: "dw==" }), owner, never);
    assert.equal(mended["dataHash"], hashData({ data: { k: "dw==" } }));
    await all.recording.memory.delete(RESOURCES.Secret, { namespace: "n", name: "a" }, never);
    await all.follow("Secret", "a");
    await all.writer.ensure("Secret", secret(owner, { k: "dw==" }), owner, never);
    assert.equal(all.recording.taken().length, 4);
  });

  it("takes away a field that is no longer wanted, and leaves those of others", async () => {
    const all = new Fixture();
    const owner = await all.owner("a");
    const before = service(owner, { type: "ClusterIP", selector: { x: "y" } });
    await all.writer.ensure("Service", before, owner, never);
    const other = service(owner, { sessionAffinity: "None" });
    await all.recording.memory.apply(RESOURCES.Service, other, { fieldManager: "o" }, never);
    await all.follow("Service", "a");
    all.recording.taken();
    await all.writer.ensure("Service", before, owner, never);
    assert.deepEqual(all.recording.taken(), []);
    await all.writer.ensure("Service", service(owner, { type: "ClusterIP" }), owner, never);
    await all.follow("Service", "a");
    const now = all.writer.current("Service", { namespace: "n", name: "a" });
    assert.deepEqual(now?.["spec"], { type: "ClusterIP", sessionAffinity: "None" });
  });

  it("does not write for ever what the server keeps in other words", async () => {
    const all = new Fixture();
    const owner = await all.owner("a");
    const inner = all.recording.cluster;
    const writer = new ObjectWriter({
      cache: { get: () => all.cached.get("Service/n/a") },
      cluster: {
        ...inner,
        apply: async (type, object, options, signal) =>
          await inner.apply(type, { ...object, spec: { memory: "1" } }, options, signal),
      },
    });
    const desired = service(owner, { memory: "1000m" });
    await writer.ensure("Service", desired, owner, never);
    await all.follow("Service", "a");
    await writer.ensure("Service", desired, owner, never);
    assert.deepEqual(all.recording.taken(), ["apply Service n/a"]);
    await writer.ensure("Service", service(owner, { memory: "2000m" }), owner, never);
    assert.deepEqual(all.recording.taken(), ["apply Service n/a"]);
  });

  it("touches no object of somebody else", async () => {
    const all = new Fixture();
    const [owner, other] = [await all.owner("a"), await all.owner("b")];
    const { cluster } = all.recording;
    const theirs = { apiVersion: "v1", kind: "Secret", metadata: { name: "a", namespace: "n" } };
    await cluster.create(RESOURCES.Secret, theirs, never);
    await cluster.create(RESOURCES.Service, service(other, {}), never);
    all.recording.taken();
    for (const follows of [false, true]) {
      if (follows) await all.follow("Secret", "a");
      await assert.rejects(all.writer.ensure("Secret", secret(owner, {}), owner, never), {
        name: "NameTakenError",
        message: "Secret n/a exists and is not the platform's: rename or remove one of the two",
      });
    }
    await assert.rejects(all.writer.ensure("Service", service(owner, {}), owner, never), {
      message: "Service n/a exists and belongs to Agent b: rename or remove one of the two",
      isPassing: false,
    });
    assert.deepEqual(all.recording.taken(), []);
  });

  it("waits for what a deleted owner of the same name left", async () => {
    const all = new Fixture();
    const owner = await all.owner("a");
    all.cached.set("Service/n/a", {
      ...service({ ...owner, uid: "former" }, {}),
      metadata: {
        ...service({ ...owner, uid: "former" }, {}).metadata,
        uid: "u",
        resourceVersion: "1",
        ownerReferences: [{ ...owner, uid: "former" }],
      },
    });
    await assert.rejects(all.writer.ensure("Service", service(owner, {}), owner, never), {
      message: "Service n/a still belongs to a deleted Agent",
      isPassing: true,
    });
  });

  it("adopts what an owner left behind", async () => {
    const all = new Fixture();
    const owner = await all.owner("a");
    const orphan = service(owner, {});
    const { ownerReferences: _, ...metadata } = orphan.metadata;
    await all.recording.memory.create(RESOURCES.Service, { ...orphan, metadata }, never);
    const taken = await all.writer.ensure("Service", service(owner, {}), owner, never);
    assert.deepEqual(taken.metadata.ownerReferences, [owner]);
  });

  it("adopts nothing of the pool's, whatever an Agent is called", async () => {
    const all = new Fixture();
    const owner = await all.owner("kagent-workers");
    const labels = { ...LABELS, kagent: "kagent-workers" };
    const metadata = { name: "kagent-workers", namespace: "n", labels };
    const pool = { apiVersion: "v1", kind: "Service", metadata };
    await all.writer.ensure("Service", pool, undefined, never);
    const theirs = { ...pool, metadata: { ...metadata, ownerReferences: [owner] } };
    await assert.rejects(all.writer.ensure("Service", theirs, owner, never), /not the platform's/);
  });
});
