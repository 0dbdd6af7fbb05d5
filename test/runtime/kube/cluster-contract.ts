import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import {
  type Cluster,
  RESOURCES,
  type ResourceType,
  type StoredObject,
  type WatchEvent,
} from "../../../runtime/api/cluster.ts";
import { ClusterError, type KubeObject } from "../../../runtime/api/cluster-reader.ts";

/** A cluster that the contract runs on. */
export interface ContractCluster {
  readonly cluster: Cluster;
  /** An existing namespace that holds no object of the kinds below; another one for each test. */
  readonly namespace: string;
  /** Makes it forget changes, so that a watch from an old version fails. */
  forget(signal: AbortSignal): Promise<void>;
  /** A token and who it belongs to, for audience `kagent`. */
  readonly token: { readonly text: string; readonly user: string };
  close(): Promise<void>;
}

const { ConfigMap, Deployment, Lease, Secret } = RESOURCES;
const STEP_MS = 30_000;
const soon = (): AbortSignal => AbortSignal.timeout(STEP_MS);

/** The ClusterError that `work` fails with. */
export async function failureOf(work: Promise<unknown>): Promise<ClusterError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ClusterError, `not a ClusterError: ${String(error)}`);
  return error;
}

/** A ConfigMap. */
export function configMap(
  namespace: string,
  name: string,
  data: Readonly<Record<string, string>>,
  metadata: Readonly<Record<string, unknown>> = {},
): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { ...metadata, name, namespace }, data };
}

/** A Deployment of one container. */
function deployment(namespace: string, name: string, replicas: number): KubeObject {
  const labels = { app: name };
  const containers = [{ name: "main", image: "example.org/main:1" }];
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    },
  };
}

/** What every Cluster keeps. */
export function clusterContract(name: string, open: () => Promise<ContractCluster>): void {
  describe(`${name} as Cluster`, () => {
    let opened: ContractCluster;
    let cluster: Cluster;
    let namespace: string;
    const ends: AbortController[] = [];

    beforeEach(async () => {
      opened = await open();
      ({ cluster, namespace } = opened);
    });
    afterEach(async () => {
      for (const end of ends.splice(0)) end.abort(new Error("the test is over"));
      await opened.close();
    });

    const key = (object: string) => ({ namespace, name: object });
    const create = (object: string, data: Readonly<Record<string, string>> = {}, more = {}) =>
      cluster.create(ConfigMap, configMap(namespace, object, data, more), soon());
    const applyAs = (fieldManager: string, object: KubeObject, type: ResourceType = ConfigMap) =>
      cluster.apply(type, object, { fieldManager }, soon());

    /** Events of a watch, one by one. */
    function follow(resourceVersion: string, selection = {}): () => Promise<WatchEvent> {
      const end = new AbortController();
      ends.push(end);
      const from = { namespace, ...selection, resourceVersion };
      const events = cluster.watch(ConfigMap, from, AbortSignal.any([end.signal, soon()]));
      const iterator = events[Symbol.asyncIterator]();
      return async () => {
        for (;;) {
          const next = await iterator.next();
          if (next.done === true) throw new Error("the watch ended");
          if (next.value.type !== "bookmark") return next.value;
        }
      };
    }

    async function version(): Promise<string> {
      return (await cluster.list(ConfigMap, { namespace }, soon())).resourceVersion;
    }

    const brief = (event: WatchEvent) =>
      event.type === "bookmark" ? event.type : `${event.type} ${event.object.metadata.name}`;

    describe("objects", () => {
      it("stores what is created, with an identity of its own", async () => {
        const created = await create("a", { x: "1" });
        assert.equal(created.kind, "ConfigMap");
        assert.deepEqual(created["data"], { x: "1" });
        assert.match(created.metadata.creationTimestamp ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        assert.ok(created.metadata.uid !== "" && created.metadata.resourceVersion !== "");
        const read = await cluster.get(ConfigMap, key("a"), soon());
        assert.deepEqual(read, created);
      });

      it("has nothing where nothing was created", async () => {
        assert.equal(await cluster.get(ConfigMap, key("none"), soon()), undefined);
        assert.equal(await cluster.delete(ConfigMap, key("none"), soon()), false);
        assert.equal(await cluster.patchStatus(Deployment, key("none"), {}, soon()), undefined);
      });

      it("refuses a name that is taken", async () => {
        await create("a");
        assert.equal((await failureOf(create("a"))).code, "exists");
      });

      it("refuses what cannot be, and names the field", async () => {
        const error = await failureOf(create("Not A Name"));
        assert.equal(error.code, "invalid");
        assert.match(error.message, /metadata\.name/);
        const applied = applyAs("one", configMap(namespace, "Not A Name", {}));
        assert.equal((await failureOf(applied)).code, "invalid");
      });

      it("refuses an object without the namespace that its kind needs", async () => {
        assert.equal(
          (await failureOf(cluster.get(ConfigMap, { name: "a" }, soon()))).code,
          "invalid",
        );
      });

      it("deletes once", async () => {
        await create("a");
        assert.equal(await cluster.delete(ConfigMap, key("a"), soon()), true);
        assert.equal(await cluster.delete(ConfigMap, key("a"), soon()), false);
        assert.equal(await cluster.get(ConfigMap, key("a"), soon()), undefined);
      });

      it("deletes only the one with the uid that is asked for", async () => {
        const first = await create("a");
        await cluster.delete(ConfigMap, key("a"), soon());
        const second = await create("a");
        const { uid } = first.metadata;
        assert.equal(await cluster.delete(ConfigMap, { ...key("a"), uid }, soon()), false);
        const own = { ...key("a"), uid: second.metadata.uid };
        assert.equal(await cluster.delete(ConfigMap, own, soon()), true);
      });

      it("keeps an object that is being deleted until its finalizers are gone", async () => {
        const held = await create("a", {}, { finalizers: ["kagent.dev/test"] });
        assert.equal(await cluster.delete(ConfigMap, key("a"), soon()), true);
        const dying = await cluster.get(ConfigMap, key("a"), soon());
        assert.ok(dying?.metadata.deletionTimestamp !== undefined);
        assert.equal(dying.metadata.uid, held.metadata.uid);
        const { finalizers: _done, ...metadata } = dying.metadata;
        await cluster.update(ConfigMap, { ...dying, metadata }, soon());
        assert.equal(await cluster.get(ConfigMap, key("a"), soon()), undefined);
      });

      it("ends with the caller's own reason", async () => {
        const reason = new Error("the caller left");
        const gone = AbortSignal.abort(reason);
        await assert.rejects(cluster.get(ConfigMap, key("a"), gone), reason);
        await assert.rejects(cluster.list(ConfigMap, {}, gone), reason);
        await assert.rejects(
          cluster.create(ConfigMap, configMap(namespace, "a", {}), gone),
          reason,
        );
        assert.equal(await cluster.get(ConfigMap, key("a"), soon()), undefined);
      });
    });

    describe("update", () => {
      it("replaces the object that was read", async () => {
        const read = await create("a", { x: "1", y: "1" });
        const written = await cluster.update(ConfigMap, { ...read, data: { x: "2" } }, soon());
        assert.deepEqual(written["data"], { x: "2" });
        assert.notEqual(written.metadata.resourceVersion, read.metadata.resourceVersion);
        assert.equal(written.metadata.uid, read.metadata.uid);
      });

      it("refuses to replace what changed meanwhile", async () => {
        const read = await create("a", { x: "1" });
        await cluster.update(ConfigMap, { ...read, data: { x: "2" } }, soon());
        const late = cluster.update(ConfigMap, { ...read, data: { x: "3" } }, soon());
        assert.equal((await failureOf(late)).code, "conflict");
        assert.deepEqual((await cluster.get(ConfigMap, key("a"), soon()))?.["data"], { x: "2" });
      });

      it("lets one of two writers win", async () => {
        const read = await create("a");
        const writes = ["1", "2"].map((x) =>
          cluster.update(ConfigMap, { ...read, data: { x } }, soon()),
        );
        const outcomes = (await Promise.allSettled(writes)).map(({ status }) => status);
        assert.deepEqual(outcomes.sort(), ["fulfilled", "rejected"]);
      });

      it("fails where the object is gone", async () => {
        const read = await create("a");
        await cluster.delete(ConfigMap, key("a"), soon());
        assert.equal((await failureOf(cluster.update(ConfigMap, read, soon()))).code, "not-found");
      });

      it("changes no version when nothing changes", async () => {
        const read = await create("a", { x: "1" });
        const again = await cluster.update(ConfigMap, read, soon());
        assert.equal(again.metadata.resourceVersion, read.metadata.resourceVersion);
      });

      it("fails with a conflict, or not at all, when a lease is gone", async () => {
        const lease: KubeObject = {
          apiVersion: "coordination.k8s.io/v1",
          kind: "Lease",
          metadata: key("a"),
          spec: { holderIdentity: "one" },
        };
        const read = await cluster.create(Lease, lease, soon());
        await cluster.delete(Lease, key("a"), soon());
        const error = await failureOf(cluster.update(Lease, read, soon()));
        assert.ok(["conflict", "not-found"].includes(error.code), error.code);
      });
    });

    describe("apply", () => {
      it("creates what is not there", async () => {
        const applied = await applyAs("one", configMap(namespace, "a", { x: "1" }));
        assert.deepEqual(applied["data"], { x: "1" });
      });

      it("merges maps of several managers", async () => {
        await applyAs("one", configMap(namespace, "a", { x: "1" }));
        const applied = await applyAs("two", configMap(namespace, "a", { y: "2" }));
        assert.deepEqual(applied["data"], { x: "1", y: "2" });
      });

      it("takes over fields of others", async () => {
        await applyAs("one", configMap(namespace, "a", { x: "1" }));
        const applied = await applyAs("two", configMap(namespace, "a", { x: "2" }));
        assert.deepEqual(applied["data"], { x: "2" });
      });

      it("removes what its manager no longer names", async () => {
        await applyAs("one", configMap(namespace, "a", { x: "1", y: "1" }));
        const applied = await applyAs("one", configMap(namespace, "a", { y: "1" }));
        assert.deepEqual(applied["data"], { y: "1" });
      });

      it("keeps what another manager or writer named too", async () => {
        await create("a", { w: "1" });
        await applyAs("one", configMap(namespace, "a", { w: "1", x: "1", y: "1" }));
        await applyAs("two", configMap(namespace, "a", { x: "1" }));
        const applied = await applyAs("one", configMap(namespace, "a", {}));
        assert.deepEqual(applied["data"], { w: "1", x: "1" });
      });

      it("keeps what others put into a map that it no longer names", async () => {
        await applyAs("two", configMap(namespace, "a", { x: "1" }));
        await applyAs("one", configMap(namespace, "a", {}));
        const { apiVersion, kind, metadata } = configMap(namespace, "a", {});
        const applied = await applyAs("one", { apiVersion, kind, metadata });
        assert.deepEqual(applied["data"], { x: "1" });
      });

      it("gives up what another manager took over", async () => {
        await applyAs("one", configMap(namespace, "a", { x: "1", y: "1" }));
        await applyAs("two", configMap(namespace, "a", { x: "2" }));
        const applied = await applyAs("one", configMap(namespace, "a", { y: "1" }));
        assert.deepEqual(applied["data"], { x: "2", y: "1" });
      });

      it("gives up what an update changed", async () => {
        const read = await applyAs("one", configMap(namespace, "a", { x: "1", y: "1" }));
        await cluster.update(ConfigMap, { ...read, data: { x: "2", y: "1" } }, soon());
        const applied = await applyAs("one", configMap(namespace, "a", { y: "1" }));
        assert.deepEqual(applied["data"], { x: "2", y: "1" });
      });

      it("removes a label and an annotation that are no longer named", async () => {
        const metadata = { labels: { a: "1", b: "1" }, annotations: { c: "1" } };
        await applyAs("one", configMap(namespace, "a", {}, metadata));
        const applied = await applyAs("one", configMap(namespace, "a", {}, { labels: { a: "1" } }));
        assert.deepEqual(applied.metadata.labels, { a: "1" });
        assert.equal(applied.metadata.annotations, undefined);
      });

      it("replaces lists", async () => {
        const one = deployment(namespace, "a", 1);
        await applyAs("one", one, Deployment);
        const containers = [{ name: "other", image: "example.org/other:1" }];
        const template = { metadata: { labels: { app: "a" } }, spec: { containers } };
        const spec = { ...(one["spec"] as object), template };
        const applied = await applyAs("one", { ...one, spec }, Deployment);
        const names = (
          applied["spec"] as { template: { spec: { containers: { name: string }[] } } }
        ).template.spec.containers;
        assert.deepEqual(
          names.map((each) => each.name),
          ["other"],
        );
      });

      it("changes no version when nothing changes", async () => {
        const object = deployment(namespace, "a", 2);
        const first = await applyAs("one", object, Deployment);
        const second = await applyAs("one", object, Deployment);
        assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
      });

      it("stores nothing in a dry run", async () => {
        const options = { fieldManager: "one", dryRun: "all" } as const;
        const object = configMap(namespace, "a", { x: "1" });
        const tried = await cluster.apply(ConfigMap, object, options, soon());
        assert.deepEqual(tried["data"], { x: "1" });
        assert.equal(await cluster.get(ConfigMap, key("a"), soon()), undefined);
        await applyAs("one", object);
        await cluster.apply(ConfigMap, configMap(namespace, "a", {}), options, soon());
        assert.deepEqual((await cluster.get(ConfigMap, key("a"), soon()))?.["data"], { x: "1" });
      });

      it("refuses in a dry run what it would refuse", async () => {
        const options = { fieldManager: "one", dryRun: "all" } as const;
        const work = cluster.apply(ConfigMap, configMap(namespace, "A", {}), options, soon());
        assert.equal((await failureOf(work)).code, "invalid");
      });

      it("counts changes of the content, not of metadata", async () => {
        const one = await applyAs("one", deployment(namespace, "a", 1), Deployment);
        assert.equal(one.metadata.generation, 1);
        const two = await applyAs("one", deployment(namespace, "a", 2), Deployment);
        assert.equal(two.metadata.generation, 2);
        const labelled = { ...two.metadata, labels: { a: "1" } };
        const three = await cluster.update(Deployment, { ...two, metadata: labelled }, soon());
        assert.equal(three.metadata.generation, 2);
      });
    });

    describe("status", () => {
      const replicas = (object: StoredObject | undefined) =>
        (object?.["status"] as { replicas?: number } | undefined)?.replicas;

      it("is merged field by field, and changes no generation", async () => {
        await applyAs("one", deployment(namespace, "a", 1), Deployment);
        await cluster.patchStatus(Deployment, key("a"), { replicas: 3, readyReplicas: 1 }, soon());
        const patched = await cluster.patchStatus(
          Deployment,
          key("a"),
          { readyReplicas: null },
          soon(),
        );
        assert.equal(replicas(patched), 3);
        assert.equal(patched?.metadata.generation, 1);
        const { readyReplicas } = patched["status"] as { readyReplicas?: number };
        assert.equal(readyReplicas, undefined);
      });

      it("changes no version when nothing changes", async () => {
        await applyAs("one", deployment(namespace, "a", 1), Deployment);
        const one = await cluster.patchStatus(Deployment, key("a"), { replicas: 3 }, soon());
        const two = await cluster.patchStatus(Deployment, key("a"), { replicas: 3 }, soon());
        assert.equal(one?.metadata.resourceVersion, two?.metadata.resourceVersion);
      });

      it("is left alone by create, apply and update", async () => {
        const object = { ...deployment(namespace, "a", 1), status: { replicas: 7 } };
        const created = await cluster.create(Deployment, object, soon());
        assert.equal(replicas(created) ?? 0, 0);
        await cluster.patchStatus(Deployment, key("a"), { replicas: 3 }, soon());
        assert.equal(replicas(await applyAs("one", deployment(namespace, "a", 2), Deployment)), 3);
        const read = await cluster.get(Deployment, key("a"), soon());
        assert.ok(read);
        const updated = await cluster.update(
          Deployment,
          { ...read, status: { replicas: 9 } },
          soon(),
        );
        assert.equal(replicas(updated), 3);
      });
    });

    describe("list", () => {
      const names = async (selection: object) =>
        (await cluster.list(ConfigMap, { namespace, ...selection }, soon())).items.map(
          ({ metadata }) => metadata.name,
        );

      it("lists the namespace in order, each with its kind", async () => {
        for (const name of ["b", "c", "a"]) await create(name);
        assert.deepEqual(await names({}), ["a", "b", "c"]);
        const { items } = await cluster.list(ConfigMap, { namespace }, soon());
        assert.ok(
          items.every(({ kind, apiVersion }) => kind === "ConfigMap" && apiVersion === "v1"),
        );
        assert.deepEqual((await cluster.list(Secret, { namespace }, soon())).items, []);
      });

      it("lists every namespace", async () => {
        const { uid } = (await create("a")).metadata;
        const { items } = await cluster.list(ConfigMap, {}, soon());
        assert.ok(items.some(({ metadata }) => metadata.uid === uid));
      });

      it("lists more objects than fit a page", async () => {
        const wanted = Array.from(
          { length: 12 },
          (_, index) => `m${String(index).padStart(2, "0")}`,
        );
        await Promise.all(wanted.map((name) => create(name)));
        assert.deepEqual(await names({}), wanted);
      });

      it("selects by labels and fields", async () => {
        await create("a", {}, { labels: { app: "x", tier: "one" } });
        await create("b", {}, { labels: { app: "x", tier: "two" } });
        await create("c", {}, { labels: { app: "y" } });
        await create("d");
        const table: readonly (readonly [object, readonly string[]])[] = [
          [{ labelSelector: "app=x" }, ["a", "b"]],
          [{ labelSelector: "app==x,tier!=one" }, ["b"]],
          [{ labelSelector: "app in (x,z), tier" }, ["a", "b"]],
          [{ labelSelector: "app notin (x)" }, ["c", "d"]],
          [{ labelSelector: "!app" }, ["d"]],
          [{ fieldSelector: "metadata.name=c" }, ["c"]],
          [{ fieldSelector: "metadata.name!=c", labelSelector: "app" }, ["a", "b"]],
          [{ fieldSelector: `metadata.namespace=${namespace}` }, ["a", "b", "c", "d"]],
          [{ fieldSelector: "metadata.namespace=elsewhere" }, []],
        ];
        for (const [selection, expected] of table)
          assert.deepEqual(await names(selection), expected, JSON.stringify(selection));
      });

      it("refuses a selector that is none", async () => {
        for (const selection of [{ labelSelector: "a b c" }, { fieldSelector: "metadata.name" }]) {
          const error = await failureOf(cluster.list(ConfigMap, selection, soon()));
          assert.equal(error.code, "invalid");
        }
      });
    });

    describe("watch", () => {
      it("tells what happens after the version, in order, and nothing twice", async () => {
        await create("before");
        const next = follow(await version());
        const a = await create("a");
        await cluster.update(ConfigMap, { ...a, data: { x: "1" } }, soon());
        await create("b");
        await cluster.delete(ConfigMap, key("a"), soon());
        const told = [await next(), await next(), await next(), await next()];
        assert.deepEqual(told.map(brief), ["added a", "modified a", "added b", "deleted a"]);
      });

      it("tells what has happened already", async () => {
        const from = await version();
        await create("a");
        await create("b");
        const next = follow(from);
        assert.deepEqual([brief(await next()), brief(await next())], ["added a", "added b"]);
      });

      it("goes on from the version of an event", async () => {
        const first = follow(await version());
        await create("a");
        await create("b");
        const event = await first();
        assert.ok(event.type === "added");
        const second = follow(event.object.metadata.resourceVersion);
        assert.equal(brief(await second()), "added b");
      });

      it("gives a deleted object a version to go on from", async () => {
        const first = follow(await version());
        await create("a");
        await cluster.delete(ConfigMap, key("a"), soon());
        await first();
        const gone = await first();
        assert.ok(gone.type === "deleted");
        const second = follow(gone.object.metadata.resourceVersion);
        await create("b");
        assert.equal(brief(await second()), "added b");
      });

      it("tells nothing when a write changes nothing", async () => {
        await applyAs("one", configMap(namespace, "a", { x: "1" }));
        const next = follow(await version());
        await applyAs("one", configMap(namespace, "a", { x: "1" }));
        await create("b");
        assert.equal(brief(await next()), "added b");
      });

      it("tells of objects that come into the selection and leave it", async () => {
        const next = follow(await version(), { labelSelector: "app=x" });
        const a = await create("a", {}, { labels: { app: "y" } });
        const labelled = (app: string) => configMap(namespace, "a", {}, { labels: { app } });
        await applyAs("one", labelled("x"));
        await applyAs("one", labelled("z"));
        await create("b", {}, { labels: { app: "x" } });
        const told = [await next(), await next(), await next()];
        assert.deepEqual(told.map(brief), ["added a", "deleted a", "added b"]);
        assert.equal(a.metadata.name, "a");
      });

      it("watches one object by its name", async () => {
        const next = follow(await version(), { fieldSelector: "metadata.name=b" });
        await create("a");
        await create("b");
        assert.equal(brief(await next()), "added b");
      });

      it("fails where the version is forgotten", async () => {
        const old = await version();
        await create("a");
        await opened.forget(soon());
        const error = await failureOf(follow(old)());
        assert.equal(error.code, "expired");
      });

      it("ends with the caller's own reason", async () => {
        const end = new AbortController();
        const from = { namespace, resourceVersion: await version() };
        const events = cluster.watch(ConfigMap, from, end.signal)[Symbol.asyncIterator]();
        const next = events.next();
        const reason = new Error("the caller left");
        end.abort(reason);
        await assert.rejects(next, reason);
      });
    });

    describe("tokens", () => {
      it("tells who a token belongs to", async () => {
        const owner = await cluster.reviewToken(opened.token.text, "kagent", soon());
        assert.equal(owner?.user, opened.token.user);
        assert.deepEqual(owner.audiences, ["kagent"]);
        assert.ok(owner.groups.includes("system:serviceaccounts"));
      });

      it("knows no token of another audience, and none that is none", async () => {
        const { text } = opened.token;
        assert.equal(await cluster.reviewToken(text, "another", soon()), undefined);
        assert.equal(await cluster.reviewToken("none", "kagent", soon()), undefined);
      });
    });
  });
}
