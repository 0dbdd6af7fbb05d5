import type { Part, PendingCall } from "../../../runtime/api/events.ts";
import type { SeededRandom } from "../../support/seeded-random.ts";

/** A message to a task that waits, and what it allows: arguments by call id, empty where it is void or rejects. */
export interface Sent {
  /** For a failing run. */
  readonly label: string;
  readonly parts: readonly Part[];
  readonly grants: ReadonlyMap<string, unknown>;
  /** Whether it decides: every call is settled by it. */
  readonly decides: boolean;
}

type Batch = Record<string, unknown>;
type Made = Omit<Sent, "parts"> & { readonly data: unknown };

let edits = 0;

/** Arguments that fit the tool's schema and the Git rules, and that nobody else uses. */
function edited(call: PendingCall): Record<string, unknown> {
  edits += 1;
  if ("branch" in call.args) return { ...call.args, branch: `agent/edited-${edits}` };
  return { id: `edited-${edits}`, replicas: edits };
}

/** Arguments that break the schema of the tool or a Git rule. */
function spoiled(random: SeededRandom, call: PendingCall): Record<string, unknown> {
  if ("branch" in call.args)
    return random.pick([
      { ...call.args, branch: "main" },
      { ...call.args, branch: "agent/../main" },
      { ...call.args, branch: "аgent/x" }, // a Cyrillic letter
      { ...call.args, branch: 7 },
      { ...call.args, force: true },
      { files: call.args["files"] ?? [] },
    ]);
  return random.pick([
    { ...call.args, id: 7 },
    { replicas: 1 },
    { ...call.args, replicas: "many" },
    { ...call.args, replicas: -1 },
    { ...call.args, unknown: true },
  ]);
}

/** A decision as people make them: everything in it is right. */
function valid(random: SeededRandom, pending: readonly PendingCall[]): Made {
  const grants = new Map<string, unknown>(pending.map(({ callId, args }) => [callId, args]));
  const kind = random.pick(["approve", "approve-edited", "reject", "batch", "batch", "batch"]);
  if (kind === "reject")
    return {
      label: kind,
      data: {
        decision_type: "reject",
        ...(random.chance(0.5) ? { rejection_reason: "no" } : {}),
      },
      grants: new Map(),
      decides: true,
    };
  if (kind === "approve")
    return { label: kind, data: { decision_type: "approve" }, grants, decides: true };
  if (kind === "approve-edited") {
    const edit = random.pick(pending);
    const args = edited(edit);
    grants.set(edit.callId, args);
    const data = { decision_type: "approve", edited_args: { [edit.callId]: args } };
    return { label: kind, data, grants, decides: true };
  }
  const decisions: Record<string, string> = {};
  const editedArgs: Record<string, unknown> = {};
  for (const call of pending) {
    const approves = random.chance(0.5);
    decisions[call.callId] = approves ? "approve" : "reject";
    if (!approves) grants.delete(call.callId);
    else if (random.chance(0.3)) {
      const args = edited(call);
      editedArgs[call.callId] = args;
      grants.set(call.callId, args);
    }
  }
  const data = {
    decision_type: "batch",
    decisions,
    ...(Object.keys(editedArgs).length === 0 ? {} : { edited_args: editedArgs }),
  };
  return { label: "batch", data, grants, decides: true };
}

/** A valid answer in which every call is approved, to spoil. */
function approving(pending: readonly PendingCall[]): Batch {
  const decisions = Object.fromEntries(pending.map(({ callId }) => [callId, "approve"]));
  return { decision_type: "batch", decisions };
}

const LOOK_ALIKES = ["аpprove", "approve ", "Approve", "APPROVE", "aprove", "approve\u200b", "ok"];

/** Each makes parts that must not decide anything, out of an answer that would approve everything. */
const SPOILERS: Readonly<
  Record<string, (random: SeededRandom, pending: readonly PendingCall[]) => readonly Part[]>
> = {
  "a call is left out": (random, pending) => {
    const batch = approving(pending);
    const decisions = { ...(batch["decisions"] as object) } as Record<string, unknown>;
    Reflect.deleteProperty(decisions, random.pick(pending).callId);
    return [{ data: { ...batch, decisions } }];
  },
  "a call nobody asked about": (random, pending) => {
    const batch = approving(pending);
    const id = random.pick(["another", "constructor", "toString", "", "0", "hasOwnProperty"]);
    const decisions = { ...(batch["decisions"] as object), [id]: "approve" };
    return [{ data: { ...batch, decisions } }];
  },
  "an id that looks alike": (random, pending) => {
    const { callId } = random.pick(pending);
    const batch = approving(pending);
    const decisions = { ...(batch["decisions"] as object) } as Record<string, unknown>;
    Reflect.deleteProperty(decisions, callId);
    const alike = random.pick([
      `${callId} `,
      callId.toUpperCase(),
      callId.replace("c", "с"),
      `${callId}\u200b`,
    ]);
    decisions[alike] = "approve";
    return [{ data: { ...batch, decisions } }];
  },
  "a prototype key": (random, pending) => {
    const text = JSON.stringify(approving(pending));
    const proto = random.pick([
      text.replace('"decisions":{', '"decisions":{"__proto__":"approve",'),
      text.replace('{"decision_type"', '{"__proto__":{"decision_type":"approve"},"decision_type"'),
      text.replace(/}$/, ',"edited_args":{"__proto__":{"id":"x"}}}'),
    ]);
    return [{ data: JSON.parse(proto) }];
  },
  "only a prototype decides": (_, pending) => {
    const data = JSON.parse('{"decision_type":"batch","decisions":{}}') as Batch;
    Object.setPrototypeOf(data["decisions"], approving(pending)["decisions"] as object);
    return [{ data }];
  },
  "another word": (random, pending) => {
    const batch = approving(pending);
    const word: unknown = random.pick([...LOOK_ALIKES, true, 1, null, ["approve"], {}]);
    const decisions = { ...(batch["decisions"] as object), [random.pick(pending).callId]: word };
    return [{ data: { ...batch, decisions } }];
  },
  "an unknown type": (random, pending) => {
    const type: unknown = random.pick([...LOOK_ALIKES, "expire", "approve_all", 1, true, null, []]);
    return [{ data: { ...approving(pending), decision_type: type } }];
  },
  "an unknown key": (random, pending) => {
    const key = random.pick(["decision", "call_ids", "Decisions", "approve"]);
    return [
      {
        data: random.pick([
          { ...approving(pending), [key]: 1 },
          { decision_type: "approve", [key]: {} },
        ]),
      },
    ];
  },
  "decisions of another shape": (random, pending) => {
    const decisions: unknown = random.pick([
      [],
      pending.map(({ callId }) => callId),
      "approve",
      true,
      null,
      Object.entries(approving(pending)["decisions"] as object),
    ]);
    return [{ data: { decision_type: "batch", decisions } }];
  },
  "two answers": (random, pending) => {
    const parts = [{ data: approving(pending) }, { data: { decision_type: "reject" } }];
    return random.chance(0.5) ? parts : [...parts].reverse();
  },
  "the same answer twice": (_, pending) => [
    { data: approving(pending) },
    { data: approving(pending) },
  ],
  "no answer but text": (random, pending) => [
    { text: random.pick(["approve", "yes", "", JSON.stringify(approving(pending))]) },
  ],
  "an answer in a file": (_, pending) => [
    {
      raw: Buffer.from(JSON.stringify(approving(pending))).toString("base64"),
      mediaType: "application/json",
    },
  ],
  "an answer one level down": (random, pending) => {
    const batch = approving(pending);
    return [{ data: random.pick<unknown>([[batch], { data: batch }, { answer: batch }]) }];
  },
  "an answer as text in data": (_, pending) => [{ data: JSON.stringify(approving(pending)) }],
  "answers to questions nobody asked": () => [
    { data: { decision_type: "approve", ask_user_answers: [{ answer: ["approve"] }] } },
  ],
  "an edit that does not fit": (random, pending) => {
    const call = random.pick(pending);
    const edited_args = { [call.callId]: spoiled(random, call) };
    return [
      {
        data: random.pick<unknown>([
          { ...approving(pending), edited_args },
          { decision_type: "approve", edited_args },
        ]),
      },
    ];
  },
  "an edit of a call nobody asked about": (random, pending) => [
    { data: { ...approving(pending), edited_args: { other: edited(random.pick(pending)) } } },
  ],
  "an edit of a rejected call": (random, pending) => {
    const call = random.pick(pending);
    const batch = approving(pending);
    const decisions = { ...(batch["decisions"] as object), [call.callId]: "reject" };
    return [{ data: { ...batch, decisions, edited_args: { [call.callId]: edited(call) } } }];
  },
  "an edit of another shape": (random, pending) => {
    const { callId } = random.pick(pending);
    const args: unknown = random.pick([[], "x", 1, null, true]);
    return [{ data: { ...approving(pending), edited_args: { [callId]: args } } }];
  },
  "reasons for calls nobody asked about": (_, pending) => [
    { data: { ...approving(pending), rejection_reasons: { other: "no" } } },
  ],
  "a huge answer": (_, pending) => [
    { data: { ...approving(pending), rejection_reasons: { x: "y".repeat(3_000) } } },
  ],
  "no data": (random) => [{ data: random.pick<unknown>([null, 1, "approve", [], {}, true, ""]) }],
};

/** What spoils an answer, by name. */
export const SPOILED = Object.keys(SPOILERS);

/** One of many answers: a valid one, or one that must not decide anything. */
export function randomDecision(random: SeededRandom, pending: readonly PendingCall[]): Sent {
  if (random.chance(0.2)) {
    const { data, ...made } = valid(random, pending);
    const label: Part = { text: "approve all of it" };
    const parts = random.chance(0.3) ? [label, { data }] : [{ data }];
    return { ...made, parts };
  }
  const label = random.pick(SPOILED);
  const parts = SPOILERS[label]?.(random, pending) ?? [];
  return { label, parts, grants: new Map(), decides: false };
}
