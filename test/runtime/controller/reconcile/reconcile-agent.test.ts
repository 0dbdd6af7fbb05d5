import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { RESOURCES } from "../../../../runtime/api/cluster.ts";
import { ClusterError } from "../../../../runtime/api/cluster-reader.ts";
import { callsTo, DEFAULT_MODEL, writtenAgent, writtenServer } from "../kagent-objects.ts";
import { ControllerFixture } from "./controller-fixture.ts";

type Fields = Readonly<Record<string, unknown>>;
const never = new AbortController().signal;

const base64 = (text: string) => Buffer.from(text).toString("base64");
const secret = (data: Readonly<Record<string, string>>): Fields => ({
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
});
const ACCEPTED = "True Reconciled: Agent configuration accepted";

/** A controller that leads over a cluster with a model. */
async function started(): Promise<ControllerFixture> {
  const all = new ControllerFixture();
  await all.put("ModelConfig", "default-model-config", DEFAULT_MODEL);
  await all.start();
  all.recording.taken();
  return all;
}

/** The text of an Agent's files. */
async function files(all: ControllerFixture, name: string): Promise<string> {
  const { data = {} } = ((await all.get("Secret", name)) ?? {}) as {
    data?: Record<string, string>;
  };
  return Object.values(data)
    .map((value) => Buffer.from(value, "base64").toString("utf8"))
    .join("\n");
}

function pod(agent: string, phase: string): Fields {
  return { metadata: { labels: { app: "kagent", kagent: agent } }, status: { phase } };
}

async function runningPod(all: ControllerFixture, agent: string, name: string, phase = "Running") {
  await all.put("Pod", name, pod(agent, phase));
  const key = { namespace: "kagent", name };
  await all.recording.memory.patchStatus(RESOURCES.Pod, key, { phase }, never);
}

/** Each row: what is missing, the Agent's spec, what brings it. */
const WAKE_UPS: readonly (readonly [
  string,
  Fields,
  (all: ControllerFixture) => Promise<unknown>,
  Fields?,
])[] = [
  [
    "the model",
    { modelConfig: "own" },
    (all) =>
      all.put("ModelConfig", "own", { spec: { provider: "Ollama", model: "m", ollama: {} } }),
  ],
  [
    "the summarizer's model",
    { context: { compaction: { summarizer: { modelConfig: "own" } } } },
    (all) =>
      all.put("ModelConfig", "own", { spec: { provider: "Ollama", model: "m", ollama: {} } }),
  ],
  [
    "the embedding model",
    { memory: { modelConfig: "own" } },
    (all) =>
      all.put("ModelConfig", "own", { spec: { provider: "Ollama", model: "m", ollama: {} } }),
  ],
  [
    "the system message",
    { systemMessage: undefined, systemMessageFrom: { type: "ConfigMap", name: "c", key: "k" } },
    (all) => all.put("ConfigMap", "c", { data: { k: "You come late." } }),
  ],
  [
    "the system message's Secret",
    { systemMessage: undefined, systemMessageFrom: { type: "Secret", name: "c", key: "k" } },
    (all) => all.put("Secret", "c", secret({ k: "You come late." })),
  ],
  [
    "a header's Secret",
    {
      tools: [
        {
          type: "McpServer",
          mcpServer: { kind: "RemoteMCPServer", name: "s" },
          headersFrom: [{ name: "X", valueFrom: { type: "Secret", name: "h", key: "k" } }],
        },
      ],
    },
    (all) => all.put("Secret", "h", secret({ k: "v" })),
  ],
  [
    "the key of a Secret",
    {
      tools: [
        {
          type: "McpServer",
          mcpServer: { kind: "RemoteMCPServer", name: "s" },
          headersFrom: [{ name: "X", valueFrom: { type: "Secret", name: "half", key: "k" } }],
        },
      ],
    },
    (all) => all.put("Secret", "half", secret({ k: "v" })),
  ],
  [
    "a tool server",
    { tools: [{ type: "McpServer", mcpServer: { kind: "RemoteMCPServer", name: "late" } }] },
    (all) => all.put("RemoteMCPServer", "late", writtenServer("late")),
  ],
  ["a child Agent", callsTo("child"), (all) => all.put("Agent", "child", writtenAgent("child"))],
  [
    "a namespace's label",
    {
      tools: [
        {
          type: "McpServer",
          mcpServer: { kind: "RemoteMCPServer", name: "far", namespace: "far" },
        },
      ],
    },
    (all) => all.put("Namespace", "kagent", { metadata: { labels: { team: "x" } } }),
  ],
  [
    "a Service",
    { tools: [{ type: "McpServer", mcpServer: { kind: "Service", name: "mcp" } }] },
    (all) =>
      all.put("Service", "mcp", {
        metadata: { labels: { "kagent.dev/mcp-service": "true" } },
        spec: { ports: [{ port: 80 }] },
      }),
  ],
];

describe("runtime/controller/reconcile/reconcileAgent", () => {
  it("accepts an Agent without a model as soon as there is the default one, all conditions in one pass", async () => {
    const all = new ControllerFixture();
    await all.put("Agent", "a", writtenAgent("a"));
    await all.start();
    assert.equal(
      await all.condition("Agent", "a", "Accepted"),
      "False ReconcileFailed: spec.declarative.modelConfig: ModelConfig kagent/default-model-config does not exist",
    );
    assert.equal(
      await all.condition("Agent", "a", "Ready"),
      'Unknown DeploymentNotFound: deployments.apps "a" not found',
    );
    assert.deepEqual(all.recording.taken(), ["status Agent kagent/a"]);
    await all.put("ModelConfig", "default-model-config", DEFAULT_MODEL);
    await all.settle();
    assert.equal(await all.condition("Agent", "a", "Accepted"), ACCEPTED);
    assert.equal(
      await all.condition("Agent", "a", "Ready"),
      "False DeploymentNotReady: Deployment is not ready, 0/1 pods are ready",
    );
    const statuses = all.recording.taken().filter((write) => write === "status Agent kagent/a");
    assert.equal(statuses.length, 1);
    await all.end();
  });

  it("writes nothing in a second pass, nor in a new process", async () => {
    const all = await started();
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    assert.ok(all.recording.taken().length > 3);
    await all.pass(600_000);
    assert.deepEqual(all.recording.taken(), []);
    await all.end();
    const next = new ControllerFixture({}, all);
    await next.start("two");
    assert.deepEqual(next.recording.taken(), []);
    await next.end();
  });

  for (const [what, declarative, bring] of WAKE_UPS)
    it(`waits for ${what} and goes on when it comes, and no other Agent moves`, async () => {
      const all = await started();
      await all.put("Namespace", "kagent", {});
      await all.put("RemoteMCPServer", "s", writtenServer("s"));
      await all.put("Secret", "half", secret({ other: "v" }));
      const selector = { from: "Selector", selector: { matchLabels: { team: "x" } } };
      const far = writtenServer("far", { allowedNamespaces: selector });
      await all.put("RemoteMCPServer", "far", { spec: far["spec"] }, "far");
      await all.put("Agent", "other", writtenAgent("other"));
      await all.put("Agent", "a", writtenAgent("a", declarative));
      await all.settle();
      assert.match(await all.condition("Agent", "a", "Accepted"), /^False ReconcileFailed: spec\./);
      assert.equal(await all.get("Deployment", "a"), undefined);
      const other = await all.get("Agent", "other");
      await all.pass(59_000);
      all.recording.taken();
      await bring(all);
      await all.settle();
      assert.equal(await all.condition("Agent", "a", "Accepted"), ACCEPTED);
      assert.ok((await all.get("Deployment", "a")) !== undefined);
      assert.deepEqual(await all.get("Agent", "other"), other);
      assert.ok(!all.recording.taken().some((write) => write.endsWith("/other")));
      await all.end();
    });

  it("brings a new prompt to running pods by the Secret alone", async () => {
    const all = await started();
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    await runningPod(all, "a", "running");
    await runningPod(all, "a", "pending", "Pending");
    await runningPod(all, "other", "foreign");
    await all.settle();
    const deployment = await all.get("Deployment", "a");
    const before = await all.get("Pod", "running");
    all.recording.taken();
    await all.put("Agent", "a", writtenAgent("a", { systemMessage: "You are new." }));
    await all.settle();
    assert.match(await files(all, "a"), /You are new\./);
    assert.deepEqual(all.recording.taken(), [
      "apply Secret kagent/a",
      "apply Pod kagent/running",
      "status Agent kagent/a",
    ]);
    assert.deepEqual(await all.get("Deployment", "a"), deployment);
    const after = await all.get("Pod", "running");
    assert.equal(after?.metadata.uid, before?.metadata.uid);
    const key = "kagent.dev/config-revision";
    assert.notEqual(after?.metadata.annotations?.[key], before?.metadata.annotations?.[key]);
    await all.end();
  });

  it("brings a rotated header to running pods by the Secret alone", async () => {
    const all = await started();
    await all.put("RemoteMCPServer", "s", writtenServer("s"));
    const headersFrom = [{ name: "X", valueFrom: { type: "Secret", name: "h", key: "k" } }];
    const mcpServer = { kind: "RemoteMCPServer", name: "s" };
    await all.put("Secret", "h", secret({ k: "first-value" }));
    const tools = [{ type: "McpServer", mcpServer, headersFrom }];
    await all.put("Agent", "a", writtenAgent("a", { tools }));
    await all.settle();
    await runningPod(all, "a", "running");
    await all.settle();
    assert.match(await files(all, "a"), /first-value/);
    const deployment = await all.get("Deployment", "a");
    all.recording.taken();
    await all.put("Secret", "h", secret({ k: "second-value" }));
    await all.settle();
    assert.match(await files(all, "a"), /second-value/);
    assert.deepEqual(all.recording.taken(), ["apply Secret kagent/a", "apply Pod kagent/running"]);
    assert.deepEqual(await all.get("Deployment", "a"), deployment);
    await all.end();
  });

  it("tells a pod that starts late of the configuration of that time", async () => {
    const all = await started();
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    await runningPod(all, "a", "p", "Pending");
    await all.settle();
    all.recording.taken();
    await runningPod(all, "a", "p");
    await all.settle();
    assert.deepEqual(all.recording.taken(), ["apply Pod kagent/p"]);
    await all.end();
  });

  it("follows its Deployment", async () => {
    const all = await started();
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    const key = { namespace: "kagent", name: "a" };
    const say = async (status: Fields) => {
      await all.recording.memory.patchStatus(RESOURCES.Deployment, key, status, never);
      await all.settle();
      return await all.condition("Agent", "a", "Ready");
    };
    assert.equal(await say({ availableReplicas: 1 }), "True DeploymentReady: Deployment is ready");
    assert.match(await say({ availableReplicas: 0 }), /^False DeploymentNotReady: .* 0\/1 pods/);
    await all.delete("Deployment", "a");
    assert.match(await all.condition("Agent", "a", "Ready"), /^False DeploymentNotReady/);
    await all.end();
  });

  it("puts right what somebody changed by hand", async () => {
    const all = await started();
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    const before = await all.get("Service", "a");
    await all.put("Service", "a", { ...before, spec: { ports: [{ name: "http", port: 9 }] } });
    await all.settle();
    assert.deepEqual((await all.get("Service", "a"))?.["spec"], before?.["spec"]);
    await all.end();
  });

  it("takes away what it no longer wants", async () => {
    const all = await started();
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    assert.ok((await all.get("ServiceAccount", "a")) !== undefined);
    await all.put(
      "Agent",
      "a",
      writtenAgent("a", { deployment: { serviceAccountName: "shared" } }),
    );
    await all.settle();
    assert.equal(await all.get("ServiceAccount", "a"), undefined);
    assert.ok((await all.get("Deployment", "a")) !== undefined);
    await all.end();
  });

  it("refuses the members of a circle, and takes them back when it opens", async () => {
    const all = await started();
    await all.put("Agent", "a", writtenAgent("a", callsTo("b")));
    await all.put("Agent", "b", writtenAgent("b", callsTo("c")));
    await all.put("Agent", "c", writtenAgent("c", callsTo("a")));
    await all.settle();
    for (const name of ["a", "b", "c"])
      assert.match(
        await all.condition("Agent", name, "Accepted"),
        /in a circle: kagent\/a -> kagent\/b -> kagent\/c -> kagent\/a/,
      );
    await all.put("Agent", "c", writtenAgent("c"));
    await all.settle();
    for (const name of ["a", "b", "c"])
      assert.equal(await all.condition("Agent", name, "Accepted"), ACCEPTED);
    await all.end();
  });

  it("names tools that their server does not have, and those nobody asked for yet", async () => {
    const all = await started();
    await all.put("RemoteMCPServer", "s", writtenServer("s"));
    const mcpServer = { kind: "RemoteMCPServer", name: "s", toolNames: ["one", "two", "three"] };
    await all.put("Agent", "a", writtenAgent("a", { tools: [{ type: "McpServer", mcpServer }] }));
    await all.settle();
    const said = () => all.condition("Agent", "a", "ToolsResolved");
    assert.equal(await said(), "Unknown ToolsNotDiscovered: not known yet: the tools of kagent/s");
    all.tools.set("s", ["one"]);
    await all.put("RemoteMCPServer", "s", writtenServer("s", { url: "http://other/mcp" }));
    await all.settle();
    assert.equal(await said(), "False UnknownTools: kagent/s has no tool two, three");
    all.tools.set("s", ["three", "two", "one"]);
    await all.pass(66_000);
    assert.equal(await said(), "True ToolsResolved: Every tool exists");
    await all.end();
  });

  it("says what it ignores, and stops when nothing is left of it", async () => {
    const all = await started();
    const skills = { refs: ["registry/skill:1"] };
    await all.put("Agent", "a", writtenAgent("a", {}, { skills }));
    await all.settle();
    assert.match(
      await all.condition("Agent", "a", "UnsupportedFeatures"),
      /^True UnsupportedFeatures: ignored: spec\.skills/,
    );
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    assert.equal(await all.condition("Agent", "a", "UnsupportedFeatures"), "-");
    await all.end();
  });

  it("tells what is wrong with an object that was let in long ago, and keeps what runs it", async () => {
    const all = await started();
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    const deployment = await all.get("Deployment", "a");
    await all.put("Agent", "a", writtenAgent("a", { stream: "yes" }));
    await all.put("ModelConfig", "m", { spec: { model: 7 } });
    await all.put("RemoteMCPServer", "s", { spec: {} });
    await all.put("ModelProviderConfig", "p", { spec: {} });
    await all.settle();
    assert.match(
      await all.condition("Agent", "a", "Accepted"),
      /^False .*spec\.declarative\.stream/,
    );
    assert.match(
      await all.condition("ModelConfig", "m", "Accepted"),
      /^False ModelConfigReconcileFailed: spec\.model/,
    );
    assert.match(await all.condition("RemoteMCPServer", "s", "Accepted"), /^False ReconcileFailed/);
    assert.match(await all.condition("ModelProviderConfig", "p", "Ready"), /^False NotReady/);
    assert.deepEqual(await all.get("Deployment", "a"), deployment);
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    assert.equal(await all.condition("Agent", "a", "Accepted"), ACCEPTED);
    await all.end();
  });

  it("records an Event when an Agent comes to be refused, once", async () => {
    const all = await started();
    await all.put("Agent", "a", writtenAgent("a", callsTo("nobody")));
    await all.settle();
    await all.pass(600_000);
    const events = await all.all("Event");
    assert.deepEqual(
      events.map((event) => [event["type"], event["reason"], event["count"]]),
      [["Warning", "ReconcileFailed", 1]],
    );
    assert.match(String(events[0]?.["message"]), /Agent kagent\/nobody does not exist/);
    await all.end();
  });

  it("leaves an object of somebody else alone, and goes on when it is gone", async () => {
    const all = await started();
    await all.put("Secret", "a", secret({ password: "theirs" }));
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    assert.match(await all.condition("Agent", "a", "Accepted"), /^False .*Secret kagent\/a exists/);
    assert.equal(await files(all, "a"), "theirs");
    await all.delete("Secret", "a");
    await all.pass(60_000);
    assert.equal(await all.condition("Agent", "a", "Accepted"), ACCEPTED);
    await all.end();
  });

  it("does not try again what the server refuses, and tries again what fails on the way", async () => {
    const all = await started();
    let refusal: ClusterError | undefined = new ClusterError("invalid", "spec.replicas: too many");
    all.recording.failure = (write) => (write.startsWith("apply Deployment") ? refusal : undefined);
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    assert.match(await all.condition("Agent", "a", "Accepted"), /^False .*too many/);
    all.recording.taken();
    await all.pass(300_000);
    assert.deepEqual(all.recording.taken(), []);
    refusal = new ClusterError("unreachable", "connection reset");
    await all.put("Agent", "a", writtenAgent("a", { systemMessage: "Again." }));
    await all.settle();
    all.recording.taken();
    await all.pass(10_000);
    const tries = all.recording.taken().length;
    assert.ok(tries >= 3 && tries <= 10, String(tries));
    refusal = undefined;
    await all.pass(60_000);
    assert.equal(await all.condition("Agent", "a", "Accepted"), ACCEPTED);
    await all.end();
  });

  it("goes with everything it had, and nothing comes back", async () => {
    const all = await started();
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    await all.delete("Agent", "a");
    for (const kind of ["Secret", "Deployment", "Service", "ServiceAccount"] as const)
      assert.deepEqual(await all.all(kind), [], kind);
    all.recording.taken();
    await all.pass(600_000);
    assert.deepEqual(all.recording.taken(), []);
    await all.end();
  });

  it("brings nothing back of an Agent that goes in the middle of a pass", async () => {
    const all = await started();
    const { cluster, memory } = all.recording;
    const apply = cluster.apply.bind(cluster);
    cluster.apply = async (type, object, options, signal) => {
      const applied = await apply(type, object, options, signal);
      if (type.kind !== "Deployment") return applied;
      await memory.delete(RESOURCES.Agent, { namespace: "kagent", name: "a" }, never);
      // The answer comes after the news of it.
      await new Promise((resolve) => setImmediate(resolve));
      return applied;
    };
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    const writes = all.recording.taken();
    assert.equal(writes.at(-1), "apply Deployment kagent/a");
    await all.pass(600_000);
    assert.equal(await all.get("Agent", "a"), undefined);
    for (const kind of ["Secret", "Deployment", "Service", "ServiceAccount"] as const)
      assert.deepEqual(await all.all(kind), [], kind);
    await all.end();
  });

  it("comes to the same end whichever write a process dies at", async () => {
    const scenario = async (failAt: number) => {
      const all = new ControllerFixture();
      await all.put("ModelConfig", "default-model-config", DEFAULT_MODEL);
      await all.put("Agent", "a", writtenAgent("a"));
      let count = 0;
      all.recording.failure = () =>
        ++count >= failAt ? new ClusterError("unreachable", "the process died") : undefined;
      await all.start();
      await runningPod(all, "a", "p");
      await all.put("Agent", "a", writtenAgent("a", { systemMessage: "You are new." }));
      await all.settle();
      const died = count >= failAt;
      await all.end();
      all.recording.failure = () => undefined;
      const next = new ControllerFixture({}, all);
      await next.start("two");
      const state = await Promise.all(
        (["Agent", "Secret", "Deployment", "Service", "ServiceAccount", "Pod"] as const).map(
          (kind) => next.all(kind),
        ),
      );
      await next.end();
      const plain = state.flat().map(({ kind, metadata, spec, status, data }) => {
        const { name, annotations } = metadata;
        const { conditions = [] } = (status ?? {}) as { conditions?: { message: string }[] };
        return [kind, name, annotations, spec, data, conditions.map(({ message }) => message)];
      });
      return { died, plain };
    };
    const undisturbed = await scenario(Number.POSITIVE_INFINITY);
    for (let failAt = 1; ; failAt++) {
      const { died, plain } = await scenario(failAt);
      assert.deepEqual(plain, undisturbed.plain, `dead from write ${failAt} on`);
      if (!died) break;
      assert.ok(failAt < 100);
    }
  });
});
