import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { RESOURCES, type StoredObject } from "../../../../runtime/api/cluster.ts";
import type { Condition, ConditionUpdate } from "../../../../runtime/api/conditions.ts";
import { StatusWriter } from "../../../../runtime/controller/reconcile/status-writer.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { writtenAgent } from "../kagent-objects.ts";
import { RecordingCluster } from "./recording-cluster.ts";

const never = new AbortController().signal;
const key = { namespace: "kagent", name: "a" };

const accepted = (status: "True" | "False", message = ""): ConditionUpdate => ({
  type: "Accepted",
  status,
  reason: "Reason",
  message,
});

async function fixture() {
  const clock = new FakeClock();
  const recording = new RecordingCluster(clock);
  const written = writtenAgent("a") as unknown as StoredObject;
  await recording.memory.create(RESOURCES.Agent, written, never);
  const read = async (): Promise<StoredObject> => {
    const object = await recording.memory.get(RESOURCES.Agent, key, never);
    assert.ok(object !== undefined);
    return object;
  };
  return { clock, recording, read, writer: new StatusWriter(recording.cluster, clock) };
}

function conditionsOf({ status }: StoredObject): readonly Condition[] {
  return (status as { readonly conditions: readonly Condition[] }).conditions;
}

describe("runtime/controller/reconcile/StatusWriter", () => {
  it("writes what is new and nothing twice, whether the cache has it already or not", async () => {
    const { recording, read, writer } = await fixture();
    const stale = await read();
    const update = { conditions: [accepted("True")], fields: { secretHash: "h" } };
    const first = await writer.write("Agent", stale, update, never);
    assert.deepEqual(
      first.changed.map(({ type }) => type),
      ["Accepted"],
    );
    const again = await writer.write("Agent", stale, update, never);
    await writer.write("Agent", await read(), update, never);
    assert.deepEqual([again.changed, recording.taken()], [[], ["status Agent kagent/a"]]);
    const { status } = await read();
    assert.deepEqual((status as { secretHash: string }).secretHash, "h");
  });

  it("moves the time of a condition only when its status changes", async () => {
    const { clock, read, writer } = await fixture();
    await writer.write("Agent", await read(), { conditions: [accepted("True", "a")] }, never);
    const [first] = conditionsOf(await read());
    await clock.advance(1_000);
    await writer.write("Agent", await read(), { conditions: [accepted("True", "b")] }, never);
    const [second] = conditionsOf(await read());
    assert.equal(second?.message, "b");
    assert.equal(second.lastTransitionTime, first?.lastTransitionTime);
    await writer.write("Agent", await read(), { conditions: [accepted("False")] }, never);
    const [third] = conditionsOf(await read());
    assert.notEqual(third?.lastTransitionTime, first?.lastTransitionTime);
  });

  it("keeps conditions of others, and takes away what is no longer spoken of", async () => {
    const { recording, read, writer } = await fixture();
    const foreign = { ...accepted("True"), type: "Foreign", lastTransitionTime: "t" };
    const ours = { ...foreign, type: "UnsupportedFeatures" };
    const status = { conditions: [foreign, ours] };
    await recording.memory.patchStatus(RESOURCES.Agent, key, status, never);
    const update = { conditions: [accepted("True")], without: ["UnsupportedFeatures"] as const };
    await writer.write("Agent", await read(), update, never);
    assert.deepEqual(
      conditionsOf(await read()).map(({ type }) => type),
      ["Foreign", "Accepted"],
    );
  });

  it("brings nothing back that was deleted", async () => {
    const { recording, read, writer } = await fixture();
    const object = await read();
    await recording.memory.delete(RESOURCES.Agent, key, never);
    await writer.write("Agent", object, { conditions: [accepted("True")] }, never);
    assert.equal(await recording.memory.get(RESOURCES.Agent, key, never), undefined);
  });
});
