import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { argsHash, canonical, readDecision } from "../../../runtime/api/approval-decision.ts";
import type { Part, PendingCall } from "../../../runtime/api/events.ts";

const approval = (callId: string): PendingCall => ({
  confirmationId: `confirm-${callId}`,
  callId,
  kind: "approval",
  name: "github_create_branch",
  args: { branch: "agent/x" },
  hint: "",
});
const question: PendingCall = {
  ...approval("q"),
  kind: "question",
  name: "ask_user",
  args: { questions: [{ question: "Which cluster?" }] },
};
const two = [approval("a"), approval("b")];
const data = (value: unknown): Part[] => [{ data: value }];

/** What each pending call was decided to be; `void` when nothing was. */
function verdict(parts: readonly Part[], pending: readonly PendingCall[]): unknown {
  const read = readDecision(parts, pending);
  if (!read.ok) return "void";
  return Object.fromEntries(read.decisions.map((d) => [d.call.callId, d.decision]));
}

describe("runtime/api/readDecision", () => {
  const cases: readonly [string, Part[], readonly PendingCall[], unknown][] = [
    [
      "approve covers every pending call",
      data({ decision_type: "approve" }),
      two,
      { a: "approve", b: "approve" },
    ],
    [
      "reject covers every pending call",
      data({ decision_type: "reject", rejection_reason: "no" }),
      two,
      { a: "reject", b: "reject" },
    ],
    [
      "a batch decides call by call",
      data({ decision_type: "batch", decisions: { a: "approve", b: "reject" } }),
      two,
      { a: "approve", b: "reject" },
    ],
    [
      "a batch that misses a call is void",
      data({ decision_type: "batch", decisions: { a: "approve" } }),
      two,
      "void",
    ],
    [
      "a batch with an unknown call is void",
      data({ decision_type: "batch", decisions: { a: "approve", b: "approve", c: "approve" } }),
      two,
      "void",
    ],
    ["an empty batch is void", data({ decision_type: "batch", decisions: {} }), two, "void"],
    [
      "another word than approve or reject is void",
      data({ decision_type: "batch", decisions: { a: "Approve", b: "approve" } }),
      two,
      "void",
    ],
    ["an unknown decision_type is void", data({ decision_type: "approved" }), two, "void"],
    [
      "an unknown key is void",
      data({ decision_type: "approve", decisions: { a: "reject" } }),
      two,
      "void",
    ],
    [
      "two decisions are void",
      [...data({ decision_type: "approve" }), ...data({ decision_type: "reject" })],
      two,
      "void",
    ],
    ["text approves nothing", [{ text: "approve" }], two, "void"],
    [
      "a label beside a decision is ignored",
      [{ text: "Approved" }, ...data({ decision_type: "approve" })],
      two,
      { a: "approve", b: "approve" },
    ],
    [
      "answers confirm only a question",
      data({ decision_type: "approve", ask_user_answers: [{ answer: ["x"] }] }),
      [approval("a")],
      "void",
    ],
    [
      "approve without answers leaves a question void",
      data({ decision_type: "approve" }),
      [question],
      "void",
    ],
    [
      "answers answer a question",
      data({ decision_type: "approve", ask_user_answers: [{ answer: ["x"] }] }),
      [question],
      { q: "answer" },
    ],
    [
      "too many answers are void",
      data({ decision_type: "approve", ask_user_answers: [{ answer: ["x"] }, { answer: ["y"] }] }),
      [question],
      "void",
    ],
    ["text answers a single question", [{ text: "services-amer" }], [question], { q: "answer" }],
    [
      "text answers nothing while an approval is pending",
      [{ text: "yes" }],
      [question, approval("a")],
      "void",
    ],
    ["an empty message is void", [], two, "void"],
    [
      "edits belong to calls that are approved",
      data({ decision_type: "approve", edited_args: { b: { branch: "agent/y" } } }),
      two,
      { a: "approve", b: "approve" },
    ],
    [
      "an edit of a call that is not pending is void",
      data({ decision_type: "approve", edited_args: { c: {} } }),
      two,
      "void",
    ],
    [
      "an edit of a rejected call is void",
      data({
        decision_type: "batch",
        decisions: { a: "approve", b: "reject" },
        edited_args: { b: {} },
      }),
      two,
      "void",
    ],
    [
      "a rejection takes no edit",
      data({ decision_type: "reject", edited_args: { a: {} } }),
      two,
      "void",
    ],
    [
      "an edit of a question is void",
      data({
        decision_type: "approve",
        ask_user_answers: [{ answer: ["x"] }],
        edited_args: { q: {} },
      }),
      [question],
      "void",
    ],
    [
      "arguments are an object",
      data({ decision_type: "approve", edited_args: { a: [] } }),
      two,
      "void",
    ],
    [
      "a reason for a call that is not pending is void",
      data({
        decision_type: "batch",
        decisions: { a: "reject", b: "reject" },
        rejection_reasons: { c: "no" },
      }),
      two,
      "void",
    ],
    [
      "two calls of one id are not told apart",
      data({ decision_type: "batch", decisions: { a: "approve" } }),
      [approval("a"), approval("a")],
      "void",
    ],
    [
      "two calls of one id are approved together",
      data({ decision_type: "approve" }),
      [approval("a"), approval("a")],
      { a: "approve" },
    ],
    [
      "a prototype key is void",
      data(
        JSON.parse(
          '{"decision_type":"batch","decisions":{"__proto__":"approve","a":"approve","b":"approve"}}',
        ),
      ),
      two,
      "void",
    ],
    [
      "what an object inherits decides nothing",
      data({
        decision_type: "batch",
        decisions: Object.create({ a: "approve", b: "approve" }) as object,
      }),
      two,
      "void",
    ],
    ["the platform's word is nobody's", data({ decision_type: "expire" }), two, "void"],
    [
      "1 MiB is no answer",
      data({ decision_type: "approve", edited_args: { a: { x: "y".repeat(1024 * 1024) } } }),
      two,
      "void",
    ],
  ];
  for (const [claim, parts, pending, expected] of cases)
    it(claim, () => {
      assert.deepEqual(verdict(parts, pending), expected);
    });

  it("keeps the approver's arguments apart from the model's", () => {
    const edited_args = { b: { branch: "agent/y" } };
    const read = readDecision(data({ decision_type: "approve", edited_args }), two);
    assert.ok(read.ok);
    assert.deepEqual(
      read.decisions.map((item) => item.decision === "approve" && item.editedArgs),
      [undefined, { branch: "agent/y" }],
    );
    assert.deepEqual(read.decisions[1]?.call.args, { branch: "agent/x" });
  });

  it("says why, shortly, and never throws", () => {
    const deep = (depth: number): unknown => {
      let value: unknown = 1;
      for (let n = 0; n < depth; n += 1) value = { decision_type: value };
      return value;
    };
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    for (const value of [deep(5_000), cyclic, 1n, () => 1, Symbol("x"), deep(3)]) {
      const read = readDecision([{ data: value }], two);
      assert.ok(!read.ok);
      assert.ok(read.why.length < 400, read.why);
    }
    const unknown = readDecision(data({ decision_type: "x".repeat(9_999) }), two);
    assert.equal(
      !unknown.ok && unknown.why,
      "unknown decision_type: it is one of approve, reject and batch",
    );
  });

  it("approves nothing that was not named, whatever is sent", () => {
    const word = fc.oneof(fc.constantFrom("approve", "reject", "APPROVE", "", "yes"), fc.string());
    const decision = fc.record(
      {
        decision_type: fc.oneof(fc.constantFrom("approve", "reject", "batch"), fc.anything()),
        decisions: fc.oneof(
          fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__"), word),
          fc.anything(),
        ),
        rejection_reasons: fc.anything(),
        ask_user_answers: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(decision, (value) => {
        const read = readDecision([{ data: value }], two);
        if (!read.ok) return;
        const sent = value as { decision_type: string; decisions?: Record<string, string> };
        for (const { call, decision: made } of read.decisions) {
          if (made !== "approve") continue;
          assert.ok(
            sent.decision_type === "approve" || sent.decisions?.[call.callId] === "approve",
            `approved ${call.callId} by ${JSON.stringify(value)}`,
          );
        }
        assert.equal(read.decisions.length, two.length);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("runtime/api/argsHash", () => {
  it("does not depend on the order of keys, at any depth", () => {
    assert.equal(
      argsHash({ a: 1, b: { c: [1, { d: 2, e: 3 }] } }),
      argsHash({ b: { c: [1, { e: 3, d: 2 }] }, a: 1 }),
    );
  });
  it("depends on every value", () => {
    assert.notEqual(argsHash({ a: [1, 2] }), argsHash({ a: [2, 1] }));
  });
  it("is JSON that reads back to the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        assert.deepEqual(JSON.parse(canonical(value)), JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
