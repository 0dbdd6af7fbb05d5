import assert from "node:assert/strict";
import { describe, it } from "mocha";
import {
  ClusterError,
  type ClusterReader,
  type KubeObject,
} from "../../../../runtime/api/cluster-reader.ts";
import { demoCluster } from "../../../../runtime/toolservers/demo/demo-cluster.ts";
import { podStatus } from "../../../../runtime/toolservers/kubernetes/pod-status.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { open } from "../call-tool.ts";
import { clusterReaderContract } from "../kubernetes/cluster-reader-contract.ts";
import { DEMO_FACTS, podOf } from "./demo-facts.ts";

clusterReaderContract("runtime/toolservers/demo/demo-cluster", DEMO_FACTS, () =>
  Promise.resolve({
    reader: demoCluster({ clock: new FakeClock(), name: "services-amer" }),
    close: () => Promise.resolve(),
  }),
);

async function listed(cluster: ClusterReader, plural: string): Promise<readonly KubeObject[]> {
  const { resources } = await cluster.resources(open);
  const resource = resources.find((each) => each.plural === plural);
  assert.ok(resource);
  return (await cluster.list(resource, { limit: 1000 }, open)).items;
}

describe("runtime/toolservers/demo/demo-cluster", () => {
  it("has one pod for each way of failing, and others that are well", async () => {
    const clock = new FakeClock();
    const cluster = demoCluster({ clock, name: "services-amer" });
    const pods = await listed(cluster, "pods");
    const unwell = pods
      .map((pod) => ({ pod, status: podStatus(pod, clock.now()) }))
      .filter(({ status }) => !status.healthy)
      .map(({ pod, status }) => `${pod.metadata.namespace ?? ""} ${status.status}`);
    assert.deepEqual(unwell.sort(), [
      "payments CrashLoopBackOff",
      "payments ImagePullBackOff",
      "platform Pending",
      "shop CrashLoopBackOff",
      "shop CrashLoopBackOff",
    ]);
    assert.ok(pods.length > 15 && pods.length <= 30, "a list that tools show whole");
  });

  it("gives the same objects at the same time, whoever asks", async () => {
    const one = demoCluster({ clock: new FakeClock(), name: "services-amer" });
    const other = demoCluster({ clock: new FakeClock(), name: "services-amer" });
    for (const plural of ["pods", "events", "secrets", "deployments"])
      assert.deepEqual(await listed(one, plural), await listed(other, plural));
  });

  it("hands out copies: changing what was read changes nothing", async () => {
    const cluster = demoCluster({ clock: new FakeClock(), name: "services-amer" });
    const [before] = await listed(cluster, "configmaps");
    Object.assign(before?.["data"] ?? {}, { CATALOG_URL: "changed" });
    const [after] = await listed(cluster, "configmaps");
    assert.notEqual((after?.["data"] as Record<string, string>)["CATALOG_URL"], "changed");
  });

  it("goes on failing while it runs: restarts grow, events stay fresh", async () => {
    const clock = new FakeClock();
    const cluster = demoCluster({ clock, name: "services-amer" });
    const restarts = async () => {
      const pods = await listed(cluster, "pods");
      const pod = pods.find(({ metadata }) => metadata.name === podOf("checkout"));
      assert.ok(pod);
      return podStatus(pod, clock.now());
    };
    const before = await restarts();
    await clock.advance(26 * 60 * 60 * 1000);
    const after = await restarts();
    assert.equal(after.restarts - before.restarts, 312); // every five minutes
    assert.ok(clock.now() - (after.lastRestart ?? 0) < 5 * 60 * 1000);
    const events = await listed(cluster, "events");
    assert.ok(events.length >= 10);
    for (const event of events) {
      const last = Date.parse(String(event["lastTimestamp"]));
      assert.ok(last <= clock.now() && clock.now() - last < 60 * 60 * 1000);
    }
  });

  it("refers only to objects that it has", async () => {
    const cluster = demoCluster({ clock: new FakeClock(), name: "services-amer" });
    const [pods, sets, stateful, maps, secrets, nodes, claims, events] = await Promise.all(
      [
        "pods",
        "replicasets",
        "statefulsets",
        "configmaps",
        "secrets",
        "nodes",
        "persistentvolumeclaims",
        "events",
      ].map(async (plural) => listed(cluster, plural)),
    );
    const keys = (objects: readonly KubeObject[] = []) =>
      new Set(objects.map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`));
    const owners = new Set([...keys(sets), ...keys(stateful)]);
    for (const pod of pods ?? []) {
      const { namespace = "", name } = pod.metadata;
      const [owner] = pod.metadata["ownerReferences"] as readonly { readonly name: string }[];
      assert.ok(owners.has(`${namespace}/${owner?.name ?? ""}`), name);
      const {
        nodeName,
        containers,
        volumes = [],
      } = pod["spec"] as {
        readonly nodeName?: string;
        readonly volumes?: readonly {
          readonly persistentVolumeClaim: { readonly claimName: string };
        }[];
        readonly containers: readonly {
          readonly env?: readonly {
            readonly valueFrom: { readonly secretKeyRef: { readonly name: string } };
          }[];
          readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
        }[];
      };
      if (nodeName !== undefined) assert.ok(keys(nodes).has(`/${nodeName}`));
      for (const volume of volumes)
        assert.ok(keys(claims).has(`${namespace}/${volume.persistentVolumeClaim.claimName}`));
      for (const { env = [], envFrom = [] } of containers) {
        for (const each of env)
          assert.ok(keys(secrets).has(`${namespace}/${each.valueFrom.secretKeyRef.name}`));
        for (const each of envFrom)
          assert.ok(keys(maps).has(`${namespace}/${each.configMapRef.name}`));
      }
    }
    const known = new Set([
      ...keys(pods),
      ...keys(await listed(cluster, "kustomizations")),
      ...keys(await listed(cluster, "helmreleases")),
    ]);
    for (const event of events ?? []) {
      const about = event["involvedObject"] as {
        readonly namespace: string;
        readonly name: string;
      };
      assert.ok(known.has(`${about.namespace}/${about.name}`), about.name);
    }
  });

  it("logs why the crash loop crashes, in the current and in the previous run", async () => {
    const clock = new FakeClock();
    const cluster = demoCluster({ clock, name: "services-amer" });
    const query = {
      namespace: "shop",
      pod: podOf("checkout"),
      tailLines: 100,
      limitBytes: 100_000,
    };
    const current = await cluster.logs({ ...query, run: "current" }, open);
    const previous = await cluster.logs({ ...query, run: "previous" }, open);
    assert.match(current, /PAYMENTS_API_URL is not set/);
    assert.match(previous, /PAYMENTS_API_URL is not set/);
    assert.notEqual(current, previous);
  });

  it("keeps to the lines and bytes that are asked for", async () => {
    const cluster = demoCluster({ clock: new FakeClock(), name: "services-amer" });
    const query = { namespace: "shop", pod: podOf("storefront"), limitBytes: 100_000 } as const;
    const log = await cluster.logs({ ...query, tailLines: 5, run: "current" }, open);
    assert.equal(log.split("\n").length, 6);
    const short = await cluster.logs(
      { ...query, limitBytes: 50, tailLines: 5, run: "current" },
      open,
    );
    assert.equal(short.length, 50);
  });

  for (const [what, workload, run, expected] of [
    ["a container whose image does not exist", "invoice-worker", "current", /waiting to start/],
    [
      "the previous run of a container that never restarted",
      "cart",
      "previous",
      /previous terminated/,
    ],
  ] as const)
    it(`has no log of ${what}`, async () => {
      const cluster = demoCluster({ clock: new FakeClock(), name: "services-amer" });
      const pods = await listed(cluster, "pods");
      const pod = pods
        .filter(({ metadata }) => metadata.name.startsWith(workload))
        .find((each) => run === "previous" || !podStatus(each, 0).ready.startsWith("1"));
      const { namespace = "", name = "" } = pod?.metadata ?? {};
      const query = { namespace, pod: name, tailLines: 5, limitBytes: 1000, run };
      await assert.rejects(cluster.logs(query, open), (error: unknown) => {
        assert.ok(error instanceof ClusterError);
        assert.equal(error.code, "invalid");
        assert.match(String(error), expected);
        return true;
      });
    });
});
