import type { AgentConfig } from "../api/agent-config.ts";
import { argsHash, type CallDecision, readDecision } from "../api/approval-decision.ts";
import {
  type Event,
  type EventOf,
  type PendingCall,
  type TurnError,
  textOf,
} from "../api/events.ts";
import { META, refKey } from "../api/names.ts";
import { compileRefusals } from "../api/refusal.ts";
import { ModelError } from "../model/chat-model.ts";
import { Budget, LimitError } from "./budget.ts";
import { envelopeAnswer, envelopeParts } from "./envelope-answer.ts";
import { converse } from "./model-loop.ts";
import { resumeDelegates } from "./nested-decisions.ts";
import { concludeRouted, routedTurn } from "./routed-turn.ts";
import { answerCall, runApproved } from "./tool-calls.ts";
import { openToolbox, type Toolbox } from "./toolbox.ts";
import type { Turn, TurnDeps, TurnEmitter, TurnOutcome, TurnRequest } from "./turn-context.ts";

/** Name of the guard layer that the agent itself is (product.md section 5, layer 3). */
const REFUSING_LAYER = "agent";

/** What {@link runTurn} works with. */
export interface TurnInput {
  readonly config: AgentConfig;
  readonly request: TurnRequest;
  readonly emit: TurnEmitter;
  /** Events of the session so far, this request's message among them. */
  readonly history: () => readonly Event[];
}

/**
 * Runs one turn of one agent: refusal, routing, then model and tools until there is an answer.
 *
 * Everything that happens goes to `emit`; the status event is the caller's to store. A failure is an
 * outcome, not an exception.
 *
 * @throws The signal's reason when the caller cancelled.
 */
export async function runTurn(
  deps: TurnDeps,
  input: TurnInput,
  signal: AbortSignal,
): Promise<TurnOutcome> {
  const { maxDurationMs } = input.config.limits;
  const late = new AbortController();
  const disarm = deps.clock.schedule(maxDurationMs, () => {
    late.abort(new LimitError("maxDuration", maxDurationMs));
  });
  const budget = new Budget(input.config.limits);
  const turn: Turn = {
    ...input,
    deps,
    budget,
    signal: AbortSignal.any([signal, late.signal]),
  };
  try {
    return await steps(turn);
  } catch (error) {
    signal.throwIfAborted();
    return await failure(turn, late.signal.aborted ? late.signal.reason : error);
  } finally {
    disarm();
  }
}

async function steps(turn: Turn): Promise<TurnOutcome> {
  turn.signal.throwIfAborted();
  const pending = pendingCalls(turn);
  if (pending !== undefined) return await resume(turn, pending);
  const text = textOf(turn.request.parts);
  const refusal = compileRefusals(turn.config.refusals)(text);
  if (refusal !== undefined) return await refuse(turn, refusal.rule, refusal.message);
  if (turn.config.routing !== undefined) {
    const end = await routedTurn(turn, turn.config.routing, text);
    if (end !== "model") return end;
  }
  return await modelTurn(turn, await openToolbox(turn));
}

async function modelTurn(turn: Turn, toolbox: Toolbox): Promise<TurnOutcome> {
  const end = await converse(turn, toolbox);
  if (end.kind === "waiting") return { state: "input-required", usage: turn.budget.usage };
  const { text, messages } = end;
  const parts =
    turn.request.metadata[META.output] === "envelope"
      ? envelopeParts(await envelopeAnswer(turn, text, messages), text)
      : [{ text }];
  await turn.emit.event({ type: "message", role: "agent", parts });
  return { state: "completed", usage: turn.budget.usage };
}

async function refuse(turn: Turn, rule: string, message: string): Promise<TurnOutcome> {
  const text = `Refused by ${refKey(turn.config.ref)} (layer ${REFUSING_LAYER}, rule ${rule}): ${message}`;
  await turn.emit.event({ type: "refusal", layer: REFUSING_LAYER, rule, message });
  await turn.emit.event({ type: "message", role: "agent", parts: [{ text }] });
  return { state: "rejected", usage: turn.budget.usage };
}

/** Calls of this task that wait for people; `undefined` when none does. */
function pendingCalls(turn: Turn): readonly PendingCall[] | undefined {
  const open = turn
    .history()
    .findLast(
      ({ taskId, body }) =>
        taskId === turn.request.taskId &&
        (body.type === "approval-requested" || body.type === "approval-decided"),
    )?.body;
  return open?.type === "approval-requested" ? open.pending : undefined;
}

async function resume(turn: Turn, pending: readonly PendingCall[]): Promise<TurnOutcome> {
  const read = readDecision(turn.request.parts, pending);
  if (!read.ok) {
    const message = `Nothing was executed: ${read.why}. The request is still pending.`;
    await turn.emit.event({ type: "error", error: { code: "INVALID_INPUT", message } });
    return { state: "input-required", usage: turn.budget.usage };
  }
  await turn.emit.event(decided(turn, read.decisions));
  const nested = read.decisions.filter(({ call }) => call.delegate !== undefined);
  const results = await resumeDelegates(turn, nested);
  if (wasRouted(turn)) return await concludeRouted(turn, results);
  const toolbox = await openToolbox(turn);
  for (const decision of read.decisions)
    if (decision.call.delegate === undefined) await settle(turn, toolbox, decision);
  const again = results.flatMap((result) => result.pending);
  if (again.length === 0) return await modelTurn(turn, toolbox);
  await turn.emit.event({ type: "approval-requested", pending: again });
  return { state: "input-required", usage: turn.budget.usage };
}

/** Whether this task's request went to other agents by a rule. */
function wasRouted(turn: Turn): boolean {
  return turn
    .history()
    .some(
      ({ taskId, body }) =>
        taskId === turn.request.taskId && body.type === "routing" && body.agents.length > 0,
    );
}

function decided(turn: Turn, decisions: readonly CallDecision[]): EventOf<"approval-decided"> {
  return {
    type: "approval-decided",
    approver: turn.request.user,
    decisions: decisions.map((item) => ({
      callId: item.call.callId,
      decision: item.decision,
      argsHash: argsHash(item.call.args),
      ...(item.decision === "reject" && item.reason !== undefined ? { reason: item.reason } : {}),
    })),
  };
}

async function settle(turn: Turn, toolbox: Toolbox, item: CallDecision): Promise<void> {
  const { callId: id, name, args } = item.call;
  switch (item.decision) {
    case "approve":
      await runApproved(turn, toolbox, { id, name, args });
      return;
    case "reject": {
      const reason = item.reason === undefined ? "" : ` Reason: ${item.reason}`;
      const text = `Tool call was rejected by user.${reason}`;
      await answerCall(turn, { id, name }, text, "failed");
      return;
    }
    case "answer":
      await answerCall(turn, { id, name }, answersText(item.call, item.answers), "answered");
  }
}

function answersText(call: PendingCall, answers: readonly (readonly string[])[]): string {
  const questions = Array.isArray(call.args["questions"]) ? call.args["questions"] : [];
  const items: unknown[] = answers.map((answer, index) => ({
    question: (questions[index] as { question?: unknown } | undefined)?.question ?? null,
    answer,
  }));
  return JSON.stringify(items);
}

async function failure(turn: Turn, error: unknown): Promise<TurnOutcome> {
  if (error instanceof LimitError)
    await turn.emit.event({ type: "limit", limit: error.limit, value: error.value });
  const told = turnError(turn, error);
  await turn.emit.event({ type: "error", error: told });
  return { state: "failed", usage: turn.budget.usage, error: told };
}

/** What callers are told; an unexpected error goes to the log and keeps its words to itself. */
function turnError(turn: Turn, error: unknown): TurnError {
  if (error instanceof LimitError) return { code: "LIMIT_EXCEEDED", message: error.message };
  if (error instanceof ModelError)
    return {
      code:
        error.code === "unreachable" || error.code === "timeout"
          ? "MODEL_UNAVAILABLE"
          : "MODEL_ERROR",
      message: error.message,
    };
  turn.deps.log.error("turn failed", {
    agent: refKey(turn.config.ref),
    error: String(error),
    stack: error instanceof Error ? error.stack : undefined,
  });
  return { code: "INTERNAL", message: "internal error; the log of the worker says more" };
}
