import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { type NewEvent, TASK_STATES } from "../../../runtime/api/events.ts";
import type { SessionStore } from "../../../runtime/store/session-store.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { ModelStore } from "./model-store.ts";
import type { OpenSessions } from "./session-store-contract.ts";

// Few ids, so that operations meet.
const user = fc.constantFrom("ann", "bob");
const agent = fc.constantFrom({ namespace: "a", name: "x" }, { namespace: "a", name: "y" });
const context = fc.constantFrom("c1", "c2", "c3");
const taskId = fc.constantFrom("t1", "t2", "t3", "t4");
const state = fc.constantFrom(...TASK_STATES);
const usage = fc.record({
  inputTokens: fc.nat(9),
  outputTokens: fc.nat(9),
  cachedTokens: fc.constant(0),
  modelCalls: fc.constant(1),
  toolCalls: fc.constant(0),
});
const error = fc.constant({ code: "INTERNAL", message: "m" } as const);
const body = fc.oneof(
  fc.record({ type: fc.constant("limit" as const), limit: fc.string(), value: fc.nat() }),
  fc.record(
    { type: fc.constant("status" as const), state, usage, error },
    { requiredKeys: ["type", "state"] },
  ),
);

const owner = fc.constantFrom(
  { id: "pod-1/x", url: "http://10.0.0.1:8080" },
  { id: "pod-2/y", url: "http://10.0.0.2:8080" },
);

/** One call of a store. */
type Operation = (store: SessionStore) => Promise<unknown>;

const session = fc.record(
  {
    id: context,
    agent,
    user,
    name: fc.string({ unit: "grapheme" }).map((name) => name.replaceAll("\0", "")),
    source: fc.constantFrom("user" as const, "agent" as const),
    parentContextId: context,
    rootContextId: context,
  },
  { requiredKeys: ["id", "agent", "user", "name", "source", "rootContextId"] },
);
const newEvent = fc.record({
  id: fc.nat(300).map((id) => `e${id}`),
  time: fc.constant("2026-01-01T00:00:00.000Z"),
  taskId,
  author: fc.constant("a/x"),
  body,
});

const operation: fc.Arbitrary<Operation> = fc.oneof(
  session.map(
    (it): Operation =>
      (store) =>
        store.ensureSession(it),
  ),
  fc.record({ id: taskId, contextId: context, agent, user }).map(
    (it): Operation =>
      (store) => {
        return store.createTask(it);
      },
  ),
  {
    weight: 4,
    arbitrary: fc
      .tuple(context, fc.array(newEvent, { maxLength: 4 }))
      .map(([contextId, given]): Operation => {
        const events: NewEvent[] = given.map((event) => ({ ...structuredClone(event), contextId }));
        return (store) => store.append(contextId, events);
      }),
  },
  fc.tuple(context, user).map(
    ([id, who]): Operation =>
      (store) =>
        store.deleteSession(id, who),
  ),
  fc.tuple(context, user, fc.constantFrom("old", "new")).map(
    ([id, who, name]): Operation =>
      (store) =>
        store.updateSession(id, who, { name }),
  ),
  error.map(
    (it): Operation =>
      (store) =>
        store.failOpenTasks(it),
  ),
  owner.map(
    (it): Operation =>
      (store) =>
        store.heartbeat(it),
  ),
  fc.tuple(taskId, owner).map(
    ([id, it]): Operation =>
      (store) =>
        store.claimTask(id, it.id),
  ),
  fc.tuple(error, fc.integer({ min: 1, max: 4 })).map(
    ([it, silentMs]): Operation =>
      (store) =>
        store.failLostTasks(it, silentMs),
  ),
);

const filter = fc.record({ taskId, afterSeq: fc.nat(6), limit: fc.nat(4) }, { requiredKeys: [] });

/** Everything that `who` can see of a store, page by page. */
async function seenBy(store: SessionStore, who: string, eventFilter: object): Promise<unknown> {
  const seen: unknown[] = [await store.listSessions({ user: who, limit: 100 })];
  for (const id of ["c1", "c2", "c3"]) {
    seen.push(await store.getSession(id, who), await store.events(id, who));
    seen.push(await store.events(id, who, eventFilter));
  }
  for (const id of ["t1", "t2", "t3", "t4"]) {
    seen.push(await store.getTask(id, who), await store.ownerOf(id, who));
  }
  for (const name of ["x", "y"]) {
    let pageToken: string | undefined;
    do {
      const query = { agent: { namespace: "a", name }, user: who, pageSize: 2 };
      const page = await store.listTasks({ ...query, ...(pageToken && { pageToken }) });
      seen.push(page.tasks, page.total);
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
  }
  return seen;
}

/** What a call came to: its value, or the kind of its error. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.catch((failure: unknown) => (failure instanceof Error ? failure.name : failure));
}

/** A SessionStore does and shows what {@link ModelStore} does, whatever is called; `runs` series of calls. */
export function randomOperationsContract(name: string, open: OpenSessions, runs: number): void {
  describe(`${name} as SessionStore against a model`, () => {
    it("does and shows what the model does and shows, whatever is called", async () => {
      const steps = fc.array(fc.tuple(operation, fc.nat(2)), { maxLength: 40 });
      await fc.assert(
        fc.asyncProperty(steps, filter, (calls, eventFilter) => compare(open, calls, eventFilter)),
        { numRuns: runs },
      );
    }).timeout(60_000);
  });
}

async function compare(
  open: OpenSessions,
  calls: readonly (readonly [Operation, number])[],
  eventFilter: object,
): Promise<void> {
  const clock = new FakeClock();
  const ids = () => {
    let made = 0;
    return () => `made-${++made}`;
  };
  const model = new ModelStore({ clock, newId: ids() });
  const store = await open({ clock, newId: ids() });
  try {
    for (const [call, ms] of calls) {
      await clock.advance(ms);
      assert.deepEqual(await outcome(call(store)), await outcome(call(model)));
    }
    for (const who of ["ann", "bob"]) {
      assert.deepEqual(
        await seenBy(store, who, eventFilter),
        await seenBy(model, who, eventFilter),
      );
    }
  } finally {
    await store.close();
  }
}
