import type { AgentConfig } from "../api/agent-config.ts";
import { type Event, type TurnError, textOf } from "../api/events.ts";
import { refKey } from "../api/names.ts";
import { compileRefusals } from "../api/refusal.ts";
import { ModelError } from "../model/chat-model.ts";
import { StoreAwayError } from "../store/store-away-error.ts";
import { requestApproval } from "./approval-ask.ts";
import { answeredAttachments, askedParts } from "./attachments.ts";
import { Budget, LimitError } from "./budget.ts";
import { answerParts } from "./final-answer.ts";
import { maskedText } from "./guarded-result.ts";
import { afterAnswer, concludeHandoff, handoffOf } from "./handoff.ts";
import { settleIntents } from "./intents.ts";
import { knownSecrets } from "./known-secrets.ts";
import { converse } from "./model-loop.ts";
import { lateDecision, resume, waitingRequest } from "./resume.ts";
import { proceed, routedTurn, routeTaken } from "./routed-turn.ts";
import { openToolbox, type Toolbox } from "./toolbox.ts";
import type { Turn, TurnDeps, TurnEmitter, TurnOutcome, TurnRequest } from "./turn-context.ts";
import { TurnFailure } from "./turn-failure.ts";

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
 * Runs one turn of one agent: refusal, routing, then model and tools until there is an answer; hand-offs after it.
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
  const toolbox = once(() => openToolbox(turn));
  const request = waitingRequest(turn);
  if (request !== undefined) {
    const resumed = await resume(turn, request, toolbox);
    if (resumed.kind === "waiting") return resumed.outcome;
    if (handoffOf(turn) !== undefined) return await concludeHandoff(turn, resumed.results);
    const taken = routeTaken(turn);
    if (taken !== undefined) return await proceed(turn, taken, resumed.results);
    return hasBegun(turn) ? await modelTurn(turn, await toolbox()) : await begin(turn, toolbox);
  }
  if (turn.request.decision !== undefined) return await lateDecision(turn);
  const doubtful = await settleIntents(turn, toolbox);
  if (doubtful.length === 0) return await begin(turn, toolbox);
  await requestApproval(turn, doubtful);
  return { state: "input-required", usage: turn.budget.usage };
}

/** Serves the user's request; what an earlier turn left open is settled by now. */
async function begin(turn: Turn, toolbox: () => Promise<Toolbox>): Promise<TurnOutcome> {
  const text = textOf(askedParts(turn));
  const refusal = compileRefusals(turn.config.refusals)(text);
  if (refusal !== undefined) return await refuse(turn, refusal.rule, refusal.message);
  if (turn.config.routing !== undefined) {
    const end = await routedTurn(turn, turn.config.routing, text);
    if (end !== "model") return end;
  }
  return await modelTurn(turn, await toolbox());
}

async function modelTurn(turn: Turn, toolbox: Toolbox): Promise<TurnOutcome> {
  const end = await converse(turn, toolbox);
  if (end.kind === "waiting") return { state: "input-required", usage: turn.budget.usage };
  const parts = [...(await answerParts(turn, end)), ...answeredAttachments(turn)];
  await turn.emit.event({ type: "message", role: "agent", parts });
  return await afterAnswer(turn, parts);
}

async function refuse(turn: Turn, rule: string, message: string): Promise<TurnOutcome> {
  const text = `Refused by ${refKey(turn.config.ref)} (layer ${REFUSING_LAYER}, rule ${rule}): ${message}`;
  await turn.emit.event({ type: "refusal", layer: REFUSING_LAYER, rule, message });
  await turn.emit.event({ type: "message", role: "agent", parts: [{ text }] });
  return { state: "rejected", usage: turn.budget.usage };
}

/** Whether the model has been at work in this task; else only what an earlier turn left open was settled in it. */
function hasBegun(turn: Turn): boolean {
  return turn
    .history()
    .some(({ taskId, body }) => taskId === turn.request.taskId && body.type === "tool-call");
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
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
  if (error instanceof StoreAwayError) return { code: "INTERNAL", message: error.message };
  if (error instanceof TurnFailure) return { code: error.code, message: error.message };
  if (error instanceof ModelError)
    return {
      code:
        error.code === "unreachable" || error.code === "timeout"
          ? "MODEL_UNAVAILABLE"
          : "MODEL_ERROR",
      message: error.message,
    };
  // What nobody expected may quote what it stumbled over, such as a header that cannot be sent.
  const secrets = knownSecrets(turn.config, turn.request.headers);
  const stack = error instanceof Error ? error.stack : undefined;
  turn.deps.log.error("turn failed", {
    agent: refKey(turn.config.ref),
    error: maskedText(String(error), secrets),
    stack: stack === undefined ? undefined : maskedText(stack, secrets),
  });
  return { code: "INTERNAL", message: "internal error; the log of the worker says more" };
}
