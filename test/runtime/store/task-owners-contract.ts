import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { EventBody, NewEvent, TaskState } from "../../../runtime/api/events.ts";
import type { SessionStore } from "../../../runtime/store/session-store.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import type { OpenSessions } from "./session-store-contract.ts";

const AGENT = { namespace: "kagent", name: "cluster-agent" };
const LOST = { code: "WORKER_LOST", message: "the worker is gone" } as const;
const ONE = { id: "pod-1/a", url: "http://10.0.0.1:8080" };
const TWO = { id: "pod-2/b", url: "http://10.0.0.2:8080" };

let ids = 0;
function event(contextId: string, taskId: string, body: EventBody): NewEvent {
  const time = "2026-01-01T00:00:00.000Z";
  return { id: `o-${++ids}`, time, contextId, taskId, author: "kagent/cluster-agent", body };
}

const said = (text: string, taskId = "t") =>
  event("c", taskId, { type: "message", role: "agent", parts: [{ text }] });
const status = (taskId: string, state: TaskState, contextId = "c") =>
  event(contextId, taskId, { type: "status", state });

/** What every SessionStore keeps where several processes write: repeated batches and owners of tasks. */
export function taskOwnersContract(name: string, open: OpenSessions): void {
  /** Runs a test on a store of its own, with a session `c` and a task `t` of ann. */
  function on(
    claim: string,
    test: (store: SessionStore, clock: FakeClock) => Promise<void>,
  ): Mocha.Test {
    return it(claim, async () => {
      const clock = new FakeClock();
      let made = 0;
      const store = await open({ clock, newId: () => `made-${++made}` });
      try {
        await begun(store, "c", "t");
        await test(store, clock);
      } finally {
        await store.close();
      }
    });
  }

  async function begun(store: SessionStore, contextId: string, taskId: string): Promise<void> {
    const owned = { agent: AGENT, user: "ann" };
    const source = { source: "user", rootContextId: contextId } as const;
    await store.ensureSession({ id: contextId, ...owned, name: "n", ...source });
    await store.createTask({ id: taskId, contextId, ...owned });
  }

  describe(`${name} as SessionStore: repeated batches`, () => {
    on("gives a repeated batch back as it is stored, and stores nothing", async (store, clock) => {
      const batch = [status("t", "working"), said("hello"), status("t", "completed")];
      const first = await store.append("c", batch);
      const before = [await store.getSession("c", "ann"), await store.getTask("t", "ann")];
      await store.append("c", [said("more")]);
      await clock.advance(1000);
      assert.deepEqual(await store.append("c", structuredClone(batch)), first);
      assert.equal((await store.events("c", "ann")).length, 4);
      assert.deepEqual(
        [await store.getSession("c", "ann"), await store.getTask("t", "ann")],
        before,
      );
    });

    on("stores what is new of a batch, after what is there", async (store) => {
      const [one, two, three] = [said("1"), said("2"), said("3")];
      await store.append("c", [two]);
      const appended = await store.append("c", [one, two, three]);
      assert.deepEqual(
        appended.map(({ id, seq }) => [id, seq]),
        [
          [one.id, 2],
          [two.id, 1],
          [three.id, 3],
        ],
      );
    });

    on("takes an event for the same whatever the order of its keys", async (store) => {
      const call = (args: Record<string, unknown>): EventBody => {
        const target = { kind: "mcp", ref: "kagent/k8s" } as const;
        return { type: "tool-call", callId: "1", name: "get", args, target };
      };
      const given = event("c", "t", call({ a: 1, b: { c: 2, d: 3 } }));
      const stored = await store.append("c", [given]);
      const again = { ...given, body: call({ b: { d: 3, c: 2 }, a: 1 }) };
      assert.deepEqual(await store.append("c", [again]), stored);
    });

    const changed: Readonly<Record<string, Partial<NewEvent>>> = {
      author: { author: "kagent/other" },
      task: { taskId: "other" },
      time: { time: "2026-01-01T00:00:00.001Z" },
      body: { body: { type: "message", role: "agent", parts: [{ text: "x" }] } },
    };
    for (const [what, changes] of Object.entries(changed)) {
      on(`refuses a stored event with another ${what}, and what comes with it`, async (store) => {
        const given = said("hello");
        await store.append("c", [given]);
        const batch = [said("new"), { ...given, ...changes }];
        await assert.rejects(store.append("c", batch), RangeError);
        assert.equal((await store.events("c", "ann")).length, 1);
      });
    }

    on("refuses an event that is stored in another session", async (store) => {
      await begun(store, "d", "td");
      const given = said("hello");
      await store.append("c", [given]);
      await assert.rejects(store.append("d", [{ ...given, contextId: "d" }]), RangeError);
      assert.deepEqual(await store.events("d", "ann"), []);
    });

    on("stores a batch once that several write at the same time", async (store) => {
      const batch = [said("1"), said("2"), status("t", "completed")];
      const answers = await Promise.all(Array.from({ length: 8 }, () => store.append("c", batch)));
      for (const answer of answers) assert.deepEqual(answer, answers[0]);
      assert.deepEqual(await store.events("c", "ann"), answers[0]);
    });
  });

  describe(`${name} as SessionStore: owners of tasks`, () => {
    on("tells who runs a task, and since when that one is silent", async (store, clock) => {
      assert.equal(await store.ownerOf("t", "ann"), undefined);
      await store.heartbeat(ONE);
      await store.claimTask("t", ONE.id);
      await clock.advance(3000);
      assert.deepEqual(await store.ownerOf("t", "ann"), { ...ONE, silentMs: 3000 });
      const moved = { ...ONE, url: "http://10.0.0.9:8080" };
      await store.heartbeat(moved);
      assert.deepEqual(await store.ownerOf("t", "ann"), { ...moved, silentMs: 0 });
      await store.heartbeat(TWO);
      await store.claimTask("t", TWO.id);
      assert.equal((await store.ownerOf("t", "ann"))?.id, TWO.id);
    });

    on("tells it to the task's user alone", async (store) => {
      await store.heartbeat(ONE);
      await store.claimTask("t", ONE.id);
      assert.equal(await store.ownerOf("t", "bob"), undefined);
      await store.deleteSession("c", "ann");
      assert.equal(await store.ownerOf("t", "ann"), undefined);
    });

    on("refuses to claim for a worker, or a task, that is not there", async (store) => {
      const unknown = (kind: string, id: string) => ({ name: "UnknownIdError", kind, id });
      await assert.rejects(store.claimTask("t", ONE.id), unknown("worker", ONE.id));
      assert.equal(await store.ownerOf("t", "ann"), undefined);
      await store.heartbeat(ONE);
      assert.equal(await store.ownerOf("t", "ann"), undefined);
      await assert.rejects(store.claimTask("nobody", ONE.id), unknown("task", "nobody"));
    });

    on("refuses a worker that cannot be stored", async (store) => {
      await assert.rejects(store.heartbeat({ id: "", url: "u" }), RangeError);
      await assert.rejects(store.heartbeat({ id: "w", url: "a\0b" }), RangeError);
    });

    on("fails the tasks of a silent owner, and forgets it", async (store, clock) => {
      await begun(store, "d", "live");
      await begun(store, "e", "waits");
      await store.heartbeat(ONE);
      await store.heartbeat(TWO);
      for (const task of ["t", "waits"]) await store.claimTask(task, ONE.id);
      await store.claimTask("live", TWO.id);
      await store.append("c", [status("t", "working")]);
      await store.append("e", [status("waits", "input-required", "e")]);
      await clock.advance(19_999);
      await store.heartbeat(TWO);
      assert.deepEqual(await store.failLostTasks(LOST, 20_000), []);
      await clock.advance(1);

      const failed = await store.failLostTasks(LOST, 20_000);
      assert.deepEqual(
        failed.map(({ id, state, error }) => [id, state, error]),
        [["t", "failed", LOST]],
      );
      assert.deepEqual(await store.getTask("t", "ann"), failed[0]);
      const last = (await store.events("c", "ann")).at(-1);
      assert.deepEqual(last?.body, { type: "status", state: "failed", error: LOST });
      assert.equal((await store.getTask("live", "ann"))?.state, "submitted");
      assert.equal((await store.getTask("waits", "ann"))?.state, "input-required");
      assert.equal(await store.ownerOf("waits", "ann"), undefined);
      await assert.rejects(store.claimTask("waits", ONE.id), { name: "UnknownIdError" });
      assert.equal((await store.ownerOf("live", "ann"))?.id, TWO.id);
      assert.deepEqual(await store.failLostTasks(LOST, 20_000), []);
    });

    on("fails what nobody claimed, from its last sign of life on", async (store, clock) => {
      await clock.advance(15_000);
      await store.append("c", [status("t", "working")]);
      await clock.advance(19_999);
      assert.deepEqual(await store.failLostTasks(LOST, 20_000), []);
      await clock.advance(1);
      assert.equal((await store.failLostTasks(LOST, 20_000)).length, 1);
    });

    on("fails a lost task once, whoever looks at the same time", async (store, clock) => {
      await begun(store, "d", "other");
      await clock.advance(20_000);
      const failed = await Promise.all(
        Array.from({ length: 4 }, () => store.failLostTasks(LOST, 20_000)),
      );
      const found = failed.flat().map(({ id }) => id);
      assert.deepEqual(found.sort(), ["other", "t"]);
      assert.equal((await store.events("c", "ann")).length, 1);
    });

    for (const silentMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      on(`refuses ${silentMs} ms as a silence`, async (store) => {
        await assert.rejects(store.failLostTasks(LOST, silentMs), RangeError);
      });
    }
  });

  describe(`${name} as SessionStore: names`, () => {
    on("renames a session of the user, which is no use of it", async (store, clock) => {
      const made = await store.getSession("c", "ann");
      await clock.advance(1000);
      const renamed = await store.updateSession("c", "ann", { name: "a\0b" });
      assert.deepEqual(renamed, { ...made, name: "a\ufffdb" });
      assert.deepEqual(await store.getSession("c", "ann"), renamed);
      assert.equal(await store.updateSession("c", "bob", { name: "x" }), undefined);
      assert.equal(await store.updateSession("nowhere", "ann", { name: "x" }), undefined);
      assert.deepEqual(await store.getSession("c", "ann"), renamed);
    });
  });
}
