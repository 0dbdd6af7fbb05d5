import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { EnvelopeAnswer } from "../../../runtime/api/envelope.ts";
import { envelopeAnswerJsonSchema } from "../../../runtime/api/envelope-markdown.ts";
import type { ChatMessage } from "../../../runtime/model/chat-model.ts";
import { offlineModel } from "../../../runtime/model/offline.ts";
import { chatModelContract, readAll, textIn } from "./chat-model-contract.ts";
import { playTurn, type TestTool, testTool } from "./offline/agent-turn.ts";
import {
  clusterTools,
  listText,
  podEvent,
  podObject,
  type TestPod,
} from "./offline/test-cluster.ts";

const open = new AbortController().signal;
const LABEL = "offline (stand-in, no language model)";

const CRASHING: TestPod = {
  namespace: "shop",
  name: "checkout-7d9f8c-abcde",
  owner: "checkout-7d9f8c",
  waiting: { reason: "CrashLoopBackOff", message: "back-off 5m0s" },
  last: { reason: "Error", exitCode: 1 },
  restarts: 14,
};
const TWIN: TestPod = { ...CRASHING, name: "checkout-7d9f8c-fghij", restarts: 13 };
const KILLED: TestPod = {
  namespace: "payments",
  name: "gateway-0",
  waiting: { reason: "CrashLoopBackOff" },
  last: { reason: "OOMKilled", exitCode: 137 },
  restarts: 3,
  memoryLimit: "256Mi",
};
const UNPULLED: TestPod = {
  namespace: "payments",
  name: "invoice-1",
  waiting: { reason: "ImagePullBackOff", message: "manifest unknown" },
};
const WAITING: TestPod = {
  namespace: "batch",
  name: "report-1",
  unschedulable: "0/3 nodes are available: 3 Insufficient memory.",
};
const WELL: TestPod = { namespace: "web", name: "front-1" };
const RECOVERED: TestPod = {
  namespace: "web",
  name: "front-2",
  last: { reason: "Error", exitCode: 2 },
  restarts: 40,
};

const PODS = [CRASHING, TWIN, KILLED, UNPULLED, WAITING, WELL];
const LOG = "starting\nfatal: config: PAYMENTS_API_URL is not set\n";
const EVENTS = [
  podEvent(UNPULLED, "Failed", "Failed to pull image: manifest unknown", 8),
  podEvent(UNPULLED, "BackOff", "Back-off pulling image", 30),
  podEvent(WAITING, "FailedScheduling", "0/3 nodes are available: 3 Insufficient memory."),
];
const CLUSTER = clusterTools(
  { pods: PODS.map(podObject), events: EVENTS },
  { [CRASHING.name]: LOG, [KILLED.name]: "warn heap above 95% of limit\n" },
);

chatModelContract("runtime/model/offline", async () => ({
  model: offlineModel(),
  toolRequest: {
    messages: [{ role: "user", text: "Which pods are failing?" }],
    tools: CLUSTER.slice(0, 1),
  },
  toolResult: listText([podObject(CRASHING)]),
  mentions: /checkout-7d9f8c-abcde.*CrashLoopBackOff/,
  idle: async () => {},
  close: async () => {},
}));

describe("runtime/model/offline", () => {
  const model = offlineModel();
  const play = (
    question: string,
    tools: readonly TestTool[],
    before: readonly ChatMessage[] = [],
  ) => playTurn(model, question, tools, before);

  it("says what it is in its label and in the last line of each answer", async () => {
    assert.equal(model.label, LABEL);
    for (const [question, tools] of [
      ["Which pods are failing?", CLUSTER],
      ["Hello", CLUSTER],
      ["Hello", []],
    ] as const) {
      const { text } = await play(question, tools);
      assert.ok(text.split("\n").at(-1)?.includes(LABEL), text);
    }
  });

  describe("asked which pods fail and why", () => {
    it("names every failing pod with its reason, and no other", async () => {
      const { text } = await play("Which pods are failing and why?", CLUSTER);
      for (const { namespace, name } of [CRASHING, TWIN, KILLED, UNPULLED, WAITING])
        assert.ok(text.includes(`${namespace}/${name}`), name);
      assert.ok(!text.includes(WELL.name));
      assert.match(text, /5 of 6 pods need attention in cluster demo/);
      for (const reason of ["CrashLoopBackOff", "OOMKilled", "ImagePullBackOff", "Unschedulable"])
        assert.ok(text.includes(reason), reason);
    });

    it("takes the causes from logs, events and status", async () => {
      const { text } = await play("Which pods are failing and why?", CLUSTER);
      assert.match(text, /by its log: fatal: config: PAYMENTS_API_URL is not set/);
      assert.match(text, /more memory than its limit of 256Mi/);
      assert.match(text, /cannot be pulled: manifest unknown/);
      assert.match(text, /`FailedScheduling: 0\/3 nodes are available/);
    });

    it("reads events and logs of failing pods only, together, one log for each workload", async () => {
      const { steps } = await play("Which pods are failing and why?", CLUSTER);
      assert.equal(steps.length, 2);
      assert.deepEqual(
        steps[0]?.map(({ args }) => args),
        [{ resource_type: "pods", all_namespaces: true, output: "json" }],
      );
      const logs = steps[1]?.filter(({ name }) => name.endsWith("logs"));
      assert.deepEqual(
        logs?.map(({ args }) => args),
        [
          {
            pod_name: KILLED.name,
            namespace: "payments",
            container: "main",
            tail_lines: 40,
            previous: true,
          },
          {
            pod_name: CRASHING.name,
            namespace: "shop",
            container: "main",
            tail_lines: 40,
            previous: true,
          },
        ],
      );
    });

    it("keeps to the pods and namespaces that the question names", async () => {
      const one = await play("Why is checkout restarting?", CLUSTER);
      assert.match(one.text, /^2 of 2 pods/);
      assert.ok(!one.text.includes("gateway-0"));
      const two = await play("What is wrong in namespace payments?", CLUSTER);
      assert.match(two.text, /^2 of 2 pods/);
      assert.equal(two.calls[0]?.args["namespace"], "payments");
      const three = await play("Are the pods in payments healthy?", CLUSTER);
      assert.match(three.text, /^2 of 2 pods/);
    });

    it("says that all is well only when it saw so", async () => {
      const tools = clusterTools({ pods: [podObject(WELL)], events: [] });
      const { text } = await play("Which pods are failing?", tools);
      assert.match(text, /^1 pod runs and is ready in cluster demo/);
    });

    it("counts restarts of long ago only where the tool does", async () => {
      const items = [podObject(CRASHING), podObject(RECOVERED)];
      const answer = (extra: object) => [{ ...CLUSTER[0]!, answer: () => listText(items, extra) }];
      const judged = await play("Which pods are failing?", answer({ total: 2, unhealthy: 1 }));
      assert.ok(!judged.text.includes("front-2"));
      const plain = await play("Which pods are failing?", answer({}));
      assert.match(plain.text, /front-2.*Restarting/);
    });

    it("reads a list that was cut in its middle and a table for what is missing", async () => {
      const lines = PODS.map((pod) => JSON.stringify(podObject(pod))).join(",\n");
      const whole = `# demo cluster "demo" (stand-in data, not a real cluster)\n{"kind":"List","total":6,"unhealthy":5,"items":[\n${lines}\n]}`;
      const cut = `${whole.slice(0, 1500)}\n[... 999 bytes left out ...]\n${whole.slice(-900)}`;
      const table = [
        "NAMESPACE   NAME                    READY   STATUS             RESTARTS   AGE   REASON",
        "shop        checkout-7d9f8c-abcde   0/1     CrashLoopBackOff   14 (2m ago)   3d   main: exit code 1",
        "shop        checkout-7d9f8c-fghij   0/1     CrashLoopBackOff   13   3d   -",
        "payments    gateway-0               0/1     CrashLoopBackOff   3    3d   main: last run ended with OOMKilled",
        "payments    invoice-1               0/1     ImagePullBackOff   0    3d   manifest unknown",
        "batch       report-1                0/1     Pending            0    3d   Insufficient memory",
        "web         front-1                 1/1     Running            0    3d   -",
      ].join("\n");
      const list = testTool(
        "k8s-tools-demo_k8s_get_resources",
        ({ output }) => (output === "wide" ? table : cut),
        CLUSTER[0]!.inputSchema["properties"] as Record<string, unknown>,
      );
      const { text, calls } = await play("Which pods are failing?", [list, ...CLUSTER.slice(1)]);
      assert.deepEqual(
        calls.slice(0, 2).map(({ args }) => args["output"]),
        ["json", "wide"],
      );
      for (const pod of [CRASHING, TWIN, KILLED, UNPULLED, WAITING])
        assert.ok(text.includes(`${pod.namespace}/${pod.name}`), pod.name);
      assert.ok(!text.includes("front-1"));
      assert.match(text, /stand-in data, not a real cluster/);
    });

    it("says which calls failed and does not guess", async () => {
      const tools = [
        testTool("k8s-tools-demo_k8s_get_resources", "Error: the cluster does not answer"),
      ];
      const { text } = await play("Which pods are failing?", tools);
      assert.match(text, /nothing can be said/);
      assert.match(text, /the cluster does not answer/);
    });
  });

  it("finds what Flux could not apply, and why", async () => {
    const flux = (kind: string, name: string, ready: boolean, extra: object = {}) => ({
      kind,
      metadata: { name, namespace: "flux-system" },
      spec: extra,
      status: {
        conditions: [
          {
            type: "Ready",
            status: ready ? "True" : "False",
            reason: ready ? "Applied" : "BuildFailed",
            message: ready ? "Applied revision: main@sha1:1" : "kustomization.yaml: no such file",
          },
        ],
      },
    });
    const tools = clusterTools({
      "kustomizations.kustomize.toolkit.fluxcd.io": [
        flux("Kustomization", "apps", false),
        flux("Kustomization", "infra", true),
        flux("Kustomization", "held", false, { suspend: true }),
      ],
      "helmreleases.helm.toolkit.fluxcd.io": [flux("HelmRelease", "grafana", true)],
    });
    const { text, steps } = await play("Is Flux synced?", tools);
    assert.equal(steps[0]?.length, 2);
    assert.match(
      text,
      /^Flux is not in sync: 1 of 4 objects is not ready: Kustomization flux-system\/apps\. 1 of them is suspended/,
    );
    assert.match(text, /BuildFailed: kustomization\.yaml: no such file/);
  });

  it("tells a failed call of a stand-in by its reason, not by its label", async () => {
    const answer = 'Error: # demo cluster "demo" (stand-in data)\nno such kind';
    const { text } = await play("Is Flux synced?", [{ ...CLUSTER[0]!, answer: () => answer }]);
    assert.match(text, /k8s_get_resources`: no such kind/);
    assert.match(text, /^Data: demo cluster "demo" \(stand-in data\)$/m);
  });

  it("does not call Flux in sync when its objects could not be read", async () => {
    const { text } = await play("Is Flux synced?", clusterTools({}));
    assert.match(text, /^Whether Flux is in sync is unknown/);
    assert.match(text, /unknown resource type/);
  });

  it("lists objects of the kinds in question, those in trouble first", async () => {
    const deployment = (name: string, ready: number) => ({
      kind: "Deployment",
      metadata: { name, namespace: "shop" },
      spec: { replicas: 2 },
      status: { readyReplicas: ready },
    });
    const tools = clusterTools({ deployments: [deployment("cart", 2), deployment("checkout", 0)] });
    const { text, calls } = await play("List the deployments in the shop namespace", tools);
    assert.deepEqual(calls[0]?.args, {
      resource_type: "deployments",
      namespace: "shop",
      output: "json",
    });
    assert.match(text, /2 Deployment objects, of which 1 needs attention: checkout/);
    assert.ok(
      text.indexOf("| shop | checkout | 0/2 ready |") < text.indexOf("| shop | cart | 2/2 ready |"),
    );
  });

  it("asks the cluster that the question names", async () => {
    const tools = [
      ...clusterTools({ nodes: [] }, {}, "services-amer"),
      ...clusterTools({ nodes: [] }, {}, "edge-emea"),
    ];
    const { calls } = await play("Are the nodes of edge-emea healthy?", tools);
    assert.deepEqual(
      calls.map(({ name }) => name),
      ["k8s-tools-edge-emea_k8s_get_resources"],
    );
  });

  it("takes up the question before in a follow-up", async () => {
    const first = await play("Which pods are failing?", CLUSTER);
    const { calls } = await play("And in namespace payments?", CLUSTER, first.messages);
    assert.deepEqual(calls[0]?.args, {
      resource_type: "pods",
      namespace: "payments",
      output: "json",
    });
  });

  describe("other tools", () => {
    const rows: readonly (readonly [
      string,
      TestTool,
      Readonly<Record<string, unknown>>,
      RegExp,
    ])[] = [
      [
        "What is the CPU usage by namespace?",
        testTool(
          "grafana_query_prometheus",
          JSON.stringify({
            data: {
              resultType: "vector",
              result: [
                { metric: { namespace: "web" }, value: [1, "0.5"] },
                { metric: { namespace: "shop" }, value: [1, "1500"] },
              ],
            },
          }),
          { expr: { type: "string" } },
          ["expr"],
        ),
        { expr: "sum by (namespace) (rate(container_cpu_usage_seconds_total[5m]))" },
        /highest is \{namespace="shop"\} at 1\.5k/,
      ],
      [
        "Query `up == 0` in Prometheus",
        testTool("grafana_query_prometheus", '{"data":{"result":[]}}', {
          query: { type: "string" },
        }),
        { query: "up == 0" },
        /No values were found for the query up == 0/,
      ],
      [
        "Show error logs in namespace shop from Loki",
        testTool(
          "grafana_query_loki_logs",
          JSON.stringify([{ timestamp: "1", line: "error: boom", labels: { app: "checkout" } }]),
          { logql: { type: "string" } },
        ),
        { logql: '{namespace="shop"} |~ "(?i)(error|exception|fatal|panic)"' },
        /\[checkout\] error: boom/,
      ],
      [
        "Which alerts are firing?",
        testTool(
          "grafana_list_alert_rules",
          JSON.stringify([
            { title: "HighErrorRate", state: "firing", labels: { severity: "critical" } },
            { title: "DiskFull", state: "inactive" },
          ]),
        ),
        {},
        /2 alert rules, 1 firing: HighErrorRate/,
      ],
      [
        "What is over-provisioned in the last 3 days?",
        testTool(
          "opencost-demo_get_efficiency",
          JSON.stringify({
            data: [
              { name: "shop", totalEfficiency: 0.12, totalCost: 30.5 },
              { name: "web", totalEfficiency: 0.5, totalCost: 12 },
              { name: "payments", totalEfficiency: 0.93, totalCost: 9 },
            ],
          }),
          { window: { type: "string" }, aggregate: { type: "string" } },
          ["window"],
        ),
        { window: "3d", aggregate: "namespace" },
        /over-provisioned: shop\.[\s\S]*payments`\*\* \(warning\): under-provisioned: 93 %/,
      ],
      [
        "Which Helm releases are there?",
        testTool(
          "helm-tools-demo_helm_list_releases",
          "NAME      NAMESPACE   REVISION   STATUS     CHART\nloki      logs        3          deployed   loki-6\nbatch     jobs        4          failed     batch-1",
          { all_namespaces: { type: "string" } },
        ),
        { all_namespaces: "true" },
        /2 Helm releases, 1 not deployed: batch/,
      ],
      [
        "List open pull requests",
        testTool(
          "github_list_pull_requests",
          JSON.stringify([{ number: 7, title: "Raise limits", state: "open" }]),
          { state: { type: "string" } },
        ),
        { state: "open" },
        /1 pull request found[\s\S]*Raise limits/,
      ],
      [
        "What time is it in Tokyo?",
        testTool("code_get_current_time", "11:00 in Tokyo", { timezone: { type: "string" } }),
        { timezone: "Asia/Tokyo" },
        /^11:00 in Tokyo/,
      ],
      [
        "Remember that payments owns the ledger",
        testTool("code_add_memory", "remembered", { content: { type: "string" } }, ["content"]),
        { content: "payments owns the ledger" },
        /^remembered/,
      ],
      [
        "What do you know about the ledger?",
        testTool(
          "code_search_memories",
          "- payments owns the ledger",
          { query: { type: "string" } },
          ["query"],
        ),
        { query: "ledger" },
        /1 memory found[\s\S]*payments owns the ledger/,
      ],
    ];
    for (const [question, tool, args, expected] of rows)
      it(`uses ${tool.name} for ${JSON.stringify(question)}`, async () => {
        const { calls, text } = await play(question, [tool]);
        assert.deepEqual(
          calls.map(({ args: own }) => own),
          [args],
        );
        assert.match(text, expected);
      });

    it("leaves a tool alone that wants what the question does not hold", async () => {
      const tool = testTool("github_list_pull_requests", "[]", { owner: { type: "string" } }, [
        "owner",
      ]);
      assert.equal((await play("List open pull requests", [tool])).calls.length, 0);
    });

    it("hands a question to the agent whose description fits it, and reports its answer once labelled", async () => {
      const agent = (name: string, description: string) => ({
        ...testTool(
          `kagent__NS__${name}`,
          `The ${name} found 3 pods.\n\n_${LABEL}: as always._`,
          { request: { type: "string" } },
          ["request"],
        ),
        description,
      });
      const { calls, text } = await play("Which pods of the cluster crash?", [
        agent("git_agent", "Reads repositories and opens pull requests."),
        agent("cluster_agent", "Looks into Kubernetes clusters: pods, events, logs."),
      ]);
      assert.deepEqual(
        calls.map(({ name, args }) => [name, args]),
        [["kagent__NS__cluster_agent", { request: "Which pods of the cluster crash?" }]],
      );
      assert.match(text, /^cluster-agent answered: The cluster_agent found 3 pods\./);
      assert.equal(text.split(LABEL).length, 2);
    });

    it("without tools orders what the message says", async () => {
      const { text } = await play(
        "Alert PodDown\npod gateway-0 was OOMKilled\nlimit 256Mi, OOMKilled again\nreadiness probe failed",
        [],
      );
      assert.match(text, /most likely a container needs more memory.*2 lines/);
      assert.match(text, /1\. a container needs more memory[^\n]*\n2\. a probe fails/);
    });

    it("tells what it could do when nothing fits, and calls nothing", async () => {
      const { text, calls } = await play("Write me a poem", CLUSTER);
      assert.equal(calls.length, 0);
      assert.match(text, /k8s_get_pod_logs/);
    });
  });

  describe("with a format", () => {
    const formatted = async (
      messages: readonly ChatMessage[],
      format: Readonly<Record<string, unknown>>,
    ) =>
      JSON.parse(
        textIn(await readAll(model.chat({ messages, tools: [], format }, open))),
      ) as unknown;

    it("answers an envelope from the results of the turn", async () => {
      const { messages } = await play("Which pods are failing and why?", CLUSTER);
      for (const last of [
        [],
        [{ role: "user" as const, text: "Answer as JSON that fits the schema." }],
      ]) {
        const value = await formatted([...messages, ...last], envelopeAnswerJsonSchema());
        const envelope = EnvelopeAnswer.parse(value);
        assert.equal(envelope.severity, "critical");
        assert.equal(envelope.data.scope.cluster, "demo");
        assert.equal(envelope.data.issues.length, 5);
        assert.match(
          envelope.data.issues.find((each) => each.resource_name === CRASHING.name)?.evidence ?? "",
          /PAYMENTS_API_URL/,
        );
        assert.equal(envelope.data.resources["Pod"]?.items.length, 5);
        assert.match(envelope.recommended_action, /gateway-0/);
        assert.ok(envelope.summary.includes(LABEL));
      }
    });

    it("answers an envelope when no tool was called", async () => {
      const value = await formatted([{ role: "user", text: "Hi" }], envelopeAnswerJsonSchema());
      assert.equal(EnvelopeAnswer.parse(value).data.issues.length, 0);
    });

    it("keeps an answer that needed no tool", async () => {
      const { messages } = await play("Write me a poem", CLUSTER);
      const value = await formatted(messages, envelopeAnswerJsonSchema());
      assert.match(
        EnvelopeAnswer.parse(value).summary,
        /^None of the fixed rules fits this question/,
      );
    });

    it("answers any other schema with a value that fits", async () => {
      const value = await formatted([{ role: "user", text: "pod a was OOMKilled" }], {
        type: "object",
        properties: {
          verdict: { enum: ["ignore", "oomkilled"] },
          confidence: { type: "number", minimum: 0.5, maximum: 1 },
          summary: { type: "string", maxLength: 20 },
          tags: { type: "array", items: { type: "string" }, minItems: 1 },
          extra: { type: "string" },
        },
        required: ["verdict", "confidence", "tags"],
      });
      assert.deepEqual(value, {
        verdict: "oomkilled",
        confidence: 0.5,
        summary: "By what the message ",
        tags: [""],
      });
    });
  });

  it("answers with what it has when twelve calls were made", async () => {
    const name = CLUSTER[0]!.name;
    const past = Array.from({ length: 12 }, (_, index) => ({
      id: `c${index}`,
      name,
      args: { resource_type: "pods", output: `${index}` },
    }));
    const messages: ChatMessage[] = [
      { role: "user", text: "Which pods are failing and why?" },
      { role: "assistant", text: "", toolCalls: past },
      ...past.map(({ id }) => ({
        role: "tool" as const,
        callId: id,
        name,
        text: listText([podObject(CRASHING)]),
      })),
    ];
    const text = textIn(await readAll(model.chat({ messages, tools: CLUSTER }, open)));
    assert.match(text, /checkout-7d9f8c-abcde/);
  });

  it("ends every turn within twelve calls, none twice, whatever the tools answer", async () => {
    const words = [
      "pods",
      "failing",
      "flux",
      "helm",
      "release",
      "logs",
      "events",
      "yaml",
      "checkout",
    ];
    const more = [
      "namespace shop",
      "cost",
      "cpu",
      "alerts",
      "why",
      "deployment cart",
      "set replicas to 3",
    ];
    const json = fc.json({ maxDepth: 4 });
    const list = listText(PODS.map(podObject));
    const answer = fc.oneof(
      fc.string({ maxLength: 200 }),
      json,
      json.map((text) => `{"items":[${text}]}`),
      fc
        .tuple(fc.nat(list.length), fc.nat(list.length))
        .map(([a, b]) => `${list.slice(0, a)}\n[... 9 bytes left out ...]\n${list.slice(b)}`),
      fc.constant("NAME   STATUS\na   b\n... 3 rows left out ..."),
      fc.constant("Error: no"),
    );
    const names = [
      "k8s-tools-demo_k8s_get_resources",
      "k8s-tools-demo_k8s_get_events",
      "k8s-tools-demo_k8s_get_pod_logs",
      "k8s-tools-demo_k8s_get_resource_yaml",
      "helm-tools-demo_helm_list_releases",
      "helm-tools-demo_helm_get_values",
      "grafana_query_prometheus",
      "grafana_list_alert_rules",
      "opencost-demo_get_efficiency",
      "github_search_code",
      "github_get_file_contents",
      "github_create_branch",
      "github_create_or_update_file",
      "github_create_pull_request",
      "kagent__NS__git_agent",
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.constantFrom(...words, ...more), fc.string({ maxLength: 20 })), {
          maxLength: 8,
        }),
        fc.subarray(names),
        fc.array(answer, { minLength: 1, maxLength: 6 }),
        async (question, own, answers) => {
          let asked = 0;
          const tools = own.map((name) => ({
            ...testTool(name, () => answers[asked++ % answers.length] ?? ""),
            inputSchema: { type: "object" },
          }));
          const { calls, text } = await play(question.join(" "), tools);
          assert.ok(calls.length <= 12);
          const keys = calls.map(({ name, args }) => `${name} ${JSON.stringify(args)}`);
          assert.equal(new Set(keys).size, keys.length);
          assert.ok(text.includes(LABEL));
        },
      ),
      { numRuns: 300 },
    );
  });
});
