import type { Caller } from "../../a2a/task-service.ts";
import { readApprover } from "../../api/approvers.ts";
import { HEADERS } from "../../api/names.ts";
import { groupsOf, type Identity } from "../../process/auth/identity.ts";

/** Headers that only services of the platform may send; of others they are left out. */
const LINEAGE = [
  HEADERS.source,
  HEADERS.parentContextId,
  HEADERS.rootContextId,
  HEADERS.agentName,
] as const;
/** Headers that anybody may send and tasks make use of. */
const TRACE = [HEADERS.traceparent, "tracestate"] as const;

/** An identity as tasks know their callers, with what may be believed of its headers. */
export function callerOf(identity: Identity, headers: Pick<Headers, "get">): Caller {
  const names = identity.trusted ? [...LINEAGE, ...TRACE] : TRACE;
  const kept = names.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  const approver = identity.trusted ? readApprover(decisionHeaders(headers)) : undefined;
  return {
    user: identity.name,
    groups: groupsOf(identity),
    headers: Object.fromEntries(kept),
    ...(approver === undefined ? {} : { approver: withoutAbsent(approver) }),
  };
}

function decisionHeaders(headers: Pick<Headers, "get">): Record<string, string> {
  const names = [HEADERS.approver, HEADERS.approverGroups];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value] as const];
    }),
  );
}

function withoutAbsent({ user, groups }: { user: string; groups?: readonly string[] | undefined }) {
  return groups === undefined ? { user } : { user, groups };
}
