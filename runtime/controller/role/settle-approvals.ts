import { argsHash } from "../../api/approval-decision.ts";
import { EXPIRY_APPROVER, openRequest } from "../../api/approval-request.ts";
import type { EventBody, NewEvent, TurnError } from "../../api/events.ts";
import { type ObjectRef, refKey } from "../../api/names.ts";
import type { ApprovalRecord, ApprovalStore } from "../../store/approval-store.ts";
import { type SessionStore, TaskOverError } from "../../store/session-store.ts";

/** Requests that one look takes; the rest is for the next look. */
const MAX_EXPIRED = 1_000;
/** 10 min for an agent's worker to tell its task: it may be starting, or busy. */
const WORKER_GRACE_MS = 600_000;

const ABANDONED: TurnError = {
  code: "WORKER_LOST",
  message: "nobody decided in time, and the agent is not there to go on; ask it again",
};

/** Where expired requests are found and settled. */
export interface SettleDeps {
  readonly approvals: Pick<ApprovalStore, "list">;
  readonly sessions: Pick<SessionStore, "append" | "events" | "getTask">;
  /** Whether there is such an agent. */
  readonly exists: (agent: ObjectRef) => boolean;
  readonly newId: () => string;
}

/**
 * Ends tasks whose request for approval has expired and whose agent cannot end them: it is gone, or has had no worker
 * for ten minutes. Agents with a worker do it themselves, and go on.
 *
 * @param now - Milliseconds since 1970.
 * @returns How many tasks were ended.
 */
export async function settleApprovals(deps: SettleDeps, now: number): Promise<number> {
  const expiredAt = new Date(now).toISOString();
  const found = await deps.approvals.list({ state: "pending", expiredAt, limit: MAX_EXPIRED });
  const byTask = new Map(found.map((record) => [record.taskId, record]));
  let settled = 0;
  for (const record of byTask.values()) {
    const lateMs = now - Date.parse(record.expiresAt ?? expiredAt);
    if (deps.exists(record.agent) && lateMs < WORKER_GRACE_MS) continue;
    if (await settle(deps, record, expiredAt)) settled += 1;
  }
  return settled;
}

async function settle(deps: SettleDeps, record: ApprovalRecord, time: string): Promise<boolean> {
  const { sessions, newId } = deps;
  const { taskId, contextId, user, agent } = record;
  const task = await sessions.getTask(taskId, user);
  if (task?.state !== "input-required") return false;
  const request = openRequest(await sessions.events(contextId, user, { taskId }), taskId);
  if (request === undefined) return false;
  const decisions = request.body.pending.map(({ callId, args }) => ({
    callId,
    decision: "reject" as const,
    reason: "expired",
    argsHash: argsHash(args),
  }));
  const event = (body: EventBody): NewEvent => ({
    id: newId(),
    time,
    contextId,
    taskId,
    author: refKey(agent),
    body,
  });
  try {
    await sessions.append(contextId, [
      event({ type: "approval-decided", decisions, approver: EXPIRY_APPROVER }),
      event({ type: "status", state: "failed", error: ABANDONED }),
    ]);
    return true;
  } catch (error) {
    if (error instanceof TaskOverError) return false; // somebody ended it in this moment
    throw error;
  }
}
