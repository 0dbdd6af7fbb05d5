import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import type { ToolDefinition } from "../../runtime/api/tool.ts";
import { type KubeClusterReader, openCluster } from "../../runtime/kube/cluster-reader.ts";
import { systemClock } from "../../runtime/process/clock.ts";
import { helmTools } from "../../runtime/toolservers/helm/helm-tools.ts";
import { kubernetesTools } from "../../runtime/toolservers/kubernetes/kubernetes-tools.ts";
import { failureOf, textOf } from "../runtime/toolservers/call-tool.ts";
import {
  type ClusterFacts,
  clusterReaderContract,
  type OpenedCluster,
} from "../runtime/toolservers/kubernetes/cluster-reader-contract.ts";
import { createFailingWorkloads } from "./failing-workloads.ts";
import { useApiServer } from "./use-api-server.ts";
import {
  FAILING_WORKLOADS,
  FLUX_OBJECTS,
  HEALTHY_WORKLOADS,
  HELM_RELEASES,
  LEDGER_SECRET,
  type Workload,
} from "./workload-facts.ts";

/** Limit of every step of these tests. */
const soon = (): AbortSignal => AbortSignal.timeout(60_000);

const FACTS: ClusterFacts = {
  namespace: "shop",
  label: `app=${FAILING_WORKLOADS.crashLoop.deployment}`,
  labelled: FAILING_WORKLOADS.crashLoop.pods,
  pod: HEALTHY_WORKLOADS.storefront.pods[0],
  node: "worker-1",
  custom: {
    shortName: "ks",
    kind: "Kustomization",
    namespace: FLUX_OBJECTS.failingKustomization.namespace,
    name: FLUX_OBJECTS.failingKustomization.name,
  },
  pods: 7,
};

describe("runtime/kube/cluster-reader on a real API server", () => {
  const cluster = useApiServer();
  let reader: KubeClusterReader;
  let tools: readonly ToolDefinition[];

  before(async function () {
    this.timeout(120_000);
    await createFailingWorkloads(cluster().kubeconfigPath, soon());
    reader = await openCluster({ path: cluster().kubeconfigPath, name: "services-amer" }, soon());
    const deps = { cluster: reader, clock: systemClock };
    tools = [...kubernetesTools(deps), ...helmTools(deps)];
  });
  after(() => {
    // not made where the suite is skipped
    (reader as KubeClusterReader | undefined)?.close();
  });

  clusterReaderContract("the API server", FACTS, async (): Promise<OpenedCluster> => {
    const own = await openCluster({ path: cluster().kubeconfigPath }, soon());
    return {
      reader: own,
      close: () => {
        own.close();
        return Promise.resolve();
      },
    };
  });

  /** The row of a table that names `name`. */
  function rowOf(text: string, name: string): string {
    const row = text.split("\n").find((line) => line.includes(name));
    assert.ok(row, text);
    return row;
  }

  it("lists the failing pods first, each with its reason", async () => {
    const text = await textOf(tools, "k8s_get_resources", { resource_type: "pods" });
    assert.match(text, /^7 pods in all namespaces: 4 unhealthy, listed first\n/);
    const { crashLoop, imagePull, unschedulable, oomKilled } = FAILING_WORKLOADS;
    const row = (workload: Workload) => rowOf(text, workload.pods[0] ?? "");
    assert.match(
      row(crashLoop),
      / CrashLoopBackOff .*Error \(exit code 1\).*LEDGER_URL is missing/,
    );
    assert.match(row(imagePull), / ImagePullBackOff .*card-gateway:2\.4\.0-rc7": not found/);
    assert.match(row(unschedulable), / Pending .*Insufficient memory/);
    assert.match(row(oomKilled), / Running .*OOMKilled \(exit code 137\)/);
    const order = text.split("\n").slice(2);
    for (const { pods } of Object.values(HEALTHY_WORKLOADS))
      for (const pod of pods) assert.ok(order.findIndex((line) => line.includes(pod)) >= 4);
  });

  it("describes a failing pod with its events", async () => {
    const { pods } = FAILING_WORKLOADS.unschedulable;
    const args = { resource_type: "pod", resource_name: pods[0] };
    const text = await textOf(tools, "k8s_describe_resource", args);
    assert.match(text, /Node: +<not scheduled>/);
    assert.match(text, /Events:\n.*\n.*FailedScheduling/);
  });

  it("describes a deployment with the pods that its selector finds", async () => {
    const args = { resource_type: "deploy", resource_name: "checkout", namespace: "shop" };
    const text = await textOf(tools, "k8s_describe_resource", args);
    assert.match(
      text,
      new RegExp(`Pods:\\n.*\\n +${FAILING_WORKLOADS.crashLoop.pods[0]} .*CrashLoopBackOff`),
    );
  });

  it("shows the events of a namespace, warnings first", async () => {
    const text = await textOf(tools, "k8s_get_events", { namespace: "payments" });
    assert.match(text, /Warning +(Failed|BackOff) +pod\/card-gateway-/);
    assert.match(
      await failureOf(tools, "k8s_get_events", { namespace: "paiments" }),
      /did you mean payments\?/,
    );
  });

  for (const facts of [FLUX_OBJECTS.failingKustomization, FLUX_OBJECTS.failingHelmRelease])
    it(`finds the ${facts.kind} that fails`, async () => {
      const type = facts.kind === "Kustomization" ? "ks" : "hr";
      const text = await textOf(tools, "k8s_get_resources", { resource_type: type });
      assert.match(text, /1 unhealthy, listed first/);
      const row = rowOf(text, ` ${facts.name} `);
      assert.match(row, / False /);
      assert.ok(row.includes(facts.reason));
    });

  it("lists Helm releases, the failed one first, and tells why it failed", async () => {
    const text = await textOf(tools, "helm_list_releases");
    const { failed, deployed } = HELM_RELEASES;
    const [, first = "", second = ""] = text.split("\n");
    assert.ok(first.includes(failed.name) && first.includes(failed.description), text);
    assert.ok(second.includes(deployed.name) && second.includes(" deployed "), text);
    const { name, namespace } = failed;
    const status = await textOf(tools, "helm_status", { name, namespace });
    assert.match(status, /Status: +failed/);
    assert.match(await textOf(tools, "helm_get_values", { name, namespace }), /memory: 192Mi/);
  });

  it("shows no value of a Secret", async () => {
    const { namespace, name, key, canary } = LEDGER_SECRET;
    const args = { resource_type: "secret", resource_name: name, namespace };
    const texts = await Promise.all([
      textOf(tools, "k8s_get_resource_yaml", args),
      textOf(tools, "k8s_describe_resource", args),
      textOf(tools, "k8s_get_resources", { ...args, output: "json" }),
      textOf(tools, "k8s_get_resources", { resource_type: "secrets", output: "yaml" }),
    ]);
    for (const text of texts) {
      assert.ok(text.includes(key));
      assert.ok(!text.includes(canary) && !text.includes(Buffer.from(canary).toString("base64")));
    }
  });

  it("says of the empty log of a pod without a node why it does not run", async () => {
    const [pod_name] = FAILING_WORKLOADS.unschedulable.pods;
    const text = await textOf(tools, "k8s_get_pod_logs", { pod_name, namespace: "shop" });
    assert.match(text, /\(empty; the pod is Pending: 0\/2 nodes are available/);
  });

  it("says which cluster answers", async () => {
    const text = await textOf(tools, "k8s_get_cluster_configuration");
    assert.match(
      text,
      /Cluster: +services-amer\nContext: +test\nAPI Server: +https:\/\/127\.0\.0\.1:\d+\n/,
    );
    assert.match(text, /Nodes: +2, 2 healthy/);
  });

  it("goes on after the API server was restarted", async function () {
    this.timeout(240_000);
    await cluster().restart(AbortSignal.timeout(200_000));
    const text = await textOf(tools, "k8s_get_resources", { resource_type: "nodes" });
    assert.match(text, /^2 nodes in the cluster: none unhealthy/);
  });
});
