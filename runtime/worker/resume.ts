import {
  argsHash,
  type CallDecision,
  type DecisionResult,
  readDecision,
  voided,
} from "../api/approval-decision.ts";
import {
  EXPIRY_APPROVER,
  isExpired,
  type OpenRequest,
  openRequest,
} from "../api/approval-request.ts";
import type { Decider } from "../api/approvers.ts";
import type { EventOf, PendingCall } from "../api/events.ts";
import { requestApproval } from "./approval-ask.ts";
import type { DelegateResult } from "./delegate.ts";
import { editViolation } from "./edited-args.ts";
import { resumeDelegates } from "./nested-decisions.ts";
import { answerCall, runApproved } from "./tool-calls.ts";
import type { Toolbox } from "./toolbox.ts";
import type { Turn, TurnOutcome } from "./turn-context.ts";

/** What became of people's answer. */
export type Resumed =
  /** It was void, or an agent waits for people again: the turn ends here. */
  | { readonly kind: "waiting"; readonly outcome: TurnOutcome }
  /** Every call is settled, and the turn goes on. */
  | { readonly kind: "settled"; readonly results: readonly DelegateResult[] };

/** A request that waits in the task of this turn; `undefined` when none does. */
export function waitingRequest(turn: Turn): OpenRequest | undefined {
  return openRequest(turn.history(), turn.request.taskId);
}

/**
 * Takes people's answer to the calls that wait, or its absence after the request has expired, and settles each call:
 * runs what was approved, tells the model of the rest, hands decisions on to other agents.
 *
 * @throws LimitError, or the turn's abort reason.
 */
export async function resume(
  turn: Turn,
  request: OpenRequest,
  toolbox: () => Promise<Toolbox>,
): Promise<Resumed> {
  const read = await decisionsOf(turn, request, toolbox);
  if (!read.ok) return await voidAnswer(turn, read.why);
  if (!(await record(turn, request, read)))
    return await voidAnswer(turn, "somebody else has decided in the same moment");
  const results = await resumeDelegates(
    read.decider === undefined ? turn : decidedBy(turn, request, read.decider),
    read.decisions.filter(({ call }) => call.delegate !== undefined),
  );
  for (const decision of read.decisions)
    if (decision.call.delegate === undefined)
      await settle(turn, toolbox, decision, read.decider === undefined ? "people" : "expiry");
  const again = results.flatMap(({ pending }) => pending);
  return again.length === 0 ? { kind: "settled", results } : await waitAgain(turn, again);
}

type Decisions =
  | (DecisionResult & { readonly ok: false })
  | {
      readonly ok: true;
      readonly decisions: readonly CallDecision[];
      /** Set when nobody decided in time. */
      readonly decider?: Decider;
    };

async function decisionsOf(
  turn: Turn,
  { seq, body }: OpenRequest,
  toolbox: () => Promise<Toolbox>,
): Promise<Decisions> {
  const { decision, parts } = turn.request;
  if (decision !== undefined && decision.seq !== seq)
    return voided("other calls wait by now than those that were decided on");
  if (isExpired(body, turn.deps.clock.now()) || decision?.kind === "expire") {
    const reason = "nobody decided in time";
    const reject = (call: PendingCall) => ({ call, decision: "reject", reason }) as const;
    return { ok: true, decisions: body.pending.map(reject), decider: { user: EXPIRY_APPROVER } };
  }
  const read = readDecision(parts, body.pending);
  if (!read.ok) return read;
  const broken = await editViolation(toolbox, read.decisions);
  return broken === undefined ? read : voided(broken);
}

async function voidAnswer(turn: Turn, why: string): Promise<Resumed> {
  return {
    kind: "waiting",
    outcome: await invalid(turn, `${why.replace(/\.$/, "")}. The request is still pending.`),
  };
}

/** A decision that finds nothing to decide on, because another process took one: it never starts a turn of its own. */
export async function lateDecision(turn: Turn): Promise<TurnOutcome> {
  return await invalid(turn, "no call of this task waits for a decision any more.");
}

async function invalid(turn: Turn, why: string): Promise<TurnOutcome> {
  const message = `Nothing was executed: ${why}`;
  await turn.emit.event({ type: "error", error: { code: "INVALID_INPUT", message } });
  return { state: "input-required", usage: turn.budget.usage };
}

/**
 * Writes the decisions, once for each request in whatever process: their event has an id of its own that the store
 * takes one time.
 *
 * @returns False when somebody else's decisions were there first.
 */
async function record(
  turn: Turn,
  request: OpenRequest,
  { decisions, decider }: Extract<Decisions, { ok: true }>,
): Promise<boolean> {
  const approver = decider?.user ?? turn.request.decision?.decider.user ?? turn.request.user;
  try {
    await turn.emit.event(decided(decisions, approver), `decided:${request.id}`);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function decided(
  decisions: readonly CallDecision[],
  approver: string,
): EventOf<"approval-decided"> {
  return {
    type: "approval-decided",
    approver,
    decisions: decisions.map((item) => {
      const edited = item.decision === "approve" ? item.editedArgs : undefined;
      return {
        callId: item.call.callId,
        decision: item.decision,
        argsHash: argsHash(edited ?? item.call.args),
        ...(item.decision === "reject" && item.reason !== undefined ? { reason: item.reason } : {}),
        ...(edited === undefined ? {} : { editedArgs: { ...edited } }),
      };
    }),
  };
}

/** The turn as agents that are told of an expiry see it. */
function decidedBy(turn: Turn, { seq }: OpenRequest, decider: Decider): Turn {
  return {
    ...turn,
    request: { ...turn.request, decision: { seq, decider, kind: "expire" } },
  };
}

async function settle(
  turn: Turn,
  toolbox: () => Promise<Toolbox>,
  item: CallDecision,
  by: "people" | "expiry",
): Promise<void> {
  const { callId: id, name, args } = item.call;
  switch (item.decision) {
    case "approve": {
      const { editedArgs } = item;
      const call = { id, name, args: editedArgs ?? args };
      await runApproved(
        turn,
        await toolbox(),
        call,
        editedArgs === undefined ? "as-asked" : "edited",
      );
      return;
    }
    case "reject": {
      await answerCall(turn, { id, name }, rejectionText(turn, item, by), "failed");
      return;
    }
    case "answer":
      await answerCall(turn, { id, name }, answersText(item.call, item.answers), "answered");
  }
}

function rejectionText(
  turn: Turn,
  { call, reason }: Extract<CallDecision, { decision: "reject" }>,
  by: "people" | "expiry",
): string {
  const why = reason === undefined ? "" : ` Reason: ${reason}`;
  const text =
    by === "people"
      ? `Tool call was rejected by user.${why}`
      : `Tool call was not executed: its approval has expired.${why}`;
  const mayHaveRun = turn
    .history()
    .some(({ body }) => body.type === "tool-intent" && body.callId === call.callId);
  return mayHaveRun ? `${text} Whether an earlier attempt was executed is not known.` : text;
}

function answersText(call: PendingCall, answers: readonly (readonly string[])[]): string {
  const questions = Array.isArray(call.args["questions"]) ? call.args["questions"] : [];
  const items: unknown[] = answers.map((answer, index) => ({
    question: (questions[index] as { question?: unknown } | undefined)?.question ?? null,
    answer,
  }));
  return JSON.stringify(items);
}

async function waitAgain(turn: Turn, pending: readonly PendingCall[]): Promise<Resumed> {
  await requestApproval(turn, pending);
  return {
    kind: "waiting",
    outcome: { state: "input-required", usage: turn.budget.usage },
  };
}
