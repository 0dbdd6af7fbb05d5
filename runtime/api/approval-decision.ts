import { createHash } from "node:crypto";
import * as z from "zod";
import type { Part, PendingCall } from "./events.ts";
import { textOf } from "./events.ts";

const Word = z.enum(["approve", "reject"]);
const Answers = z
  .array(z.strictObject({ answer: z.array(z.string().max(10_000)).max(100) }))
  .max(50);
const Reason = z.string().max(2_000);
const Arguments = z.record(z.string(), z.unknown());
/** By call id: what is called with instead of what the model wrote, whole. */
const Edits = z.record(z.string(), Arguments);

/** What people send back (kagent-api section 3.3). Strict: an unknown key voids the answer. */
const Response = z.discriminatedUnion("decision_type", [
  z.strictObject({
    decision_type: z.literal("approve"),
    ask_user_answers: Answers.optional(),
    edited_args: Edits.optional(),
  }),
  z.strictObject({ decision_type: z.literal("reject"), rejection_reason: Reason.optional() }),
  z.strictObject({
    decision_type: z.literal("batch"),
    decisions: z.record(z.string(), Word),
    rejection_reasons: z.record(z.string(), Reason).optional(),
    edited_args: Edits.optional(),
  }),
]);
type Response = z.output<typeof Response>;

/** 1 MiB of JSON: more than the arguments of every call that waits. */
const MAX_DECISION_CHARS = 1024 * 1024;
/** Characters of what is said about a malformed answer. */
const MAX_WHY_CHARS = 300;

/** What people decided about one pending call. */
export type CallDecision =
  | {
      readonly call: PendingCall;
      readonly decision: "approve";
      /** To call with instead of `call.args`; not judged by the tool's schema yet. */
      readonly editedArgs?: Readonly<Record<string, unknown>>;
    }
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

/** An answer that decides nothing. */
export const voided = (why: string): DecisionResult & { readonly ok: false } => ({
  ok: false,
  why: why.length <= MAX_WHY_CHARS ? why : `${why.slice(0, MAX_WHY_CHARS)}...`,
});

/**
 * Reads people's answer to pending calls; fails closed (decisions 9, kagent-api section 3.3).
 *
 * Every pending call gets exactly one decision or the answer is void as a whole: a missing, unknown or
 * malformed decision executes nothing. Plain text answers a single question; it never approves. Never throws,
 * whatever the parts hold.
 */
export function readDecision(
  parts: readonly Part[],
  pending: readonly PendingCall[],
): DecisionResult {
  const data = parts.flatMap((part) => ("data" in part ? [part.data] : []));
  if (data.length === 0) return fromText(textOf(parts).trim(), pending);
  if (data.length > 1) return voided("the answer holds more than one decision");
  const plain = plainJson(data[0]);
  if (!plain.ok) return plain;
  const response = Response.safeParse(plain.value);
  if (!response.success) return voided(malformed(plain.value, response.error));
  return fromResponse(response.data, pending);
}

/** A copy that is JSON and nothing else: no getter, no prototype and no key that stands for one. */
function plainJson(
  data: unknown,
): { readonly ok: true; readonly value: unknown } | (DecisionResult & { readonly ok: false }) {
  const text = jsonText(data);
  if (text === undefined) return voided("the answer is no JSON");
  if (text.length > MAX_DECISION_CHARS)
    return voided(`the answer is longer than ${MAX_DECISION_CHARS} characters`);
  const value = JSON.parse(text) as unknown;
  // zod leaves such a key out without a word, and what is left would count as the whole answer
  return holdsPrototypeKey(value) ? voided("the answer has a key __proto__") : { ok: true, value };
}

function jsonText(data: unknown): string | undefined {
  try {
    const text: unknown = JSON.stringify(data);
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined; // a cycle, a number that JSON has no form for
  }
}

function holdsPrototypeKey(value: unknown): boolean {
  const left: unknown[] = [value]; // no recursion: people choose the depth
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== "object" || next === null) continue;
    if (Object.hasOwn(next, "__proto__")) return true;
    for (const item of Object.values(next)) left.push(item);
  }
  return false;
}

function malformed(value: unknown, error: z.ZodError): string {
  const type = Object.hasOwn(Object(value) as object, "decision_type");
  if (!type) return "the answer is no decision: it has no decision_type";
  const [issue] = error.issues;
  const path = issue?.path.map(String).join(".") ?? "";
  if (path === "decision_type")
    return "unknown decision_type: it is one of approve, reject and batch";
  return `the answer is no decision: ${path === "" ? "" : `${path}: `}${issue?.message ?? "malformed"}`;
}

function fromResponse(response: Response, pending: readonly PendingCall[]): DecisionResult {
  switch (response.decision_type) {
    case "approve": {
      const read = fromApprove(response.ask_user_answers, pending);
      return withEdits(read, response.edited_args);
    }
    case "reject": {
      const reason = response.rejection_reason;
      return { ok: true, decisions: pending.map((call) => rejected(call, reason)) };
    }
    case "batch":
      return withEdits(fromBatch(response, pending), response.edited_args);
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
  batch: Extract<Response, { decision_type: "batch" }>,
  pending: readonly PendingCall[],
): DecisionResult {
  const decisions = new Map(Object.entries(batch.decisions));
  const reasons = new Map(Object.entries(batch.rejection_reasons ?? {}));
  const known = new Set(pending.map(({ callId }) => callId));
  if (known.size < pending.length)
    return voided("two pending calls have the same id; approve or reject them together");
  if ([...decisions.keys(), ...reasons.keys()].some((id) => !known.has(id)))
    return voided("the answer decides on a call that is not pending");
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
        : rejected(call, reasons.get(call.callId)),
    ),
  };
}

/** The decisions with the approver's arguments; each edit belongs to one call that is approved. */
function withEdits(
  read: DecisionResult,
  edits: z.output<typeof Edits> | undefined,
): DecisionResult {
  if (!read.ok || edits === undefined) return read;
  const byCall = new Map(Object.entries(edits));
  const approved = read.decisions.filter(({ decision }) => decision === "approve");
  for (const id of byCall.keys()) {
    const meant = approved.filter(({ call }) => call.callId === id);
    if (meant.length !== 1) return voided("edited_args edits a call that is not approved");
  }
  return {
    ok: true,
    decisions: read.decisions.map((item) => {
      const editedArgs = byCall.get(item.call.callId);
      return item.decision === "approve" && editedArgs !== undefined
        ? { ...item, editedArgs }
        : item;
    }),
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
