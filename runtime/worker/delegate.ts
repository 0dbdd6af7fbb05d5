import { v5 as uuidv5 } from "uuid";
import type { AgentConfig, AgentToolUse } from "../api/agent-config.ts";
import { approverHeaders } from "../api/approvers.ts";
import { type Part, type PendingCall, textOf } from "../api/events.ts";
import { HEADERS, META, refKey } from "../api/names.ts";
import type { AgentCall, AgentUpdate, Turn, TurnDeps, TurnRequest } from "./turn-context.ts";

type Result = Extract<AgentUpdate, { kind: "result" }>;

/** What a delegate's task came to; `pending` are the calls that people have to decide on first. */
export type DelegateResult = Result & { readonly pending: readonly PendingCall[] };

/** A task at another agent. */
interface TaskIds {
  readonly taskId: string;
  readonly contextId: string;
}

/** One call of another agent and how it is asked. */
export interface Delegation {
  readonly callId: string;
  /** Name of the call in events: the agent's name as a tool. */
  readonly name: string;
  readonly use: AgentToolUse;
  readonly parts: readonly Part[];
  /** `envelope` asks for a structured answer. */
  readonly output: "text" | "envelope";
  /** The agent's task that `parts` answer; absent: a new task. */
  readonly resumes?: TaskIds;
}

/**
 * Session of a delegate: one per root context, agent and user, so that a second call remembers the first
 * and two users never share one (kagent-api section 5, requirement 21). The user counts for itself, because a root
 * context comes with the request and people may name one that is not theirs.
 */
export function childContextId(turn: Turn, use: AgentToolUse): string {
  if (use.isolateSessions) return turn.deps.newId();
  const { rootContextId, user } = turn.request;
  return uuidv5(JSON.stringify([rootContextId, refKey(use.ref), user]), uuidv5.URL);
}

/**
 * Calls another agent over A2A and shows what it does while it does it.
 *
 * The call and its result are events of this turn; while the agent waits for people there is no result
 * yet. An agent that fails is a result, not an exception.
 *
 * @throws LimitError before a call that would be one too many.
 * @throws The turn's abort reason.
 */
export async function delegate(turn: Turn, delegation: Delegation): Promise<DelegateResult> {
  const { deps, emit, budget } = turn;
  const { callId, name, use, resumes } = delegation;
  const contextId = resumes?.contextId ?? childContextId(turn, use);
  if (resumes === undefined) {
    budget.startToolCall();
    budget.startDelegation();
    const target = { kind: "agent", ref: refKey(use.ref) } as const;
    const args = { request: textOf(delegation.parts) };
    await emit.event({ type: "tool-call", callId, name, args, target });
  }
  const started = deps.clock.monotonic();
  const { result, task } = await ask(turn, delegation, contextId);
  if (result.usage !== undefined) budget.addDelegate(result.usage);
  const pending = waiting(delegation, result, task);
  if (pending.length > 0) {
    cancelWithTurn(turn, use, task.taskId);
    return { ...result, pending };
  }
  const parts = result.parts.length > 0 ? [...result.parts] : [{ text: failureText(use, result) }];
  await emit.event({
    type: "tool-result",
    callId,
    name,
    ok: result.state === "completed",
    parts,
    ms: Math.round(deps.clock.monotonic() - started),
    childContextId: contextId,
  });
  return { ...result, parts, pending };
}

/** A delegation as a request on the wire. */
export function agentCall(
  turn: Turn,
  { use, parts, output, resumes }: Delegation,
  contextId: string,
): AgentCall {
  return {
    url: use.url,
    parts,
    contextId,
    metadata: output === "envelope" ? { [META.output]: "envelope" } : {},
    headers: lineage(turn, use),
    ...(resumes === undefined ? {} : { taskId: resumes.taskId }),
  };
}

async function ask(
  turn: Turn,
  delegation: Delegation,
  contextId: string,
): Promise<{ readonly result: Result; readonly task: TaskIds }> {
  const { use, resumes } = delegation;
  let task: TaskIds = { taskId: resumes?.taskId ?? "", contextId };
  try {
    const call = agentCall(turn, delegation, contextId);
    for await (const update of turn.deps.agents.call(call, turn.signal)) {
      if (update.kind === "task") task = { taskId: update.taskId, contextId: update.contextId };
      if (update.kind === "activity") turn.emit.activity(update.author, update.body);
      if (update.kind === "result") return { result: update, task };
    }
    return { result: failed(`agent ${refKey(use.ref)} ended without a result`), task };
  } catch (error) {
    turn.signal.throwIfAborted();
    return { result: failed(error instanceof Error ? error.message : String(error)), task };
  }
}

/** The delegate's open calls as this agent asks people about them. */
function waiting(
  { callId, use, output }: Delegation,
  { state, pending = [] }: Result,
  task: TaskIds,
): readonly PendingCall[] {
  if (state !== "input-required") return [];
  const delegate = { agent: refKey(use.ref), ...task, callId, output };
  return pending.map((call) => ({ ...call, delegate }));
}

/** 2 s to tell an agent that nobody waits for its task any more. */
const CANCEL_MS = 2_000;

/** An agent that waits for people is not being called: what ends this turn has to reach it by a request of its own. */
function cancelWithTurn(turn: Turn, use: AgentToolUse, taskId: string): void {
  const { signal, deps } = turn;
  signal.addEventListener(
    "abort",
    () => {
      const headers = lineage(turn, use);
      void cancelDelegate(deps, { agent: refKey(use.ref), url: use.url, taskId, headers });
    },
    { once: true },
  );
}

/** Cancels a task of another agent, in 2 s or not at all; a failure is logged, its request expires by itself. */
export async function cancelDelegate(
  { agents, clock, log }: Pick<TurnDeps, "agents" | "clock" | "log">,
  task: {
    readonly agent: string;
    readonly url: string;
    readonly taskId: string;
    readonly headers: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const late = new AbortController();
  const disarm = clock.schedule(CANCEL_MS, () => {
    late.abort(new Error("the agent took too long"));
  });
  try {
    await agents.cancel(task, late.signal);
  } catch (error) {
    log.warn("delegate could not be cancelled", { agent: task.agent, error: String(error) });
  } finally {
    disarm();
  }
}

function failed(message: string): Result {
  return {
    kind: "result",
    state: "failed",
    parts: [],
    error: { code: "DELEGATE_FAILED", message },
  };
}

/** What people and models read about a delegate that gave no answer. */
function failureText(use: AgentToolUse, result: Result): string {
  const why = result.error?.message ?? `it ended ${result.state} without an answer`;
  return `Agent ${refKey(use.ref)} gave no answer: ${why}`;
}

/** Headers between agents (kagent-api section 3.6); those of the tool's configuration win. */
export function lineage(
  { request, config }: LineageOf,
  use: AgentToolUse,
): Readonly<Record<string, string>> {
  const traceparent = request.headers[HEADERS.traceparent];
  return {
    [HEADERS.userId]: request.user,
    [HEADERS.source]: "agent",
    [HEADERS.agentName]: refKey(config.ref).replace("/", "__NS__"),
    [HEADERS.parentContextId]: request.contextId,
    [HEADERS.rootContextId]: request.rootContextId,
    ...(traceparent === undefined ? {} : { [HEADERS.traceparent]: traceparent }),
    ...(request.decision === undefined ? {} : approverHeaders(request.decision.decider)),
    ...use.headers,
  };
}

/** Who calls another agent, in which session. */
interface LineageOf {
  readonly config: Pick<AgentConfig, "ref">;
  readonly request: Pick<
    TurnRequest,
    "user" | "contextId" | "rootContextId" | "headers" | "decision"
  >;
}
