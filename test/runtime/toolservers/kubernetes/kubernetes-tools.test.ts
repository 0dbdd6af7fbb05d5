import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import {
  ClusterError,
  type ClusterErrorCode,
  type ClusterReader,
  type KubeObject,
} from "../../../../runtime/api/cluster-reader.ts";
import type { ToolDefinition } from "../../../../runtime/api/tool.ts";
import { demoCluster } from "../../../../runtime/toolservers/demo/demo-cluster.ts";
import { kubernetesTools } from "../../../../runtime/toolservers/kubernetes/kubernetes-tools.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { callTool, failureOf, open, textOf } from "../call-tool.ts";
import { podOf } from "../demo/demo-facts.ts";

const LABEL = '# demo cluster "services-amer" (stand-in data, not a real cluster)';
const clock = new FakeClock();
const demo = demoCluster({ clock, name: "services-amer" });

/** The demo cluster as if it were a real one. */
function unlabelled(): ClusterReader {
  const copy: Omit<ClusterReader, "label"> & { label?: string } = { ...demo };
  delete copy.label;
  return copy;
}

/** The demo cluster with some methods replaced, without its label. */
function altered(changes: Partial<ClusterReader>): readonly ToolDefinition[] {
  return kubernetesTools({ cluster: { ...unlabelled(), ...changes }, clock });
}

function pods(count: number, failing: (index: number) => boolean): readonly KubeObject[] {
  return Array.from({ length: count }, (_, index) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `pod-${String(index).padStart(3, "0")}`, namespace: "shop" },
    spec: { containers: [{ name: "main", image: "shop:1" }] },
    status: {
      phase: "Running",
      containerStatuses: [
        failing(index)
          ? {
              name: "main",
              ready: false,
              restartCount: 3,
              state: { waiting: { reason: "CrashLoopBackOff", message: "back-off" } },
            }
          : { name: "main", ready: true, restartCount: 0, state: { running: {} } },
      ],
    },
  }));
}

describe("runtime/toolservers/kubernetes/kubernetes-tools", () => {
  let tools: readonly ToolDefinition[];
  before(() => {
    tools = kubernetesTools({ cluster: demo, clock });
  });

  it("answers every call about the demo cluster under its label, JSON and errors too", async () => {
    const calls: readonly (readonly [string, Record<string, unknown>])[] = [
      ["k8s_get_resources", { resource_type: "pods" }],
      ["k8s_get_resources", { resource_type: "pods", output: "json" }],
      ["k8s_get_resources", { resource_type: "podz" }],
      ["k8s_get_resources", { namespace: "UPPER" }],
      ["k8s_get_pod_logs", { pod_name: podOf("checkout"), namespace: "shop" }],
      ["k8s_get_events", {}],
      ["k8s_describe_resource", { resource_type: "pod", resource_name: podOf("checkout") }],
      ["k8s_get_resource_yaml", { resource_type: "pod", resource_name: podOf("checkout") }],
      ["k8s_get_available_api_resources", {}],
      ["k8s_get_cluster_configuration", {}],
    ];
    for (const [name, args] of calls) {
      const { text } = await callTool(tools, name, args);
      assert.equal(text.split("\n")[0], LABEL, name);
      assert.ok(text.split("\n").length > 1);
    }
  });

  describe("k8s_get_resources", () => {
    it("shows pods that fail first, each with the reason", async () => {
      const [, summary, heading, ...rows] = (
        await textOf(tools, "k8s_get_resources", { resource_type: "pods" })
      ).split("\n");
      assert.match(summary ?? "", /^\d+ pods in all namespaces: 5 unhealthy, listed first$/);
      assert.match(heading ?? "", /^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE +NODE +REASON$/);
      const failing = rows.slice(0, 5).join("\n");
      assert.match(failing, /invoice-worker.* ImagePullBackOff .*1\.9\.0-rc7/);
      assert.match(
        failing,
        /payment-gateway.* CrashLoopBackOff .*9 \(3m ago\).*OOMKilled \(exit code 137\)/,
      );
      assert.match(failing, /analytics-batch.* Pending .*Insufficient memory/);
      assert.match(failing, /checkout.* CrashLoopBackOff .*Error \(exit code 1\) 2m ago/);
      for (const row of rows.slice(5)) assert.match(row, / 1\/1 +Running /);
    });

    for (const type of ["po", "pod", "Pods", "pods.v1", "POD"])
      it(`takes ${type} for pods`, async () => {
        const text = await textOf(tools, "k8s_get_resources", {
          resource_type: type,
          namespace: "shop",
        });
        assert.match(text, /pods in namespace shop/);
      });

    for (const type of ["ks", "kustomizations.kustomize.toolkit.fluxcd.io", "Kustomization"])
      it(`finds the Kustomization that fails by ${type}`, async () => {
        const text = await textOf(tools, "k8s_get_resources", { resource_type: type });
        assert.match(
          text,
          /1 unhealthy, listed first\n.*\nflux-system +payments-apps +False .*HealthCheckFailed: .*invoice-worker/,
        );
      });

    it("lists several kinds at once, each under its own heading", async () => {
      const text = await textOf(tools, "k8s_get_resources", { resource_type: "ks,hr" });
      assert.match(text, /4 kustomizations in all namespaces: 1 unhealthy/);
      assert.match(
        text,
        /6 helmreleases in all namespaces: 1 unhealthy[\s\S]*analytics-batch +False .*UpgradeFailed/,
      );
    });

    it("lists what a category holds, without the kinds that have nothing", async () => {
      const text = await textOf(tools, "k8s_get_resources", {
        resource_type: "all",
        namespace: "payments",
      });
      for (const kind of ["pods", "services", "deployments", "replicasets", "statefulsets"])
        assert.match(text, new RegExp(`^\\d+ ${kind} in namespace payments`, "m"));
      assert.ok(!/cronjobs|no jobs/.test(text));
    });

    it("suggests the kind that was meant", async () => {
      const text = await failureOf(tools, "k8s_get_resources", { resource_type: "deploymnets" });
      assert.match(text, /unknown resource type "deploymnets"; did you mean .*deployments\?/);
    });

    it("says that a namespace does not exist, and which one may have been meant", async () => {
      const text = await failureOf(tools, "k8s_get_resources", {
        resource_type: "pods",
        namespace: "shopp",
      });
      assert.match(text, /namespace "shopp" does not exist; did you mean shop\?/);
    });

    it("says that there is nothing, which is no failure", async () => {
      const args = { resource_type: "cronjobs", namespace: "shop" };
      assert.match(
        await textOf(tools, "k8s_get_resources", args),
        /no cronjobs found in namespace shop/,
      );
    });

    it("looks everywhere when told so, whatever the namespace says", async () => {
      const args = { resource_type: "pods", namespace: "shop", all_namespaces: "true" };
      assert.match(await textOf(tools, "k8s_get_resources", args), /pods in all namespaces/);
    });

    it("selects by labels", async () => {
      const args = {
        resource_type: "pods",
        label_selector: "app.kubernetes.io/name in (cart,catalog)",
      };
      assert.match(
        await textOf(tools, "k8s_get_resources", args),
        /^3 pods in all namespaces: none unhealthy$/m,
      );
      const bad = { ...args, label_selector: "a;b" };
      assert.match(
        await failureOf(tools, "k8s_get_resources", bad),
        /label_selector: must be a label selector/,
      );
    });

    it("finds one object by name without its namespace", async () => {
      const args = { resource_type: "svc", resource_name: "ledger" };
      const text = await textOf(tools, "k8s_get_resources", args);
      assert.match(text, /payments +ledger +ClusterIP +None +8080\/TCP/);
    });

    it("suggests names like one that is not there", async () => {
      const args = { resource_type: "pod", resource_name: "checkout" };
      const text = await failureOf(tools, "k8s_get_resources", args);
      assert.match(
        text,
        /no Pod named checkout in any namespace; similar names: checkout-\w+-\w+, checkout-/,
      );
    });

    it("trims 60 pods to 20 and 5 and hides none that fails", async () => {
      const crowded = altered({
        list: () => Promise.resolve({ items: pods(60, (index) => index % 30 === 29), more: false }),
      });
      const lines = (await textOf(crowded, "k8s_get_resources", { resource_type: "pods" })).split(
        "\n",
      );
      assert.equal(lines[0], "60 pods in all namespaces: 2 unhealthy, listed first");
      assert.match(lines[2] ?? "", /pod-029/);
      assert.match(lines[3] ?? "", /pod-059/);
      assert.equal(lines.length, 2 + 20 + 1 + 5);
      assert.match(
        lines[22] ?? "",
        /^\.\.\. 35 of 60 rows left out, all of them healthy; narrow with/,
      );
    });

    it("says how many that fail are left out when they are too many", async () => {
      const crowded = altered({
        list: () => Promise.resolve({ items: pods(60, (index) => index < 50), more: false }),
      });
      const text = await textOf(crowded, "k8s_get_resources", { resource_type: "pods" });
      assert.match(text, /35 of 60 rows left out, 30 of them unhealthy/);
    });

    it("says that only the first objects of a huge cluster were read", async () => {
      const crowded = altered({
        list: () => Promise.resolve({ items: pods(40, () => false), more: true }),
      });
      const text = await textOf(crowded, "k8s_get_resources", { resource_type: "pods" });
      assert.match(text, /the cluster has more, only the first 40 were read/);
    });

    it("gives JSON that parses: identity, essentials of the spec, the whole status", async () => {
      const text = await textOf(tools, "k8s_get_resources", {
        resource_type: "pods",
        namespace: "shop",
        output: "json",
      });
      const list = JSON.parse(text.slice(text.indexOf("\n"))) as {
        readonly total: number;
        readonly unhealthy: number;
        readonly leftOut: number;
        readonly items: readonly Record<string, Record<string, unknown>>[];
      };
      assert.deepEqual([list.total, list.unhealthy, list.leftOut], [9, 2, 0]);
      const [first] = list.items;
      assert.ok(first);
      assert.deepEqual(Object.keys(first["metadata"] ?? {}).sort(), [
        "creationTimestamp",
        "labels",
        "name",
        "namespace",
        "ownerReferences",
      ]);
      assert.ok(Array.isArray(first["status"]?.["containerStatuses"]));
      assert.ok(!("volumes" in (first["spec"] ?? {})));
    });

    it("bounds JSON by bytes and counts what is left out, still parsable", async () => {
      const crowded = altered({
        list: () => Promise.resolve({ items: pods(300, (index) => index === 299), more: false }),
      });
      const text = await textOf(crowded, "k8s_get_resources", {
        resource_type: "pods",
        output: "json",
      });
      assert.ok(Buffer.byteLength(text) < 17 * 1024);
      const list = JSON.parse(text) as {
        readonly total: number;
        readonly leftOut: number;
        readonly items: readonly KubeObject[];
      };
      assert.equal(list.total, 300);
      assert.equal(list.leftOut, 300 - list.items.length);
      assert.equal(list.items[0]?.metadata.name, "pod-299");
    });

    it("gives names with their namespaces", async () => {
      const text = await textOf(tools, "k8s_get_resources", {
        resource_type: "ks",
        output: "name",
      });
      assert.match(
        text,
        /^kustomization\.kustomize\.toolkit\.fluxcd\.io\/payments-apps -n flux-system$/m,
      );
    });
  });

  describe("secrets", () => {
    const stored = async (): Promise<readonly string[]> => {
      const { resources } = await demo.resources(open);
      const secrets = resources.find(({ plural }) => plural === "secrets");
      assert.ok(secrets);
      const { items } = await demo.list(secrets, { limit: 100 }, open);
      return items.flatMap((each) => Object.values(each["data"] as Record<string, string>));
    };

    it("are shown by no tool in no form", async () => {
      const values = await stored();
      assert.ok(values.length > 5);
      const texts = await Promise.all([
        ...["wide", "json", "yaml", "name"].map(async (output) =>
          textOf(tools, "k8s_get_resources", { resource_type: "secrets", output }),
        ),
        ...["json", "yaml"].map(async (output) =>
          textOf(tools, "k8s_get_resources", {
            resource_type: "secret",
            resource_name: "checkout-credentials",
            output,
          }),
        ),
        textOf(tools, "k8s_describe_resource", {
          resource_type: "secret",
          resource_name: "checkout-credentials",
        }),
        textOf(tools, "k8s_get_resource_yaml", {
          resource_type: "secret",
          resource_name: "checkout-credentials",
        }),
      ]);
      for (const text of texts)
        for (const value of values)
          for (const form of [value, Buffer.from(value, "base64").toString()])
            assert.ok(!text.includes(form.slice(0, 16)), text.slice(0, 200));
    });

    it("are shown by key and size", async () => {
      const text = await textOf(tools, "k8s_get_resource_yaml", {
        resource_type: "secret",
        resource_name: "checkout-credentials",
      });
      assert.match(text, /CHECKOUT_DB_PASSWORD: <redacted, 23 bytes>/);
    });

    it("are blanked in environment variables, annotations, logs and messages", async () => {
      const leaky: KubeObject = {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
          name: "leaky",
          namespace: "shop",
          annotations: {
            "kubectl.kubernetes.io/last-applied-configuration": '{"env":"hunter2x"}',
            note: "postgres://app:hunter2x@db/shop",
          },
          managedFields: [{ manager: "hunter2x" }],
        },
        spec: {
          containers: [
            {
              name: "main",
              image: "a",
              env: [{ name: "DB_PASSWORD", value: "hunter2x" }],
              args: ["--token", "hunter2x"],
            },
          ],
        },
        status: { phase: "Failed", message: "login with password=hunter2x failed" },
      };
      const leaking = altered({
        get: () => Promise.resolve(leaky),
        list: () => Promise.resolve({ items: [leaky], more: false }),
        logs: () => Promise.resolve("2026 token=hunter2x\n"),
      });
      const args = { resource_type: "pods", resource_name: "leaky", namespace: "shop" };
      for (const output of ["wide", "json", "yaml"]) {
        for (const named of [args, { resource_type: "pods" }]) {
          const text = await textOf(leaking, "k8s_get_resources", { ...named, output });
          assert.ok(!text.includes("hunter2x"), text);
        }
      }
      assert.ok(!(await textOf(leaking, "k8s_describe_resource", args)).includes("hunter2x"));
      assert.ok(!(await textOf(leaking, "k8s_get_resource_yaml", args)).includes("hunter2x"));
      const log = await textOf(leaking, "k8s_get_pod_logs", {
        pod_name: "leaky",
        namespace: "shop",
      });
      assert.match(log, /token=<redacted>/);
    });
  });

  describe("k8s_get_pod_logs", () => {
    it("shows why a container crashed, and finds the pod's namespace itself", async () => {
      const text = await textOf(tools, "k8s_get_pod_logs", { pod_name: podOf("checkout") });
      assert.match(
        text,
        /log of container checkout of pod shop\/checkout-.*, current run, last 100 lines\n/,
      );
      assert.match(text, /fatal: config: PAYMENTS_API_URL is not set/);
    });

    it("trims a long log to its first and last hundred lines", async () => {
      const args = { pod_name: podOf("storefront"), namespace: "shop", tail_lines: 1000 };
      const lines = (await textOf(tools, "k8s_get_pod_logs", args)).split("\n");
      assert.equal(lines.length, 2 + 201);
      assert.equal(lines[102], "... 800 of 1000 lines left out ...");
    });

    for (const [lines, expected] of [
      [1001, /tail_lines/],
      [0, /tail_lines/],
      ["many", /tail_lines/],
    ] as const)
      it(`refuses ${lines} lines`, async () => {
        const args = { pod_name: "a", tail_lines: lines };
        assert.match(await failureOf(tools, "k8s_get_pod_logs", args), expected);
      });

    it("names the containers there are", async () => {
      const args = { pod_name: podOf("cart"), namespace: "shop", container: "sidecar" };
      assert.match(
        await failureOf(tools, "k8s_get_pod_logs", args),
        /has no container sidecar; it has cart$/,
      );
    });

    it("passes on why there is no log", async () => {
      const pods = await textOf(tools, "k8s_get_resources", {
        resource_type: "pods",
        namespace: "payments",
      });
      const pod_name = /(invoice-worker\S+) +0\/1/.exec(pods)?.[1];
      const text = await failureOf(tools, "k8s_get_pod_logs", { pod_name });
      assert.match(text, /waiting to start: trying and failing to pull image/);
    });

    it("says of an empty log why the pod does not run", async () => {
      const text = await textOf(tools, "k8s_get_pod_logs", { pod_name: podOf("analytics-batch") });
      assert.match(
        text,
        /\(empty; the pod is Pending: 0\/3 nodes are available: 3 Insufficient memory\./,
      );
    });

    it("takes the failing container of several, else the default one, else the first", async () => {
      const asked: (string | undefined)[] = [];
      const container = (name: string, failing: boolean) => ({
        name,
        ready: !failing,
        restartCount: failing ? 2 : 0,
        state: failing ? { waiting: { reason: "CrashLoopBackOff" } } : { running: {} },
      });
      const pod = (failing: string, annotations: Record<string, string>): KubeObject => ({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "p", namespace: "n", annotations },
        spec: { containers: [{ name: "a" }, { name: "b" }, { name: "c" }] },
        status: {
          containerStatuses: ["a", "b", "c"].map((name) => container(name, name === failing)),
        },
      });
      const byDefault = { "kubectl.kubernetes.io/default-container": "b" };
      for (const each of [pod("c", byDefault), pod("", byDefault), pod("", {})]) {
        const some = altered({
          get: () => Promise.resolve(each),
          logs: (query) => {
            asked.push(query.container);
            return Promise.resolve("line\n");
          },
        });
        await textOf(some, "k8s_get_pod_logs", { pod_name: "p", namespace: "n" });
      }
      assert.deepEqual(asked, ["c", "b", "a"]);
    });

    it("says how to go on when the log of a container that restarted is empty", async () => {
      const empty = altered({ logs: () => Promise.resolve("") });
      const text = await textOf(empty, "k8s_get_pod_logs", { pod_name: podOf("payment-gateway") });
      assert.match(
        text,
        /\(empty; the pod is CrashLoopBackOff.*; previous=true reads the run before/,
      );
      const well = await textOf(empty, "k8s_get_pod_logs", { pod_name: podOf("cart") });
      assert.match(well, /\n\(empty\)$/);
    });
  });

  describe("k8s_get_events", () => {
    it("shows warnings first, the latest on top, with namespaces", async () => {
      const [, heading, ...rows] = (await textOf(tools, "k8s_get_events")).split("\n");
      assert.match(heading ?? "", /^NAMESPACE +LAST SEEN +TYPE +REASON +OBJECT +COUNT +MESSAGE$/);
      const types = rows.map((row) => (/ Warning /.test(row) ? "Warning" : "Normal"));
      assert.deepEqual(types, [...types].sort().reverse());
      assert.match(rows.join("\n"), /FailedScheduling +pod\/analytics-batch-.*Insufficient memory/);
    });

    it("takes an empty namespace for all of them", async () => {
      assert.equal(
        await textOf(tools, "k8s_get_events", { namespace: "" }),
        await textOf(tools, "k8s_get_events"),
      );
    });

    it("shows one namespace only", async () => {
      const text = await textOf(tools, "k8s_get_events", { namespace: "platform" });
      assert.match(text, /FailedScheduling/);
      assert.ok(!/BackOff/.test(text));
      assert.ok(!/NAMESPACE/.test(text));
    });

    it("tells no events from no namespace", async () => {
      assert.match(
        await textOf(tools, "k8s_get_events", { namespace: "default" }),
        /no events in namespace default/,
      );
      assert.match(
        await failureOf(tools, "k8s_get_events", { namespace: "nowhere" }),
        /does not exist; there are/,
      );
    });
  });

  describe("k8s_describe_resource", () => {
    it("tells of a pod its state, its last state, its limits and its events", async () => {
      const args = {
        resource_type: "pod",
        resource_name: podOf("payment-gateway"),
        namespace: "payments",
      };
      const text = await textOf(tools, "k8s_describe_resource", args);
      assert.match(text, /^Status: +CrashLoopBackOff$/m);
      assert.match(text, /Last State: +Terminated, OOMKilled, exit code 137/);
      assert.match(text, /Limits: +cpu=1,memory=256Mi/);
      assert.match(text, /Events:\n +LAST SEEN[\s\S]* BackOff /);
      assert.match(
        text,
        /ACQUIRER_API_KEY=<key ACQUIRER_API_KEY of secret\/payment-gateway-credentials>/,
      );
    });

    it("tells of a deployment its conditions and its pods", async () => {
      const text = await textOf(tools, "k8s_describe_resource", {
        resource_type: "deploy",
        resource_name: "checkout",
      });
      assert.match(text, /^Health: +0 of 2 ready; MinimumReplicasUnavailable/m);
      assert.match(text, /Progressing=False since \d+m: ProgressDeadlineExceeded/);
      assert.match(
        text,
        /Pods:\n +NAME[\s\S]*checkout-.*CrashLoopBackOff[\s\S]*checkout-.*CrashLoopBackOff/,
      );
    });

    it("tells of a node what its pods ask of it", async () => {
      const text = await textOf(tools, "k8s_describe_resource", {
        resource_type: "node",
        resource_name: "amer-worker-1",
      });
      assert.match(text, /Requested: +cpu \d+m? \(\d+%\), memory [\d.]+Gi \(\d+%\) by \d+ pods/);
    });

    it("tells of a custom object its conditions, spec, status and events", async () => {
      const text = await textOf(tools, "k8s_describe_resource", {
        resource_type: "hr",
        resource_name: "analytics-batch",
      });
      assert.match(text, /Ready=False since \d+m: UpgradeFailed/);
      assert.match(text, /chart: batch-runner/);
      assert.match(text, /upgradeFailures: 1/);
      assert.match(text, /Events:\n[\s\S]*UpgradeFailed/);
    });

    it("asks for the namespace when several objects have the name", async () => {
      const namesakes = altered({
        list: (resource, query, signal) =>
          resource.plural === "services"
            ? Promise.resolve({
                items: ["a", "b"].map((namespace) => ({
                  apiVersion: "v1",
                  kind: "Service",
                  metadata: { name: "web", namespace },
                })),
                more: false,
              })
            : demo.list(resource, query, signal),
      });
      const args = { resource_type: "svc", resource_name: "web" };
      assert.match(
        await failureOf(namesakes, "k8s_describe_resource", args),
        /give one of the namespaces a, b/,
      );
    });

    it("bounds the description of a monstrous object", async () => {
      const data = Object.fromEntries(
        Array.from({ length: 3000 }, (_, index) => [`key-${index}`, "x".repeat(100)]),
      );
      const monstrous = altered({
        get: () =>
          Promise.resolve({
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "big", namespace: "shop" },
            data,
          }),
      });
      const args = { resource_type: "cm", resource_name: "big", namespace: "shop" };
      for (const name of ["k8s_describe_resource", "k8s_get_resource_yaml"]) {
        const text = await textOf(monstrous, name, args);
        assert.ok(Buffer.byteLength(text) < 33 * 1024, name);
        assert.match(text, /bytes left out/);
      }
    });
  });

  it("says which cluster it is", async () => {
    const text = await textOf(tools, "k8s_get_cluster_configuration");
    assert.match(text, /Cluster: +services-amer\nContext: +demo-services-amer\n/);
    assert.match(
      text,
      /Kubernetes: +v1\.34\.1 \(linux\/amd64\)\nNodes: +3, 3 healthy; kubelet v1\.34\.1/,
    );
  });

  it("lists every kind with its short names, a group a line", async () => {
    const text = await textOf(tools, "k8s_get_available_api_resources");
    assert.match(text, /^apps\/v1: daemonsets \(ds\), deployments \(deploy\)/m);
    assert.match(text, /nodes\* \(no\)/);
  });

  describe("when the cluster fails", () => {
    const failing = (code: ClusterErrorCode, message: string) => {
      const refuse = () => Promise.reject(new ClusterError(code, message));
      return altered({
        list: refuse,
        get: refuse,
        logs: refuse,
        resources: refuse,
        identity: refuse,
      });
    };
    for (const [code, expected] of [
      ["forbidden", /^not allowed by cluster services-amer: said\. Other namespaces/],
      [
        "unauthorized",
        /^cluster services-amer does not accept the platform's credentials; a person/,
      ],
      ["unreachable", /^cluster services-amer cannot be reached: said$/],
      ["timeout", /^cluster services-amer did not answer in time: said$/],
      ["invalid", /^said$/],
    ] as const)
      it(`says what ${code} means`, async () => {
        for (const [name, args] of [
          ["k8s_get_resources", { resource_type: "pods" }],
          ["k8s_get_events", {}],
          ["k8s_get_available_api_resources", {}],
        ] as const)
          assert.match(await failureOf(failing(code, "said"), name, args), expected);
      });

    it("gives up on a reader that never answers", async () => {
      const cluster = { ...unlabelled(), resources: () => new Promise<never>(() => undefined) };
      const slow = kubernetesTools({ cluster, clock, timeoutMs: 20 });
      const text = await failureOf(slow, "k8s_get_resources", { resource_type: "pods" });
      assert.equal(text, "cluster services-amer did not answer within 0.02 s");
    });

    it("passes the caller's abort on", async () => {
      const caller = new AbortController();
      const stuck = altered({
        resources: () => {
          caller.abort(new Error("gone"));
          return new Promise<never>(() => undefined);
        },
      });
      const call = callTool(
        stuck,
        "k8s_get_resources",
        { resource_type: "pods" },
        { signal: caller.signal },
      );
      await assert.rejects(call, /^Error: gone$/);
    });

    it("throws what is no failure of the cluster: a fault of ours is not told as one", async () => {
      const broken = altered({ list: () => Promise.reject(new TypeError("bug")) });
      await assert.rejects(callTool(broken, "k8s_get_resources", { resource_type: "pods" }), /bug/);
    });

    it("names API groups that do not answer when a kind is unknown", async () => {
      const partial = altered({
        resources: () => Promise.resolve({ resources: [], unavailable: ["metrics.k8s.io"] }),
      });
      const text = await failureOf(partial, "k8s_get_resources", { resource_type: "podmetrics" });
      assert.match(text, /API groups that do not answer: metrics\.k8s\.io/);
    });

    it("still says which cluster it is when nodes may not be read", async () => {
      const limited = altered({
        list: () => Promise.reject(new ClusterError("forbidden", "nodes is forbidden")),
      });
      const text = await textOf(limited, "k8s_get_cluster_configuration");
      assert.match(text, /Nodes: +not readable/);
    });
  });
});
