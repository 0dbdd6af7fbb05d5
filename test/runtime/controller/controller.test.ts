import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { Controller } from "../../../runtime/controller/controller.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { prometheusMeter } from "../../../runtime/telemetry/meter.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { DEFAULT_MODEL, writtenAgent, writtenServer } from "./kagent-objects.ts";
import { ControllerFixture } from "./reconcile/controller-fixture.ts";
import { RecordingCluster } from "./reconcile/recording-cluster.ts";

const ACCEPTED = "True Reconciled: Agent configuration accepted";
const ref = (name: string, namespace = "kagent") => ({ namespace, name });

describe("runtime/controller/Controller", () => {
  it("reconciles on one replica and reads on all of them", async () => {
    const all = new ControllerFixture({ leaseName: "kagent-controller" });
    await all.put("ModelConfig", "default-model-config", DEFAULT_MODEL);
    const [one, two] = [await all.start("one"), await all.start("two")];
    const valueFrom = { type: "Secret", name: "h", key: "k" };
    const mcpServer = { kind: "RemoteMCPServer", name: "s" };
    const tools = [{ type: "McpServer", mcpServer, headersFrom: [{ name: "X", valueFrom }] }];
    await all.put("Secret", "h", { data: { k: Buffer.from("v").toString("base64") } });
    await all.put("RemoteMCPServer", "s", writtenServer("s"));
    await all.put("Agent", "a", writtenAgent("a", { tools }));
    await all.settle();
    assert.deepEqual([one.isLeader, two.isLeader], [true, false]);
    const deployments = all.recording.taken().filter((write) => write.includes("Deployment"));
    assert.deepEqual(deployments, ["apply Deployment kagent/a"]);
    for (const { directory } of [one, two]) {
      assert.deepEqual(directory.agent(ref("a"))?.violations, []);
      assert.deepEqual(directory.config(ref("a"))?.toolServers[0]?.server.headers, { x: "v" });
      assert.equal(directory.servers().length, 1);
    }
    await all.end();
  });

  it("hands over within 20 s when the leader is cut off", async () => {
    const all = new ControllerFixture({ leaseName: "kagent-controller" });
    await all.put("ModelConfig", "default-model-config", DEFAULT_MODEL);
    const [one, two] = [await all.start("one"), await all.start("two")];
    const inner = all.recording.cluster.update.bind(all.recording.cluster);
    all.recording.cluster.update = (type, object, signal) =>
      (object["spec"] as { holderIdentity?: string }).holderIdentity === "one"
        ? Promise.reject(new Error("cut off"))
        : inner(type, object, signal);
    for (let second = 0; second < 20; second++) {
      await all.pass(1_000);
      assert.ok(!(one.isLeader && two.isLeader));
    }
    assert.deepEqual([one.isLeader, two.isLeader], [false, true]);
    await all.end();
  });

  it("hands over at once when the leader stops", async () => {
    const all = new ControllerFixture({ leaseName: "kagent-controller" });
    await all.put("ModelConfig", "default-model-config", DEFAULT_MODEL);
    const [one, two] = [await all.start("one"), await all.start("two")];
    await one.stop();
    await all.pass(2_000);
    assert.deepEqual([one.isLeader, two.isLeader], [false, true]);
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    assert.equal(await all.condition("Agent", "a", "Accepted"), ACCEPTED);
    await all.end();
  });

  it("ends what is under way when it loses the lead, and begins anew when it has it again", async () => {
    const all = new ControllerFixture({ leaseName: "kagent-controller" });
    await all.put("ModelConfig", "default-model-config", DEFAULT_MODEL);
    const one = await all.start("one");
    const inner = all.recording.cluster.update.bind(all.recording.cluster);
    all.recording.cluster.update = () => Promise.reject(new Error("cut off"));
    for (let second = 0; second < 20; second++) await all.pass(1_000);
    assert.equal(one.isLeader, false);
    await all.put("Agent", "a", writtenAgent("a"));
    await all.settle();
    assert.equal(await all.condition("Agent", "a", "Accepted"), "-");
    assert.ok(one.directory.config(ref("a")) !== undefined);
    all.recording.cluster.update = inner;
    for (let second = 0; second < 20; second++) await all.pass(1_000);
    assert.equal(one.isLeader, true);
    assert.equal(await all.condition("Agent", "a", "Accepted"), ACCEPTED);
    await all.end();
  });

  it("looks after the namespaces it is told, and after no other", async () => {
    const all = new ControllerFixture({ namespaces: ["n", "m"] });
    for (const namespace of ["n", "m", "other"]) {
      await all.put(
        "ModelConfig",
        "default-model-config",
        { spec: DEFAULT_MODEL["spec"] },
        namespace,
      );
      await all.put("Agent", "a", { spec: writtenAgent("a")["spec"] }, namespace);
    }
    const controller = await all.start();
    for (const namespace of ["n", "m"])
      assert.equal(await all.condition("Agent", "a", "Accepted", namespace), ACCEPTED);
    assert.equal(await all.condition("Agent", "a", "Accepted", "other"), "-");
    assert.deepEqual(
      controller.directory.agents().map((entry) => entry.ref.namespace),
      ["m", "n"],
    );
    await all.end();
  });

  it("counts passes, tools of Agents and who leads, and nothing any more when it stops", async () => {
    const all = new ControllerFixture();
    const meter = await prometheusMeter();
    all.meter = meter;
    all.tools.set("s", ["one", "two", "three"]);
    await all.put("ModelConfig", "default-model-config", DEFAULT_MODEL);
    await all.put("RemoteMCPServer", "s", writtenServer("s"));
    const tools = [{ type: "McpServer", mcpServer: { kind: "RemoteMCPServer", name: "s" } }];
    await all.put("Agent", "a", writtenAgent("a", { tools }));
    await all.start();
    const text = await meter.text();
    assert.match(text, /kagent_agent_tool_count\{agent="a",namespace="kagent"\} 3/);
    assert.match(text, /kagent_reconciles_total\{kind="Agent",result="ok"\} \d/);
    assert.match(text, /kagent_queue_depth\{queue="reconcile"\} 0/);
    assert.match(text, /^kagent_leader 1$/m);
    await all.end();
    assert.doesNotMatch(await meter.text(), /tool_count\{|^kagent_leader 1$/m);
  });

  it("does not start when it is told to stop before", async () => {
    const clock = new FakeClock();
    const { cluster } = new RecordingCluster(clock);
    const stop = new AbortController();
    const controller = new Controller(
      {
        cluster: { ...cluster, list: () => new Promise(() => undefined) },
        clock,
        log: silentLog,
        random: () => 0.5,
        tools: { listTools: () => Promise.resolve([]) },
        models: { list: () => Promise.resolve([]) },
        workloads: {
          delivery: { kind: "image", image: "registry/kagent:1" },
          settings: { controllerUrl: "http://kagent-controller.kagent:8083" },
        },
        agentUrl: () => "http://agent",
      },
      { namespaces: "all", platformNamespace: "kagent", identity: "one" },
    );
    const starting = controller.start(stop.signal);
    stop.abort(new Error("enough"));
    await assert.rejects(starting, /enough/);
    await controller.stop();
    assert.equal(clock.pending, 0);
  });
});
