import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { RESOURCES, type StoredObject } from "../../../../runtime/api/cluster.ts";
import { ClusterError } from "../../../../runtime/api/cluster-reader.ts";
import { refreshPods } from "../../../../runtime/controller/reconcile/refresh-pods.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { RecordingCluster } from "./recording-cluster.ts";

const never = new AbortController().signal;
const key = { namespace: "n", name: "p" };

async function fixture(): Promise<{ recording: RecordingCluster; pod: StoredObject }> {
  const recording = new RecordingCluster(new FakeClock());
  const { memory } = recording;
  await memory.create(RESOURCES.Pod, { apiVersion: "v1", kind: "Pod", metadata: key }, never);
  const pod = await memory.patchStatus(RESOURCES.Pod, key, { phase: "Running" }, never);
  assert.ok(pod !== undefined);
  return { recording, pod };
}

describe("runtime/controller/reconcile/refreshPods", () => {
  it("tells a pod once of a revision", async () => {
    const { recording, pod } = await fixture();
    assert.equal(await refreshPods(recording.cluster, [pod], "1", never), 1);
    const now = await recording.memory.get(RESOURCES.Pod, key, never);
    assert.ok(now !== undefined);
    assert.equal(await refreshPods(recording.cluster, [now], "1", never), 0);
    assert.equal(now.metadata.annotations?.["kagent.dev/config-revision"], "1");
  });

  it("makes no pod where one is gone, and leaves another of its name alone", async () => {
    const { recording, pod } = await fixture();
    await recording.memory.delete(RESOURCES.Pod, key, never);
    await refreshPods(recording.cluster, [pod], "1", never);
    assert.equal(await recording.memory.get(RESOURCES.Pod, key, never), undefined);
    const other = { apiVersion: "v1", kind: "Pod", metadata: key };
    await recording.memory.create(RESOURCES.Pod, other, never);
    await refreshPods(recording.cluster, [pod], "1", never);
    const now = await recording.memory.get(RESOURCES.Pod, key, never);
    assert.equal(now?.metadata.annotations, undefined);
  });

  it("fails where the server does not answer", async () => {
    const { recording, pod } = await fixture();
    recording.failure = () => new ClusterError("unreachable", "connection reset");
    await assert.rejects(refreshPods(recording.cluster, [pod], "1", never), /connection reset/);
  });
});
