import type { Caller } from "../a2a/task-service.ts";
import { openRequest } from "../api/approval-request.ts";
import { refusedDecider } from "../api/approvers.ts";
import type { PendingCall } from "../api/events.ts";
import type { ObjectRef } from "../api/names.ts";
import type { ApprovalRecord, ApprovalStore } from "../store/approval-store.ts";
import type { SessionStore } from "../store/session-store.ts";

/** 1,000 records are looked at, those of 200 tasks. */
const MAX_RECORDS = 1_000;
const MAX_TASKS = 200;

/** Where {@link approvalInbox} looks. */
export interface InboxDeps {
  readonly approvals: ApprovalStore;
  readonly sessions: Pick<SessionStore, "events" | "getSession">;
  /** Who may decide about an agent's calls (`approval.approvers`); empty: the owner of the task. */
  readonly approvers: (agent: ObjectRef) => readonly string[];
}

/** A call that waits, or waited, for a person, as that person sees it. */
export interface InboxEntry extends ApprovalRecord {
  /** What it would be called with; of calls that wait only. */
  readonly args?: PendingCall["args"];
  /** For people: what they are asked, with what would change. */
  readonly hint?: string;
  readonly inputSchema?: PendingCall["inputSchema"];
  /** Whether the caller may decide now. */
  readonly mayDecide: boolean;
}

/**
 * What a caller may see of the approvals: those of their own tasks, and those of others that wait for their decision.
 *
 * What an agent asks about on behalf of another one is one entry, in the session that a person began. Newest first.
 */
export async function approvalInbox(
  deps: InboxDeps,
  caller: Caller,
  state?: ApprovalRecord["state"],
): Promise<readonly InboxEntry[]> {
  const filter = { limit: MAX_RECORDS, ...(state === undefined ? {} : { state }) };
  const waits = state === undefined || state === "pending";
  const [own, waiting] = await Promise.all([
    deps.approvals.list({ ...filter, user: caller.user }),
    waits ? deps.approvals.list({ limit: MAX_RECORDS, state: "pending" }) : [],
  ]);
  const foreign = waiting.filter(({ user }) => user !== caller.user);
  const byTask = Map.groupBy([...own, ...foreign], ({ taskId }) => taskId);
  const entries = await Promise.all(
    [...byTask.values()].slice(0, MAX_TASKS).map((records) => entriesOf(deps, caller, records)),
  );
  return entries.flat().sort((a, b) => (a.requestedAt < b.requestedAt ? 1 : -1));
}

/** Entries of one task; none for a caller who neither owns it nor is asked to decide. */
async function entriesOf(
  { sessions, approvers }: InboxDeps,
  caller: Caller,
  records: readonly ApprovalRecord[],
): Promise<readonly InboxEntry[]> {
  const [first] = records;
  if (first === undefined) return [];
  const { contextId, user, taskId, agent } = first;
  const session = await sessions.getSession(contextId, user);
  if (session?.source === "agent") return [];
  const isOwner = user === caller.user;
  const isPending = records.some(({ state }) => state === "pending");
  const events = isPending ? await sessions.events(contextId, user, { taskId }) : [];
  const pending = openRequest(events, taskId)?.body.pending ?? [];
  const rights = { owner: user, approvers: approvers(agent) };
  const mayDecide = pending.length > 0 && refusedDecider(pending, rights, caller) === undefined;
  if (!isOwner && !mayDecide) return [];
  const calls = new Map(pending.map((call) => [call.callId, call]));
  return records.map((record) => {
    const call = record.state === "pending" ? calls.get(record.callId) : undefined;
    if (call === undefined) return { ...record, mayDecide: false };
    const { args, hint, inputSchema } = call;
    const shown = { args, hint, ...(inputSchema === undefined ? {} : { inputSchema }) };
    return { ...record, ...shown, mayDecide };
  });
}
