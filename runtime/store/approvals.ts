import type { ExpressionBuilder, Kysely } from "kysely";
import type { ApprovalRecord, ApprovalStore } from "./approval-store.ts";
import { checkLimitWithin, instant } from "./arguments.ts";
import type { ApprovalsTable, StoreTables } from "./tables.ts";

/** 1000 records, some 500 KB. */
const MAX_LISTED = 1000;

/** Approvals in a database that `migrate` has prepared. */
export function approvalStore(db: Kysely<StoreTables>): ApprovalStore {
  return { list: (filter) => list(db, filter) };
}

type Filter = Parameters<ApprovalStore["list"]>[0];

async function list(db: Kysely<StoreTables>, filter: Filter): Promise<readonly ApprovalRecord[]> {
  const rows = await db
    .selectFrom("approvals")
    .selectAll()
    .where((eb) => matches(eb, filter))
    .orderBy("requested_at", "desc")
    .orderBy("task_id", "desc")
    .orderBy("seq", "desc")
    .orderBy("call_id", "desc")
    .limit(checkLimitWithin(filter.limit, MAX_LISTED))
    .execute();
  return rows.map(recordOf);
}

function matches(eb: ExpressionBuilder<StoreTables, "approvals">, filter: Filter) {
  const { user, taskId, state, expiredAt } = filter;
  return eb.and([
    ...(user === undefined ? [] : [eb("user_id", "=", user)]),
    ...(taskId === undefined ? [] : [eb("task_id", "=", taskId)]),
    ...(state === undefined ? [] : [eb("state", "=", state)]),
    ...(expiredAt === undefined ? [] : [eb("expires_at", "<=", instant(expiredAt))]),
  ]);
}

const STATES = ["pending", "approve", "reject", "answer"] as const;

function recordOf(row: ApprovalsTable): ApprovalRecord {
  const state = STATES.find((known) => known === row.state);
  if (state === undefined) throw new Error(`failed to read approval ${row.call_id}: ${row.state}`);
  return {
    callId: row.call_id,
    taskId: row.task_id,
    contextId: row.context_id,
    agent: { namespace: row.agent_namespace, name: row.agent_name },
    user: row.user_id,
    tool: row.tool,
    kind: row.kind === "question" ? "question" : "approval",
    state,
    argsHash: row.args_hash,
    ...(row.approver === null ? {} : { approver: row.approver }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    requestedAt: row.requested_at,
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
    ...(row.decided_at === null ? {} : { decidedAt: row.decided_at }),
  };
}
