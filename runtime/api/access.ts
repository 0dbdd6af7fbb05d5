import type { AccessPolicy } from "./agent-config.ts";
import { ANNOTATIONS } from "./names.ts";

/** Somebody who calls an agent, as the edge established it. */
export interface AccessSubject {
  /** Name of the user, or of the service account. */
  readonly user: string;
  readonly groups?: readonly string[];
}

/**
 * Who may call an Agent with these annotations (decisions 10): users and groups, comma-separated.
 *
 * Without both annotations everybody may. One that is there and names nobody admits nobody: the names it leaves are
 * empty, and no caller has an empty name.
 */
export function accessPolicy(
  annotations: Readonly<Record<string, string>> | undefined,
): AccessPolicy {
  return {
    users: names(annotations?.[ANNOTATIONS.allowedUsers]),
    groups: names(annotations?.[ANNOTATIONS.allowedGroups]),
  };
}

/** Whether the caller may call an agent of this policy; of both lists one is enough. */
export function mayCall(policy: AccessPolicy, { user, groups = [] }: AccessSubject): boolean {
  if (policy.users.length === 0 && policy.groups.length === 0) return true;
  if (user !== "" && policy.users.includes(user)) return true;
  return groups.some((group) => group !== "" && policy.groups.includes(group));
}

function names(list: string | undefined): readonly string[] {
  return list === undefined ? [] : list.split(",").map((name) => name.trim());
}
