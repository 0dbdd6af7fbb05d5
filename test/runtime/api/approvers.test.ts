import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { approverHeaders, readApprover, refusedDecider } from "../../../runtime/api/approvers.ts";
import type { PendingCall } from "../../../runtime/api/events.ts";

const call = (over: Partial<PendingCall> = {}): PendingCall => ({
  confirmationId: "f",
  callId: "c",
  kind: "approval",
  name: "deploy",
  args: {},
  hint: "",
  ...over,
});
const delegate = {
  agent: "kagent/git",
  taskId: "t",
  contextId: "c",
  callId: "d",
  output: "text",
} as const;

describe("runtime/api/refusedDecider", () => {
  for (const [claim, pending, approvers, by, may] of [
    ["the owner where nobody is named", [call()], [], { user: "ana" }, true],
    ["nobody else there", [call()], [], { user: "ben" }, false],
    ["a named user", [call()], ["ben"], { user: "ben" }, true],
    ["not the owner where others are named", [call()], ["ben"], { user: "ana" }, false],
    ["a member of a named group", [call()], ["group:sre"], { user: "ben", groups: ["sre"] }, true],
    ["not a user called like the group", [call()], ["group:sre"], { user: "group:sre" }, false],
    ["not a user of the group's bare name", [call()], ["group:sre"], { user: "sre" }, false],
    [
      "not a member of a group called like a user",
      [call()],
      ["ben"],
      { user: "x", groups: ["ben"] },
      false,
    ],
    ["the owner about a question", [call({ kind: "question" })], ["ben"], { user: "ana" }, true],
    ["an approver about a question", [call({ kind: "question" })], ["ben"], { user: "ben" }, true],
    [
      "the approvers of the agent below",
      [call({ delegate, approvers: ["ben"] })],
      [],
      { user: "ben" },
      true,
    ],
    ["not the owner there", [call({ delegate, approvers: ["ben"] })], [], { user: "ana" }, false],
    ["not the approvers above", [call({ delegate })], ["ben"], { user: "ben" }, false],
    [
      "whoever may decide about all",
      [call(), call({ delegate, approvers: ["ben"] })],
      [],
      { user: "ana" },
      false,
    ],
    ["everybody about nothing", [], ["ben"], { user: "x" }, true],
  ] as const)
    it(`admits ${claim}`, () => {
      const refused = refusedDecider(pending, { owner: "ana", approvers }, by);
      assert.equal(refused === undefined, may, refused);
    });
});

describe("runtime/api/approverHeaders", () => {
  it("read back, whatever the names", () => {
    const name = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(name, fc.array(name), (user, groups) => {
        assert.deepEqual(readApprover(approverHeaders({ user, groups })), { user, groups });
      }),
    );
  });
  it("are none when they are absent or broken", () => {
    assert.equal(readApprover({}), undefined);
    assert.equal(readApprover({ "x-kagent-approver": "%" }), undefined);
  });
});
