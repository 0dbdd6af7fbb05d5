import { expiryOf } from "../api/approval-request.ts";
import type { PendingCall } from "../api/events.ts";
import type { ModelToolCall } from "../model/chat-model.ts";
import { questionsHint } from "./ask-user.ts";
import type { Tool } from "./toolbox.ts";
import type { Turn } from "./turn-context.ts";
import { writePreview } from "./write-preview.ts";

/** 16 KiB of JSON: a longer schema does not travel with the request. */
const MAX_SCHEMA_CHARS = 16 * 1024;

/**
 * The request that a call makes to people before it may run; `undefined` for a call that needs none.
 *
 * @throws The turn's abort reason.
 */
export async function waitingCall(
  turn: Turn,
  tool: Tool | undefined,
  call: ModelToolCall,
): Promise<PendingCall | undefined> {
  if (tool?.kind === "ask-user") {
    const hint = questionsHint(call.args);
    return hint === undefined ? undefined : { ...pendingBase(turn, call), kind: "question", hint };
  }
  if (tool?.kind !== "mcp" || !tool.needsApproval) return undefined;
  return await approvalOf(turn, tool, call);
}

/**
 * The request for approval of a call.
 *
 * @param doubt - What people have to know before anything else, e.g. that it may have run already.
 */
export async function approvalOf(
  turn: Turn,
  tool: Extract<Tool, { kind: "mcp" }>,
  call: ModelToolCall,
  doubt?: string,
): Promise<PendingCall> {
  const preview = await writePreview(turn, tool, call);
  const asked = `Tool '${call.name}' requires approval before execution.`;
  const { inputSchema } = tool.description;
  const fits = JSON.stringify(inputSchema).length <= MAX_SCHEMA_CHARS;
  return {
    ...pendingBase(turn, call),
    kind: "approval",
    hint: [doubt, asked, preview].filter((line) => line !== undefined).join("\n\n"),
    ...(fits ? { inputSchema: { ...inputSchema } } : {}),
  };
}

function pendingBase(turn: Turn, { id: callId, name, args }: ModelToolCall) {
  return { confirmationId: turn.deps.newId(), callId, name, args: { ...args } };
}

/** Asks people about calls; nobody can approve them once the agent's time-out is over. */
export async function requestApproval(turn: Turn, pending: readonly PendingCall[]): Promise<void> {
  const { approvers, timeoutMs } = turn.config.approval;
  const expiresAt = expiryOf(pending, timeoutMs, turn.deps.clock.now());
  const asked = pending.map((call) =>
    call.delegate === undefined && approvers.length > 0
      ? { ...call, approvers: [...approvers], expiresAt }
      : { ...call, expiresAt },
  );
  await turn.emit.event({ type: "approval-requested", pending: asked, expiresAt });
}
