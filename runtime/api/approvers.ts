import type { PendingCall } from "./events.ts";
import { HEADERS } from "./names.ts";

/** Marks a group among approvers. */
const GROUP = "group:";

/** A person who decides, or may. */
export interface Decider {
  readonly user: string;
  readonly groups?: readonly string[] | undefined;
}

/** Who may decide about the calls of a task. */
export interface DecisionRights {
  /** Owner of the task. */
  readonly owner: string;
  /** Users or `group:NAME` that the agent names; empty: the owner of the task. */
  readonly approvers: readonly string[];
}

/**
 * Why `by` may not decide about all of `pending`, or `undefined`.
 *
 * A call that another agent asks about is bound to that agent's approvers. A question is for the owner of the task, who
 * was asked it, and for approvers. One call that somebody may not decide takes them all: an answer covers every one.
 */
export function refusedDecider(
  pending: readonly PendingCall[],
  rights: DecisionRights,
  by: Decider,
): string | undefined {
  for (const call of pending) {
    const approvers = call.delegate === undefined ? rights.approvers : (call.approvers ?? []);
    if (!mayDecide(call, { owner: rights.owner, approvers }, by))
      return `the call of ${call.name} waits for ${named(approvers)}; you cannot decide about it`;
  }
  return undefined;
}

function mayDecide(
  { kind }: PendingCall,
  { owner, approvers }: DecisionRights,
  by: Decider,
): boolean {
  const isOwner = by.user === owner;
  if (approvers.length === 0) return isOwner;
  if (kind === "question" && isOwner) return true;
  return approvers.some((approver) =>
    approver.startsWith(GROUP)
      ? by.groups?.includes(approver.slice(GROUP.length)) === true
      : approver === by.user,
  );
}

function named(approvers: readonly string[]): string {
  return approvers.length === 0 ? "the owner of its task" : approvers.join(", ");
}

/** Headers by which an agent that passes a decision on says whose it is. */
export function approverHeaders({ user, groups = [] }: Decider): Readonly<Record<string, string>> {
  return {
    [HEADERS.approver]: encodeURIComponent(user),
    ...(groups.length === 0
      ? {}
      : { [HEADERS.approverGroups]: groups.map((group) => encodeURIComponent(group)).join(",") }),
  };
}

/**
 * Inverse of {@link approverHeaders}; `undefined` without such headers, or when they are none of ours.
 *
 * For edges, and for requests that are proven to come from an agent of the platform only.
 *
 * @param headers - Names in lower case.
 */
export function readApprover(headers: Readonly<Record<string, string>>): Decider | undefined {
  const user = headers[HEADERS.approver];
  if (user === undefined || user === "") return undefined;
  const groups = headers[HEADERS.approverGroups]?.split(",").filter((group) => group !== "") ?? [];
  try {
    return {
      user: decodeURIComponent(user),
      groups: groups.map((group) => decodeURIComponent(group)),
    };
  } catch {
    return undefined;
  }
}
