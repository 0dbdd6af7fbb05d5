import assert from "node:assert/strict";
import { describe } from "mocha";
import { argsHash } from "../../../runtime/api/approval-decision.ts";
import type { EventOf, NewEvent } from "../../../runtime/api/events.ts";
import type { Store } from "../../../runtime/store/open-store.ts";
import { AGENT, begin, event, type OpenEmpty, onStore, status } from "./store-contract.ts";

const DAY_MS = 86_400_000;

function requested(
  callId: string,
  changes: { readonly time?: string; readonly expiresAt?: string; readonly args?: object } = {},
): NewEvent {
  const { time, expiresAt, args = { a: 1 } } = changes;
  const call = {
    confirmationId: `confirm-${callId}`,
    callId,
    kind: "approval" as const,
    name: "k8s_delete",
    args: { ...args },
    hint: "sure?",
  };
  const until = expiresAt === undefined ? {} : { expiresAt };
  return event("c", "t", { type: "approval-requested", pending: [call], ...until }, time);
}

function decided(
  callId: string,
  decision: EventOf<"approval-decided">["decisions"][number]["decision"],
  reason?: string,
): NewEvent {
  const why = reason === undefined ? {} : { reason };
  const decisions = [{ callId, decision, argsHash: "beef", ...why }];
  const time = "2026-01-01T00:05:00.000Z";
  return event("c", "t", { type: "approval-decided", decisions, approver: "carol" }, time);
}

/** What every ApprovalStore keeps, and `append` for it. */
export function approvalStoreContract(name: string, open: OpenEmpty): void {
  const on = onStore(open);
  const states = async (store: Store) =>
    (await store.approvals.list({ limit: 100 })).map(({ callId, state }) => [callId, state]);

  describe(`${name} as ApprovalStore`, () => {
    on("keeps a request with whose it is, and its decision", async (store) => {
      await begin(store, { contextId: "c", taskId: "t" });
      const asked = { time: "2026-01-01T00:00:01Z", expiresAt: "2026-01-01T01:00:00+01:00" };
      await store.sessions.append("c", [requested("1", asked)]);
      const pending = {
        callId: "1",
        taskId: "t",
        contextId: "c",
        agent: AGENT,
        user: "ann",
        tool: "k8s_delete",
        kind: "approval",
        state: "pending",
        argsHash: argsHash({ a: 1 }),
        requestedAt: "2026-01-01T00:00:01.000Z",
        expiresAt: "2026-01-01T00:00:00.000Z",
      };
      assert.deepEqual(await store.approvals.list({ limit: 1 }), [pending]);
      await store.sessions.append("c", [decided("1", "reject", "too late")]);
      assert.deepEqual(await store.approvals.list({ limit: 1 }), [
        {
          ...pending,
          state: "reject",
          argsHash: "beef",
          approver: "carol",
          reason: "too late",
          decidedAt: "2026-01-01T00:05:00.000Z",
        },
      ]);
    });

    on("keeps a request and its decision of one batch, and questions", async (store) => {
      await begin(store, { contextId: "c", taskId: "t" });
      const { body, ...rest } = requested("2");
      assert.ok(body.type === "approval-requested");
      const pending = body.pending.map((call) => ({ ...call, kind: "question" as const }));
      await store.sessions.append("c", [
        requested("1"),
        decided("1", "approve"),
        { ...rest, body: { ...body, pending } },
        decided("2", "answer"),
      ]);
      const kinds = (await store.approvals.list({ limit: 9 })).map(({ kind, state }) => [
        kind,
        state,
      ]);
      assert.deepEqual(kinds, [
        ["question", "answer"],
        ["approval", "approve"],
      ]);
    });

    on(
      "has one record for what is asked again, two for what is asked after a decision",
      async (store) => {
        await begin(store, { contextId: "c", taskId: "t" });
        await store.sessions.append("c", [requested("1"), requested("1", { args: { a: 2 } })]);
        const [first, ...more] = await store.approvals.list({ limit: 9 });
        assert.equal(first?.argsHash, argsHash({ a: 2 }));
        assert.deepEqual(more, []);
        await store.sessions.append("c", [decided("1", "approve"), requested("1")]);
        assert.deepEqual(await states(store), [
          ["1", "pending"],
          ["1", "approve"],
        ]);
      },
    );

    on("decides only once, and nothing that was not asked", async (store) => {
      await begin(store, { contextId: "c", taskId: "t" });
      await store.sessions.append("c", [
        requested("1"),
        decided("1", "reject"),
        decided("2", "approve"),
      ]);
      await store.sessions.append("c", [decided("1", "approve")]);
      assert.deepEqual(await states(store), [["1", "reject"]]);
    });

    on("stores a repeated batch once, and of a refused one nothing", async (store) => {
      await begin(store, { contextId: "c", taskId: "t" });
      const batch = [requested("1"), decided("1", "approve"), requested("2")];
      await store.sessions.append("c", batch);
      await store.sessions.append("c", batch);
      const bad = status("c", "nobody", "working");
      await assert.rejects(store.sessions.append("c", [requested("3"), bad]));
      await assert.rejects(
        store.sessions.append("c", [requested("4", { expiresAt: "tomorrow" })]),
        RangeError,
      );
      assert.deepEqual(await states(store), [
        ["2", "pending"],
        ["1", "approve"],
      ]);
    });

    on("closes what is open when its task ends, however it ends", async (store, clock) => {
      for (const [contextId, taskId] of [
        ["c", "t"],
        ["d", "canceled"],
        ["e", "lost"],
      ] as const) {
        await begin(store, { contextId, taskId });
        const asked = { ...requested(`of ${taskId}`), contextId, taskId };
        await store.sessions.append(contextId, [asked]);
      }
      await store.sessions.append("c", [status("c", "t", "input-required")]);
      await store.sessions.append("d", [status("d", "canceled", "canceled")]);
      await clock.advance(20_000);
      await store.sessions.failLostTasks({ code: "WORKER_LOST", message: "m" }, 20_000);
      const found = await store.approvals.list({ limit: 9 });
      assert.deepEqual(
        found.map((it) => [it.taskId, it.state, it.approver, it.reason]),
        [
          ["t", "pending", undefined, undefined],
          ["lost", "reject", "system:over", "the task is over (failed)"],
          ["canceled", "reject", "system:over", "the task is over (canceled)"],
        ],
      );
    });

    on("outlives its session, closed", async (store, clock) => {
      for (const contextId of ["c", "d"]) {
        await begin(store, { contextId, taskId: `t-${contextId}` });
        const asked = { ...requested("1"), contextId, taskId: `t-${contextId}` };
        await store.sessions.append(contextId, [asked]);
      }
      await begin(store, { contextId: "child", taskId: "tt", root: "c" });
      const below = { ...requested("1"), contextId: "child", taskId: "tt" };
      await store.sessions.append("child", [below, decided("none", "approve")].slice(0, 1));
      await store.sessions.deleteSession("c", "ann");
      await clock.advance(2 * DAY_MS);
      await store.prune(1);
      const found = await store.approvals.list({ limit: 9 });
      assert.deepEqual(
        found.map((it) => [it.contextId, it.state, it.approver, it.reason]),
        [
          ["child", "reject", "system:over", "the session was deleted"],
          ["d", "reject", "system:over", "the session was deleted"],
          ["c", "reject", "system:over", "the session was deleted"],
        ],
      );
    });

    on("filters by user, task, state and expiry, newest request first", async (store) => {
      await begin(store, { contextId: "c", taskId: "t" });
      await begin(store, { contextId: "d", taskId: "u", user: "bob" });
      const at = (hour: number) => `2026-01-01T0${hour}:00:00.000Z`;
      await store.sessions.append("c", [
        requested("1", { time: at(2), expiresAt: at(5) }),
        requested("2", { time: at(1), expiresAt: at(6) }),
        requested("3", { time: at(3) }),
        decided("3", "approve"),
      ]);
      const ofBob = { ...requested("4", { time: at(4) }), contextId: "d", taskId: "u" };
      await store.sessions.append("d", [ofBob]);
      const found = async (filter: Omit<Parameters<Store["approvals"]["list"]>[0], "limit">) =>
        (await store.approvals.list({ limit: 1000, ...filter })).map(({ callId }) => callId);
      assert.deepEqual(await found({}), ["4", "3", "1", "2"]);
      assert.deepEqual(await found({ user: "ann" }), ["3", "1", "2"]);
      assert.deepEqual(await found({ taskId: "u" }), ["4"]);
      assert.deepEqual(await found({ user: "ann", taskId: "u" }), []);
      assert.deepEqual(await found({ user: "ann", state: "pending" }), ["1", "2"]);
      assert.deepEqual(await found({ state: "pending", expiredAt: at(5) }), ["1"]);
      assert.deepEqual(await found({ expiredAt: "2026-01-01T04:59:59+00:00" }), []);
      assert.equal((await store.approvals.list({ limit: 2 })).length, 2);
      await assert.rejects(found({ expiredAt: "soon" }), RangeError);
    });

    for (const limit of [0, 1001, 1.5]) {
      on(`refuses ${limit} as a limit`, async (store) => {
        await assert.rejects(store.approvals.list({ limit }), RangeError);
      });
    }
  });
}
