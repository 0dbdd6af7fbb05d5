import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { NewEvent } from "../../../../runtime/api/events.ts";
import { settleApprovals } from "../../../../runtime/controller/role/settle-approvals.ts";
import { openStore, type Store } from "../../../../runtime/store/open-store.ts";

const EXPIRES = "2026-01-01T00:00:00.000Z";
const at = Date.parse(EXPIRES);
const MINUTE = 60_000;

describe("runtime/controller/role/settle-approvals", () => {
  let store: Store;
  beforeEach(async () => {
    store = await openStore({ path: ":memory:" });
    const agent = { namespace: "kagent", name: "one" };
    const common = { agent, user: "ana" };
    const session = { id: "s", name: "s", source: "user", rootContextId: "s" } as const;
    await store.sessions.ensureSession({ ...common, ...session });
    await store.sessions.createTask({ ...common, id: "t", contextId: "s" });
    await append({
      type: "approval-requested",
      pending: [
        { confirmationId: "r", callId: "c", kind: "approval", name: "x", args: { a: 1 }, hint: "" },
      ],
      expiresAt: EXPIRES,
    });
    await append({ type: "status", state: "input-required" });
  });
  afterEach(() => store.close());
  const append = (body: NewEvent["body"]) =>
    store.sessions.append("s", [
      { id: randomUUID(), time: EXPIRES, contextId: "s", taskId: "t", author: "kagent/one", body },
    ]);
  const settle = (now: number, exists: boolean) =>
    settleApprovals({ ...store, exists: () => exists, newId: randomUUID }, now);
  const state = async () => (await store.sessions.getTask("t", "ana"))?.state;

  it("waits for the time to pass", async () => {
    assert.equal(await settle(at - 1, false), 0);
    assert.equal(await state(), "input-required");
  });

  it("ends at once what has no agent any more, and approves nothing", async () => {
    assert.equal(await settle(at, false), 1);
    assert.equal(await state(), "failed");
    const [record] = await store.approvals.list({ taskId: "t", limit: 10 });
    assert.equal(record?.state, "reject");
    assert.equal(record.approver, "system:expiry");
    assert.equal(await settle(at, false), 0);
  });

  it("leaves a task to its agent for ten minutes", async () => {
    assert.equal(await settle(at + 9 * MINUTE, true), 0);
    assert.equal(await state(), "input-required");
    assert.equal(await settle(at + 10 * MINUTE, true), 1);
    assert.equal(await state(), "failed");
  });

  it("touches no task that went on meanwhile", async () => {
    await append({ type: "status", state: "working" });
    assert.equal(await settle(at + 60 * MINUTE, false), 0);
    assert.equal(await state(), "working");
  });
});
