import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { RESOURCES } from "../../../runtime/api/cluster.ts";
import {
  type CacheChange,
  dataHashOf,
  type Namespaces,
  ObjectCache,
} from "../../../runtime/controller/object-cache.ts";
import { ReferenceIndex } from "../../../runtime/controller/reference-index.ts";
import { MemoryCluster } from "../../../runtime/kube/memory-cluster.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const never = new AbortController().signal;

class Fixture {
  readonly clock = new FakeClock();
  readonly references = new ReferenceIndex();
  readonly lifetime = new AbortController();
  readonly changes: CacheChange[] = [];
  readonly cluster: MemoryCluster;
  readonly cache: ObjectCache;
  gets = 0;

  constructor(namespaces: Namespaces = "all") {
    let uids = 0;
    this.cluster = new MemoryCluster({ clock: this.clock, newId: () => `uid-${++uids}` });
    const { cluster } = this;
    const counting = Object.assign(Object.create(cluster) as MemoryCluster, {
      get: (...args: Parameters<MemoryCluster["get"]>) => {
        this.gets += 1;
        return cluster.get(...args);
      },
      list: (...args: Parameters<MemoryCluster["list"]>) => cluster.list(...args),
      watch: (...args: Parameters<MemoryCluster["watch"]>) => cluster.watch(...args),
    });
    this.cache = new ObjectCache({
      cluster: counting,
      clock: this.clock,
      log: silentLog,
      random: () => 0.5,
      namespaces,
      platformNamespace: "platform",
      references: this.references,
      lifetime: this.lifetime.signal,
    });
    this.cache.onChange((change) => this.changes.push(change));
  }

  async make(kind: keyof typeof RESOURCES, name: string, more: object = {}, namespace = "n") {
    const { group, version } = RESOURCES[kind];
    const apiVersion = group === "" ? version : `${group}/${version}`;
    const { metadata = {}, ...rest } = more as { metadata?: object };
    const place = kind === "Namespace" ? {} : { namespace };
    const object = { apiVersion, kind, metadata: { name, ...place, ...metadata }, ...rest };
    const options = { fieldManager: "test" };
    return await this.cluster.apply(RESOURCES[kind], object, options, never);
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  async end(): Promise<void> {
    this.lifetime.abort(new Error("over"));
    await this.settle();
    assert.equal(this.clock.pending, 0);
  }
}

const secret = (value: string) => ({ data: { k: Buffer.from(value).toString("base64") } });

describe("runtime/controller/ObjectCache", () => {
  it("keeps the data of referenced Secrets only, and reads that of others once when it is wanted", async () => {
    const all = new Fixture();
    all.references.set("Agent/n/a", ["Secret/n/used"]);
    await all.make("Secret", "used", secret("1"));
    await all.make("Secret", "later", secret("2"));
    await all.cache.start();
    const { values } = all.cache;
    const used = { namespace: "n", name: "used" };
    const later = { namespace: "n", name: "later" };
    assert.equal(values.value("Secret", used, "k"), "1");
    assert.equal(values.value("Secret", used, "toString"), undefined);
    assert.equal(values.data("Secret", later), undefined);
    assert.ok(values.isUnread("Secret/n/later"));
    assert.ok(!values.isUnread("Secret/n/absent"));
    assert.equal(all.cache.get("Secret", later)?.["data"], undefined);
    all.references.set("Agent/n/b", ["Secret/n/later"]);
    await Promise.all([
      values.read(["Secret/n/later"], never),
      values.read(["Secret/n/later", "Secret/n/used"], never),
    ]);
    assert.deepEqual([values.value("Secret", later, "k"), all.gets], ["2", 1]);
    await all.make("Secret", "later", secret("3"));
    await all.settle();
    assert.equal(values.value("Secret", later, "k"), "3");
    all.references.delete("Agent/n/b");
    values.sweep();
    assert.equal(values.data("Secret", later), undefined);
    await all.end();
  });

  it("tells what changed by a digest, and leaves Helm's releases alone", async () => {
    const all = new Fixture();
    await all.make("Secret", "release", { type: "helm.sh/release.v1", ...secret("big") });
    all.references.set("Agent/n/a", ["Secret/n/s"]);
    await all.make("Secret", "s", secret("1"));
    await all.cache.start();
    assert.deepEqual(
      all.changes.map(({ key }) => key.name),
      ["s"],
    );
    await all.make("Secret", "s", { metadata: { labels: { a: "b" } }, ...secret("1") });
    await all.make("Secret", "s", secret("2"));
    await all.settle();
    const hashes = all.changes.map(({ now }) => now && dataHashOf(now));
    assert.equal(hashes[0], hashes[1]);
    assert.notEqual(hashes[1], hashes[2]);
    await all.end();
  });

  it("follows the namespaces it is told, and the platform's ConfigMaps", async () => {
    const all = new Fixture(["n", "m"]);
    for (const namespace of ["n", "m", "other", "platform"]) {
      await all.make("Namespace", namespace, { metadata: { labels: { l: namespace } } });
      await all.make("ConfigMap", "c", { data: {} }, namespace);
      await all.make("ModelConfig", "c", { spec: {} }, namespace);
    }
    await all.cache.start();
    const names = (kind: "Namespace" | "ConfigMap" | "ModelConfig") =>
      all.cache
        .list(kind)
        .map(({ metadata }) => metadata.namespace ?? metadata.name)
        .sort();
    assert.deepEqual(names("Namespace"), ["m", "n"]);
    assert.deepEqual(names("ConfigMap"), ["m", "n", "platform"]);
    assert.deepEqual(names("ModelConfig"), ["m", "n"]);
    assert.ok(all.cache.get("ModelConfig", { namespace: "m", name: "c" }) !== undefined);
    await all.end();
  });

  it("knows whom an Agent's objects and pods belong to, and forgets them with it", async () => {
    const all = new Fixture();
    const agent = await all.make("Agent", "a", { spec: {} });
    const { uid } = agent.metadata;
    const owner = {
      apiVersion: agent.apiVersion,
      kind: "Agent",
      name: "a",
      uid,
      controller: true,
    };
    const labels = { app: "kagent", kagent: "a" };
    await all.make("Service", "a", { metadata: { labels, ownerReferences: [owner] } });
    await all.make("Service", "foreign");
    await all.make("Pod", "p", { metadata: { labels }, spec: { big: 1 }, status: { phase: "x" } });
    await all.cache.start();
    assert.deepEqual(all.cache.dependentsOf(uid), [
      { kind: "Service", key: { namespace: "n", name: "a" } },
    ]);
    const pods = all.cache.podsOf({ namespace: "n", name: "a" });
    assert.deepEqual([pods.length, pods[0]?.["spec"]], [1, undefined]);
    assert.equal(all.cache.get("Service", { namespace: "n", name: "foreign" }), undefined);
    await all.cluster.delete(RESOURCES.Agent, { namespace: "n", name: "a" }, never);
    await all.cluster.delete(RESOURCES.Pod, { namespace: "n", name: "p" }, never);
    await all.settle();
    assert.deepEqual(all.cache.dependentsOf(uid), []);
    assert.deepEqual(all.cache.podsOf({ namespace: "n", name: "a" }), []);
    await all.end();
  });
});
