import assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import { type Cluster, RESOURCES, type StoredObject } from "../../../runtime/api/cluster.ts";
import { ClusterError } from "../../../runtime/api/cluster-reader.ts";
import { EventRecorder } from "../../../runtime/kube/event-recorder.ts";
import { MemoryCluster } from "../../../runtime/kube/memory-cluster.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { configMap } from "./cluster-contract.ts";

const open = new AbortController().signal;
const { ConfigMap, Event } = RESOURCES;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const FAILED = { type: "Warning", reason: "ReconcileFailed", message: "no model" } as const;

describe("runtime/kube/event-recorder", () => {
  let clock: FakeClock;
  let memory: MemoryCluster;
  let recorder: EventRecorder;
  let object: StoredObject;
  let writes: number;
  let failure: Error | undefined;
  let warnings: Readonly<Record<string, unknown>>[];

  beforeEach(async () => {
    clock = new FakeClock();
    let ids = 0;
    memory = new MemoryCluster({ clock, newId: () => `uid-${++ids}` });
    object = await memory.create(ConfigMap, configMap("n", "a", {}), open);
    writes = 0;
    failure = undefined;
    warnings = [];
    const cluster: Pick<Cluster, "apply"> = {
      apply: async (...args) => {
        writes += 1;
        if (failure !== undefined) throw failure;
        return memory.apply(...args);
      },
    };
    recorder = new EventRecorder({
      cluster,
      clock,
      log: { ...silentLog, warn: (_message, fields = {}) => void warnings.push(fields) },
      component: "kagent-controller",
      instance: "pod-1",
    });
  });

  const events = async () => (await memory.list(Event, {}, open)).items;

  it("writes an Event as kubectl describe reads it", async () => {
    recorder.record(object, FAILED);
    await turn();
    const [event] = await events();
    assert.ok(event);
    const { metadata, ...rest } = event;
    assert.equal(metadata.namespace, "n");
    assert.match(metadata.name, /^a\.[0-9a-f]{16}$/);
    assert.deepEqual(rest, {
      apiVersion: "v1",
      kind: "Event",
      involvedObject: {
        apiVersion: "v1",
        kind: "ConfigMap",
        name: "a",
        namespace: "n",
        uid: "uid-1",
        resourceVersion: "1",
      },
      type: "Warning",
      reason: "ReconcileFailed",
      message: "no model",
      count: 1,
      firstTimestamp: "2026-01-01T00:00:00Z",
      lastTimestamp: "2026-01-01T00:00:00Z",
      source: { component: "kagent-controller" },
      reportingComponent: "kagent-controller",
      reportingInstance: "pod-1",
    });
  });

  it("counts equal ones in one Event, written at most once in 10 s", async () => {
    for (let count = 0; count < 50; count += 1) {
      recorder.record(object, FAILED);
      await clock.advance(500);
    }
    assert.equal(writes, 3, "at 0, 10 and 20 s");
    await clock.advance(10_000);
    const [event, ...others] = await events();
    assert.deepEqual(others, []);
    assert.equal(event?.["count"], 50);
    assert.equal(event["firstTimestamp"], "2026-01-01T00:00:00Z");
    assert.equal(event["lastTimestamp"], "2026-01-01T00:00:24Z");
    assert.equal(clock.pending, 0);
  });

  it("tells other objects, reasons and messages apart", async () => {
    const other = await memory.create(ConfigMap, configMap("n", "b", {}), open);
    recorder.record(object, FAILED);
    recorder.record(other, FAILED);
    recorder.record(object, { ...FAILED, reason: "Other" });
    recorder.record(object, { ...FAILED, message: "no tools" });
    recorder.record(object, { ...FAILED, type: "Normal" });
    await turn();
    assert.equal((await events()).length, 5);
  });

  it("begins a new Event after ten quiet minutes", async () => {
    recorder.record(object, FAILED);
    await clock.advance(600_001);
    recorder.record(object, FAILED);
    await turn();
    assert.deepEqual(
      (await events()).map((event) => event["count"]),
      [1, 1],
    );
  });

  it("puts events of objects without a namespace into the default one", async () => {
    const space = { apiVersion: "v1", kind: "Namespace", metadata: { name: "n" } };
    recorder.record(await memory.create(RESOURCES.Namespace, space, open), FAILED);
    await turn();
    const [event] = await events();
    assert.equal(event?.metadata.namespace, "default");
    assert.equal((event["involvedObject"] as { namespace?: string }).namespace, undefined);
  });

  it("cuts what is too long, and makes a name that may be", async () => {
    const name = `${"a".repeat(235)}.${"b".repeat(17)}`;
    const long = await memory.create(ConfigMap, configMap("n", name, {}), open);
    recorder.record(long, { type: "Normal", reason: "R".repeat(500), message: "m".repeat(5_000) });
    await turn();
    const [event] = await events();
    assert.ok(event, "was refused");
    assert.equal(event.metadata.name.length, 235 + 17);
    assert.equal(String(event["reason"]).length, 128);
    assert.equal(String(event["message"]).length, 1_024);
  });

  it("only logs what cannot be written, and goes on", async () => {
    failure = new ClusterError("forbidden", "no rights");
    recorder.record(object, FAILED);
    await turn();
    assert.deepEqual(warnings, [
      { object: "a", reason: "ReconcileFailed", error: "ClusterError: no rights" },
    ]);
    failure = undefined;
    await clock.advance(10_000);
    recorder.record(object, FAILED);
    await turn();
    assert.equal((await events())[0]?.["count"], 2);
  });

  it("remembers 1,000 kinds of events, the last ones", async () => {
    recorder.record(object, { ...FAILED, message: "number 0" });
    recorder.record(object, { ...FAILED, message: "number 0" });
    assert.equal(clock.pending, 1);
    for (let index = 1; index <= 1_000; index += 1)
      recorder.record(object, { ...FAILED, message: `number ${index}` });
    await turn();
    assert.equal(writes, 1_001);
    assert.equal(clock.pending, 0, "what is forgotten is not written later");
    recorder.record(object, { ...FAILED, message: "number 1" });
    assert.equal(clock.pending, 1, "is known and waits");
    recorder.record(object, { ...FAILED, message: "number 0" });
    await turn();
    assert.equal(writes, 1_002, "was forgotten and is new");
    await recorder.close(open);
  });

  it("writes what waits when it is closed, and nothing afterwards", async () => {
    recorder.record(object, FAILED);
    recorder.record(object, FAILED);
    await recorder.close(open);
    assert.equal((await events())[0]?.["count"], 2);
    assert.equal(clock.pending, 0);
    recorder.record(object, { ...FAILED, reason: "Late" });
    await turn();
    assert.equal((await events()).length, 1);
  });
});
