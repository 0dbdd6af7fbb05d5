import { argsHash, canonical } from "../api/approval-decision.ts";
import type { Part, PendingCall } from "../api/events.ts";
import { refKey } from "../api/names.ts";
import type { ModelToolCall } from "../model/chat-model.ts";
import { waitingCall } from "./approval-ask.ts";
import { attachments } from "./attachments.ts";
import { delegate } from "./delegate.ts";
import { callServer } from "./server-call.ts";
import { auditRefusal, guardViolation } from "./tool-guard.ts";
import type { Tool, Toolbox } from "./toolbox.ts";
import type { ToolAnswer, Turn } from "./turn-context.ts";

/**
 * Runs the calls of one model step, at most `maxParallelTools` at once, and stores each with its result.
 *
 * @returns The calls that wait for a person; nothing of them was run.
 * @throws LimitError when a budget is used up.
 * @throws The turn's abort reason.
 */
export async function runCalls(
  turn: Turn,
  toolbox: Toolbox,
  calls: readonly ModelToolCall[],
): Promise<readonly PendingCall[]> {
  const pending: PendingCall[] = [];
  const runnable: ModelToolCall[] = [];
  for (const call of calls) {
    const tool = toolbox.tools.get(call.name);
    // nobody is asked about a call that must not run
    const barred = guardViolation(tool, call) !== undefined;
    const waits = barred ? undefined : await waitingCall(turn, tool, call);
    if (waits === undefined) runnable.push(call);
    else pending.push(waits);
  }
  const nested: PendingCall[] = [];
  await atMost(turn.config.limits.maxParallelTools, runnable, async (call) => {
    nested.push(...(await runCall(turn, toolbox, call)));
  });
  for (const { callId, name, args, kind } of pending)
    await announce(turn, { id: callId, name, args }, kind === "question" ? undefined : toolbox);
  return [...pending, ...nested];
}

/**
 * Runs one call and stores it with its result. A call that cannot run is a result that says why.
 *
 * @returns Calls of another agent that wait for people.
 */
async function runCall(
  turn: Turn,
  toolbox: Toolbox,
  call: ModelToolCall,
): Promise<readonly PendingCall[]> {
  const tool = toolbox.tools.get(call.name);
  const refusal = await refused(turn, toolbox, tool, call);
  if (tool?.kind === "agent" && refusal === undefined) {
    const text = typeof call.args["request"] === "string" ? call.args["request"] : "";
    const parts: readonly Part[] = [{ text }, ...attachments(turn)];
    const { pending } = await delegate(turn, {
      callId: call.id,
      name: call.name,
      use: tool.use,
      parts,
      output: "text",
    });
    return pending;
  }
  turn.budget.startToolCall();
  await announce(turn, call, toolbox);
  const runs = tool?.kind === "mcp" || tool?.kind === "builtin";
  if (runs && refusal === undefined) await execute(turn, tool, call);
  else await store(turn, call, { ok: false, parts: [{ text: refusal ?? "" }] }, 0);
  return [];
}

/**
 * Runs a call that a person approved; its `tool-call` event is in the log since it was asked for.
 *
 * The log says that it is about to run before it does, so that a worker which ends in between leaves a trace.
 *
 * @param edited - The arguments are the approver's, not the model's.
 */
export async function runApproved(
  turn: Turn,
  toolbox: Toolbox,
  call: ModelToolCall,
  edited: "edited" | "as-asked",
): Promise<void> {
  const { id: callId, name, args } = call;
  const tool = toolbox.tools.get(name);
  turn.budget.startToolCall();
  const violation = guardViolation(tool, call);
  if (violation !== undefined)
    await answerCall(turn, call, await auditRefusal(turn, call, violation), "failed");
  else if (tool?.kind !== "mcp")
    await answerCall(turn, call, `Tool '${name}' is not available any more.`, "failed");
  else {
    turn.signal.throwIfAborted();
    await turn.emit.event({ type: "tool-intent", callId, name, argsHash: argsHash(args) });
    turn.signal.throwIfAborted();
    const note =
      edited === "edited"
        ? `The approver changed the arguments to ${JSON.stringify(args)}`
        : undefined;
    await execute(turn, tool, call, note);
  }
}

/** Stores an answer that no tool gave: a rejection, a person's words. */
export async function answerCall(
  turn: Turn,
  call: Pick<ModelToolCall, "id" | "name">,
  text: string,
  outcome: "answered" | "failed",
): Promise<void> {
  await store(turn, call, { ok: outcome === "answered", parts: [{ text }] }, 0);
}

async function refused(
  turn: Turn,
  toolbox: Toolbox,
  tool: Tool | undefined,
  call: ModelToolCall,
): Promise<string | undefined> {
  if (tool === undefined) {
    const names = [...toolbox.tools.keys()].join(", ");
    return `There is no tool '${call.name}'. Tools: ${names === "" ? "none" : names}.`;
  }
  const violation = guardViolation(tool, call);
  if (violation !== undefined) return await auditRefusal(turn, call, violation);
  if (tool.kind === "ask-user") return "ask_user needs at least one question.";
  const key =
    tool.kind === "agent"
      ? `agent ${refKey(tool.use.ref)}`
      : `${call.name} ${canonical(call.args)}`;
  if (turn.budget.admits(key)) return undefined;
  return tool.kind === "agent"
    ? `Agent ${refKey(tool.use.ref)} was asked in this turn already; use its answer.`
    : "The same call with the same arguments was made in this turn already; use its result.";
}

async function announce(
  turn: Turn,
  call: ModelToolCall,
  toolbox: Toolbox | undefined,
): Promise<void> {
  const tool = toolbox?.tools.get(call.name);
  const target =
    tool?.kind === "mcp"
      ? { kind: "mcp" as const, ref: refKey(tool.use.server.ref) }
      : { kind: "builtin" as const, ref: call.name };
  const { id: callId, name, args } = call;
  await turn.emit.event({ type: "tool-call", callId, name, args, target });
}

async function execute(
  turn: Turn,
  tool: Extract<Tool, { kind: "mcp" | "builtin" }>,
  call: ModelToolCall,
  note?: string,
): Promise<void> {
  const { clock } = turn.deps;
  const started = clock.monotonic();
  let answer: ToolAnswer;
  try {
    answer =
      tool.kind === "builtin"
        ? await tool.run(call.args, turn.signal)
        : await callServer(turn, tool, call);
  } catch (error) {
    turn.signal.throwIfAborted();
    answer = {
      ok: false,
      parts: [{ text: error instanceof Error ? error.message : String(error) }],
    };
  }
  if (note !== undefined) answer = { ...answer, parts: [...answer.parts, { text: `\n\n${note}` }] };
  await store(turn, call, answer, Math.round(clock.monotonic() - started));
}

async function store(
  turn: Turn,
  call: Pick<ModelToolCall, "id" | "name">,
  answer: ToolAnswer,
  ms: number,
): Promise<void> {
  const { ok, parts } = answer;
  const event = { callId: call.id, name: call.name, ok, parts: [...parts], ms };
  await turn.emit.event({ type: "tool-result", ...event });
}

/**
 * Does `work` on every item, at most `limit` at once. After the first failure nothing new starts, and
 * what runs is awaited before the failure is passed on.
 */
async function atMost<T>(
  limit: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (const item of queue) {
      if (failures.length > 0) return;
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
}
