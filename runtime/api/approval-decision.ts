import { createHash } from "node:crypto";
import * as z from "zod";
import type { Part, PendingCall } from "./events.ts";
import { textOf } from "./events.ts";

const Word = z.enum(["approve", "reject"]);
const Answers = z
  .array(z.strictObject({ answer: z.array(z.string().max(10_000)).max(100) }))
  .max(50);
const Reason = z.string().max(2_000);

/** What people send back (kagent-api section 3.3). Strict: an unknown key voids the answer. */
const Response = z.discriminatedUnion("decision_type", [
  z.strictObject({
    decision_type: z.literal("approve"),
    ask_user_answers: Answers.optional(),
  }),
  z.strictObject({ decision_type: z.literal("reject"), rejection_reason: Reason.optional() }),
  z.strictObject({
    decision_type: z.literal("batch"),
    decisions: z.record(z.string(), Word),
    rejection_reasons: z.record(z.string(), Reason).optional(),
  }),
]);

/** What people decided about one pending call. */
export type CallDecision =
  | { readonly call: PendingCall; readonly decision: "approve" }
  | { readonly call: PendingCall; readonly decision: "reject"; readonly reason?: string }
  | {
      readonly call: PendingCall;
      readonly decision: "answer";
      readonly answers: readonly string[][];
    };

/** One decision for each pending call, or why the answer is void as a whole. */
export type DecisionResult =
  | { readonly ok: true; readonly decisions: readonly CallDecision[] }
  | { readonly ok: false; readonly why: string };

const voided = (why: string): DecisionResult => ({ ok: false, why });

/**
 * Reads people's answer to pending calls; fails closed (decisions 9, kagent-api section 3.3).
 *
 * Every pending call gets exactly one decision or the answer is void as a whole: a missing, unknown or
 * malformed decision executes nothing. Plain text answers a single question; it never approves.
 */
export function readDecision(
  parts: readonly Part[],
  pending: readonly PendingCall[],
): DecisionResult {
  const data = parts.flatMap((part) => ("data" in part ? [part.data] : []));
  if (data.length === 0) return fromText(textOf(parts).trim(), pending);
  if (data.length > 1) return voided("the answer holds more than one decision");
  const response = Response.safeParse(data[0]);
  if (!response.success) return voided("the answer is no decision: see kagent's decision_type");
  switch (response.data.decision_type) {
    case "approve":
      return fromApprove(response.data.ask_user_answers, pending);
    case "reject": {
      const reason = response.data.rejection_reason;
      return { ok: true, decisions: pending.map((call) => rejected(call, reason)) };
    }
    case "batch":
      return fromBatch(response.data, pending);
  }
}

function fromText(text: string, pending: readonly PendingCall[]): DecisionResult {
  const [call, ...more] = pending;
  if (call?.kind !== "question" || more.length > 0)
    return voided("calls wait for a decision; text approves nothing");
  if (text === "") return voided("the answer is empty");
  return { ok: true, decisions: [{ call, decision: "answer", answers: [[text]] }] };
}

function fromApprove(
  answers: z.output<typeof Answers> | undefined,
  pending: readonly PendingCall[],
): DecisionResult {
  if (answers === undefined) {
    if (pending.some(({ kind }) => kind === "question"))
      return voided("a question is pending; it needs ask_user_answers");
    return { ok: true, decisions: pending.map((call) => ({ call, decision: "approve" })) };
  }
  const [call, ...more] = pending;
  if (call?.kind !== "question" || more.length > 0)
    return voided("ask_user_answers answers one pending question and nothing else");
  const questions = call.args["questions"];
  if (Array.isArray(questions) && questions.length !== answers.length)
    return voided(`${questions.length} questions are pending, ${answers.length} were answered`);
  return {
    ok: true,
    decisions: [{ call, decision: "answer", answers: answers.map(({ answer }) => answer) }],
  };
}

function rejected(call: PendingCall, reason: string | undefined): CallDecision {
  return { call, decision: "reject", ...(reason === undefined ? {} : { reason }) };
}

function fromBatch(
  batch: {
    decisions: Record<string, "approve" | "reject">;
    rejection_reasons?: Record<string, string> | undefined;
  },
  pending: readonly PendingCall[],
): DecisionResult {
  const decisions = new Map(Object.entries(batch.decisions));
  const known = new Set(pending.map(({ callId }) => callId));
  const unknown = [...decisions.keys()].filter((id) => !known.has(id));
  if (unknown.length > 0) return voided("the answer decides on a call that is not pending");
  const missing = pending.filter(({ callId }) => !decisions.has(callId));
  if (missing.length > 0) return voided("the answer leaves a pending call undecided");
  if (
    pending.some(({ kind, callId }) => kind === "question" && decisions.get(callId) === "approve")
  )
    return voided("a question is pending; it needs ask_user_answers");
  return {
    ok: true,
    decisions: pending.map((call) =>
      decisions.get(call.callId) === "approve"
        ? { call, decision: "approve" }
        : rejected(call, batch.rejection_reasons?.[call.callId]),
    ),
  };
}

/** Sha-256 (hex) of arguments, keys sorted at every depth: what an approver saw, to be proven later. */
export function argsHash(args: Readonly<Record<string, unknown>>): string {
  return createHash("sha256").update(canonical(args)).digest("hex");
}

/** JSON with keys sorted at every depth: equal values give equal text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === undefined) return "null"; // as JSON has it in a list
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`);
  return `{${entries.join(",")}}`;
}
