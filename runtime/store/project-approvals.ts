import type { Kysely, Transaction } from "kysely";
import { argsHash } from "../api/approval-decision.ts";
import { type Event, type EventBody, type EventOf, isTerminal } from "../api/events.ts";
import { checkId, instant, storable } from "./arguments.ts";
import type { SessionsTable, StoreTables } from "./tables.ts";

/** Whose approvals they are. */
export type ApprovalOwner = Pick<SessionsTable, "agent_namespace" | "agent_name" | "user_id">;

/**
 * Writes what `events` say about approvals, in the transaction that appends them.
 *
 * A task that ends takes its open requests with it: nobody can decide on them any more.
 *
 * @throws RangeError for a time that is none, or a call id that cannot be stored.
 */
export async function projectApprovals(
  tx: Transaction<StoreTables>,
  owner: ApprovalOwner,
  events: readonly Event[],
): Promise<void> {
  for (const event of events) {
    const { body } = event;
    if (body.type === "approval-requested") await request(tx, owner, { ...event, body });
    else if (body.type === "approval-decided") await decide(tx, { ...event, body });
    else if (body.type === "status" && isTerminal(body.state)) {
      const why = { reason: `the task is over (${body.state})`, now: instant(event.time) };
      await closeApprovals(tx, { taskId: event.taskId }, why);
    }
  }
}

/** What open requests are closed for. */
export interface ClosedFor {
  readonly reason: string;
  /** RFC 3339. */
  readonly now: string;
}

/** Rejects what is still open of a task, or of sessions, in the name of `system:over`. */
export async function closeApprovals(
  tx: Kysely<StoreTables>,
  of: { readonly taskId: string } | { readonly contextIds: readonly string[] },
  { reason, now }: ClosedFor,
): Promise<void> {
  await tx
    .updateTable("approvals")
    .set({ state: "reject", approver: "system:over", reason, decided_at: now })
    .where((eb) =>
      "taskId" in of ? eb("task_id", "=", of.taskId) : eb("context_id", "in", of.contextIds),
    )
    .where("state", "=", "pending")
    .execute();
}

type EventWith<T extends EventBody["type"]> = Event & { readonly body: EventOf<T> };

async function request(
  tx: Transaction<StoreTables>,
  owner: ApprovalOwner,
  event: EventWith<"approval-requested">,
): Promise<void> {
  const { expiresAt, pending } = event.body;
  for (const call of pending) {
    const key = { task_id: event.taskId, call_id: checkId("call id", call.callId) };
    const asked = {
      tool: storable(call.name),
      kind: call.kind,
      args_hash: argsHash(call.args),
      expires_at: expiresAt === undefined ? null : instant(expiresAt),
    };
    // Asked again before anybody decided: still one request, for what is asked now.
    const { numUpdatedRows } = await tx
      .updateTable("approvals")
      .set(asked)
      .where((eb) => eb.and({ ...key, state: "pending" }))
      .executeTakeFirstOrThrow();
    if (numUpdatedRows > 0n) continue;
    await tx
      .insertInto("approvals")
      .values({
        ...key,
        ...asked,
        seq: event.seq,
        context_id: event.contextId,
        agent_namespace: owner.agent_namespace,
        agent_name: owner.agent_name,
        user_id: owner.user_id,
        state: "pending",
        approver: null,
        reason: null,
        requested_at: instant(event.time),
        decided_at: null,
      })
      .execute();
  }
}

async function decide(
  tx: Transaction<StoreTables>,
  event: EventWith<"approval-decided">,
): Promise<void> {
  const { approver, decisions } = event.body;
  for (const { callId, decision, reason, argsHash: hash } of decisions) {
    await tx
      .updateTable("approvals")
      .set({
        state: decision,
        args_hash: storable(hash),
        approver: storable(approver),
        reason: reason === undefined ? null : storable(reason),
        decided_at: instant(event.time),
      })
      .where((eb) =>
        eb.and({ task_id: event.taskId, call_id: checkId("call id", callId), state: "pending" }),
      )
      .execute();
  }
}
