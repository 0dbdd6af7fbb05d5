import type { Caller } from "../../a2a/task-service.ts";
import { readApprover } from "../../api/approvers.ts";
import { CALLER_AUTHORIZATION, HEADERS } from "../../api/names.ts";
import { groupsOf, type Identity } from "../../process/auth/identity.ts";

/** What proves the other end of the connection, and is nobody else's business. */
const PROOFS = ["authorization", "cookie", CALLER_AUTHORIZATION, "x-share-token"] as const;
/** What only services that are trusted may say: of users, parents, sources, approvers. */
const LINEAGE_PREFIX = "x-kagent-";
const CLAIMS: ReadonlySet<string> = new Set([
  HEADERS.userId,
  HEADERS.userGroups,
  HEADERS.agentName,
]);

/**
 * An identity as tasks know their callers, with those headers of the request that may be believed.
 *
 * `authorization` is that of the user, where the controller handed it on, and never that of the controller.
 */
export function callerOf(identity: Identity, headers: Headers): Caller {
  const { trusted } = identity;
  const given = Object.fromEntries(headers);
  const kept = Object.entries(given).filter(
    ([name]) =>
      !PROOFS.some((proof) => proof === name) &&
      (trusted || !(name.startsWith(LINEAGE_PREFIX) || CLAIMS.has(name))),
  );
  const authorization = trusted ? given[CALLER_AUTHORIZATION] : undefined;
  const approver = trusted ? readApprover(given) : undefined;
  return {
    user: identity.name,
    groups: groupsOf(identity),
    headers: {
      ...Object.fromEntries(kept),
      ...(authorization === undefined ? {} : { authorization }),
    },
    ...(approver === undefined ? {} : { approver }),
  };
}
