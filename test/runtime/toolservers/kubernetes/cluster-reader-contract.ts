import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import {
  type ApiResource,
  ClusterError,
  type ClusterReader,
} from "../../../../runtime/api/cluster-reader.ts";

const open = new AbortController().signal;

/** What a cluster holds that a suite looks for. */
export interface ClusterFacts {
  /** Namespace with several pods. */
  readonly namespace: string;
  /** Label that some, not all pods of that namespace have. */
  readonly label: string;
  /** Pods with that label. */
  readonly labelled: readonly string[];
  /** A pod of that namespace on the node `node`. */
  readonly pod: string;
  /** Where that pod runs. */
  readonly node: string;
  /** A custom object, by its short name, namespace and name. */
  readonly custom: {
    readonly shortName: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  };
  /** Pods of all namespaces together; at least this many. */
  readonly pods: number;
}

/** A cluster that is open for a suite. */
export interface OpenedCluster {
  readonly reader: ClusterReader;
  readonly close: () => Promise<void>;
}

/** What every ClusterReader keeps. */
export function clusterReaderContract(
  name: string,
  facts: ClusterFacts,
  openCluster: () => Promise<OpenedCluster>,
): void {
  describe(`${name} as ClusterReader`, () => {
    let cluster: OpenedCluster;
    let reader: ClusterReader;
    before(async function () {
      this.timeout(30_000); // the client library loads for seconds on a busy machine
      cluster = await openCluster();
      reader = cluster.reader;
      await reader.resources(open);
    });
    after(async () => cluster.close());

    const kind = async (match: (resource: ApiResource) => boolean): Promise<ApiResource> => {
      const { resources } = await reader.resources(open);
      const found = resources.find(match);
      assert.ok(found);
      return found;
    };
    const pods = () => kind(({ plural, group }) => plural === "pods" && group === "");
    const codeOf = async (work: Promise<unknown>) => {
      const error: unknown = await work.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      return error instanceof ClusterError ? error.code : undefined;
    };

    it("serves core kinds, kinds of groups and custom kinds, each once and with its names", async () => {
      const { resources, unavailable } = await reader.resources(open);
      assert.deepEqual(unavailable, []);
      const keys = resources.map(({ group, plural }) => `${plural}.${group}`);
      assert.equal(new Set(keys).size, keys.length);
      const { shortNames, singular, namespaced, verbs } = await pods();
      assert.deepEqual(shortNames, ["po"]);
      assert.equal(singular, "pod");
      assert.equal(namespaced, true);
      assert.ok(verbs.includes("list") && verbs.includes("get"));
      const deployment = await kind(({ plural }) => plural === "deployments");
      assert.equal(`${deployment.group}/${deployment.version}`, "apps/v1");
      assert.ok(deployment.categories.includes("all"));
      const node = await kind(({ plural }) => plural === "nodes");
      assert.equal(node.namespaced, false);
      const custom = await kind((each) => each.shortNames.includes(facts.custom.shortName));
      assert.equal(custom.kind, facts.custom.kind);
      assert.ok(
        resources.every(({ plural }) => !plural.includes("/")),
        "no subresources",
      );
    });

    it("lists every namespace, or one", async () => {
      const all = await reader.list(await pods(), { limit: 500 }, open);
      assert.ok(all.items.length >= facts.pods, String(all.items.length));
      assert.equal(all.more, false);
      const some = await reader.list(
        await pods(),
        { namespace: facts.namespace, limit: 500 },
        open,
      );
      assert.ok(some.items.length > 0 && some.items.length < all.items.length);
      assert.ok(some.items.every(({ metadata }) => metadata.namespace === facts.namespace));
    });

    it("says of each object in a list what kind it is", async () => {
      const { items } = await reader.list(await pods(), { limit: 3 }, open);
      assert.deepEqual(
        new Set(items.map((each) => `${each.apiVersion} ${each.kind}`)),
        new Set(["v1 Pod"]),
      );
    });

    it("stops at the limit and says that there is more", async () => {
      const { items, more } = await reader.list(await pods(), { limit: 3 }, open);
      assert.equal(items.length, 3);
      assert.equal(more, true);
    });

    it("selects by label", async () => {
      const query = { namespace: facts.namespace, labelSelector: facts.label, limit: 500 };
      const { items } = await reader.list(await pods(), query, open);
      assert.deepEqual(
        items.map(({ metadata }) => metadata.name).sort(),
        [...facts.labelled].sort(),
      );
      const others = await reader.list(
        await pods(),
        { ...query, labelSelector: facts.label.replace("=", "!=") },
        open,
      );
      assert.ok(others.items.length > 0);
      assert.ok(others.items.every(({ metadata }) => !facts.labelled.includes(metadata.name)));
    });

    it("selects by field", async () => {
      const fieldSelector = `metadata.name=${facts.pod}`;
      const named = await reader.list(await pods(), { fieldSelector, limit: 10 }, open);
      assert.deepEqual(
        named.items.map(({ metadata }) => metadata.name),
        [facts.pod],
      );
      const placed = await reader.list(
        await pods(),
        { fieldSelector: `spec.nodeName=${facts.node}`, limit: 500 },
        open,
      );
      assert.ok(placed.items.some(({ metadata }) => metadata.name === facts.pod));
    });

    it("refuses a selector that is none", async () => {
      const query = { labelSelector: "a in (", limit: 1 };
      assert.equal(await codeOf(reader.list(await pods(), query, open)), "invalid");
    });

    it("gets objects in namespaces, cluster-wide ones and custom ones", async () => {
      const ref = { namespace: facts.namespace, name: facts.pod };
      const pod = await reader.get(await pods(), ref, open);
      assert.equal(pod.kind, "Pod");
      assert.equal(pod.metadata.name, facts.pod);
      const nodes = await kind(({ plural }) => plural === "nodes");
      const node = await reader.get(nodes, { name: facts.node }, open);
      assert.equal(node.metadata.namespace, undefined);
      const custom = await kind((each) => each.shortNames.includes(facts.custom.shortName));
      const { namespace, name: own } = facts.custom;
      const object = await reader.get(custom, { namespace, name: own }, open);
      assert.equal(object.kind, facts.custom.kind);
    });

    it("tells an object that is not there from other failures", async () => {
      const ref = { namespace: facts.namespace, name: "no-such-pod" };
      assert.equal(await codeOf(reader.get(await pods(), ref, open)), "not-found");
    });

    it("says who answers, without credentials", async () => {
      const identity = await reader.identity(open);
      assert.match(identity.version, /^v1\.\d+\.\d+/);
      assert.deepEqual(Object.keys(identity).sort(), ["context", "platform", "server", "version"]);
    });

    it("ends with the caller's own reason when the caller gives up", async () => {
      const gone = AbortSignal.abort(new Error("gone"));
      const resource = await pods();
      await assert.rejects(reader.list(resource, { limit: 1 }, gone), /^Error: gone$/);
      await assert.rejects(
        reader.get(resource, { name: "a", namespace: "b" }, gone),
        /^Error: gone$/,
      );
      await assert.rejects(reader.identity(gone), /^Error: gone$/);
    });
  });
}
