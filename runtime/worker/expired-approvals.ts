import { type Caller, type SendRequest, TaskError } from "../a2a/task-service.ts";
import { expireParts } from "../api/approval-request.ts";
import type { ApprovalRecord, ApprovalStore } from "../store/approval-store.ts";
import type { SessionStore } from "../store/session-store.ts";

/** Requests that one look takes; the rest is for the next look. */
const MAX_EXPIRED = 1_000;
/** 60 s for whoever asked an agent for a task to tell it that nobody decided; then it ends by itself. */
const NESTED_GRACE_MS = 60_000;

/** Where expired requests are found. */
export interface ExpiryDeps {
  readonly sessions: Pick<SessionStore, "getSession">;
  /** Without it none are found here. */
  readonly approvals?: ApprovalStore;
  readonly newId: () => string;
}

/**
 * Tells each task whose request for approval has expired by `now` (milliseconds since 1970).
 *
 * @param send - Hands a message to a task, as `TaskService.send` does; what it refuses is left for the next look.
 * @returns How many were told.
 */
export async function expireApprovals(
  deps: ExpiryDeps,
  now: number,
  send: (request: SendRequest, caller: Caller) => Promise<unknown>,
): Promise<number> {
  const filter = { state: "pending", expiredAt: new Date(now).toISOString() } as const;
  const found = (await deps.approvals?.list({ ...filter, limit: MAX_EXPIRED })) ?? [];
  const byTask = new Map(found.map((record) => [record.taskId, record]));
  let told = 0;
  for (const record of byTask.values()) {
    if (await isForItsCaller(deps, record, now)) continue;
    const { agent, taskId, user } = record;
    const request = { agent, taskId, messageId: deps.newId(), parts: expireParts(), metadata: {} };
    try {
      await send(request, { user, headers: {}, trusted: true });
      told += 1;
    } catch (error) {
      // Answered in this moment, or its agent or its session is gone.
      if (!(error instanceof TaskError)) throw error;
    }
  }
  return told;
}

/** Whether another agent asked for the task: it waits for the same people, and tells the task what they did not say. */
async function isForItsCaller(
  { sessions }: ExpiryDeps,
  { contextId, user, expiresAt }: ApprovalRecord,
  now: number,
): Promise<boolean> {
  const session = await sessions.getSession(contextId, user);
  const late = expiresAt === undefined ? 0 : now - Date.parse(expiresAt);
  return session?.source === "agent" && late < NESTED_GRACE_MS;
}
