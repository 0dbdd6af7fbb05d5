import assert from "node:assert/strict";
import { describe, it } from "mocha";
import {
  expireParts,
  expiryOf,
  isDecision,
  isExpire,
  isExpired,
  openRequest,
} from "../../../runtime/api/approval-request.ts";
import type { Event, PendingCall } from "../../../runtime/api/events.ts";

const call = (callId: string, expiresAt?: string): PendingCall => ({
  confirmationId: "f",
  callId,
  kind: "approval",
  name: "deploy",
  args: {},
  hint: "",
  ...(expiresAt === undefined ? {} : { expiresAt }),
});
const event = (seq: number, taskId: string, body: Event["body"]): Event => ({
  seq,
  id: `e${seq}`,
  time: "2026-01-01T00:00:00Z",
  contextId: "c",
  taskId,
  author: "kagent/git",
  body,
});
const asked = (callId: string) =>
  ({ type: "approval-requested", pending: [call(callId)] }) as const;
const decided = { type: "approval-decided", approver: "ana", decisions: [] } as const;

describe("runtime/api/approval-request", () => {
  it("is open until it is decided on, the latest of its task", () => {
    const log = [
      event(1, "t", { ...asked("a"), pending: [call("a")] }),
      event(2, "u", { ...asked("other"), pending: [call("other")] }),
      event(3, "t", { ...decided, decisions: [] }),
      event(4, "t", { ...asked("b"), pending: [call("b")] }),
    ];
    const open = (events: readonly Event[], task = "t") => {
      const found = openRequest(events, task);
      return [found?.seq, found?.body.pending[0]?.callId];
    };
    assert.deepEqual(open(log.slice(0, 2)), [1, "a"]);
    assert.deepEqual(open(log.slice(0, 3)), [undefined, undefined]);
    assert.deepEqual(open(log), [4, "b"]);
    assert.deepEqual(open(log, "u"), [2, "other"]);
    assert.deepEqual(open(log, "v"), [undefined, undefined]);
  });

  it("expires with the first of its calls, at the moment itself", () => {
    const now = Date.UTC(2026, 0, 1);
    const early = "2026-01-01T00:00:30.000Z";
    assert.equal(expiryOf([call("a")], 60_000, now), "2026-01-01T00:01:00.000Z");
    assert.equal(expiryOf([call("a"), call("b", early)], 60_000, now), early);
    assert.equal(expiryOf([call("b", "nonsense")], 60_000, now), "2026-01-01T00:01:00.000Z");
    assert.equal(isExpired({ expiresAt: early }, Date.parse(early) - 1), false);
    assert.equal(isExpired({ expiresAt: early }, Date.parse(early)), true);
    assert.equal(isExpired({}, Number.MAX_SAFE_INTEGER), false);
  });

  it("tells decisions from other data", () => {
    assert.equal(isDecision([{ text: "approve" }, { data: { decision_type: 1 } }]), true);
    assert.equal(
      isDecision([{ data: { decision: 1 } }, { data: null }, { text: "decision_type" }]),
      false,
    );
    assert.equal(
      isDecision([{ data: Object.create({ decision_type: "approve" }) as object }]),
      false,
    );
    assert.equal(isExpire(expireParts()), true);
    assert.equal(isExpire([...expireParts(), { text: "x" }]), false);
    assert.equal(isExpire([{ data: { decision_type: "approve" } }]), false);
  });
});
