import type { ObjectRef } from "../../api/names.ts";
import type { Agent } from "../../api/objects.ts";
import type { ServiceIdentity } from "../../process/auth/identity.ts";
import type { AgentDirectory } from "../agent-directory.ts";
import { POOL_NAME } from "../objects/pool-objects.ts";

/** Whose word counts. */
export interface TrustRules {
  readonly directory: Pick<AgentDirectory, "agent" | "agents">;
  /** `NAMESPACE/ACCOUNT` or `NAMESPACE/*`. */
  readonly services: readonly string[];
  /** The controllers' own, `NAMESPACE/ACCOUNT`: they pass on what they have checked. */
  readonly controller: string;
  /** DEFAULT_SERVICE_ACCOUNT_NAME. */
  readonly defaultAccount?: string;
  /** Whether an agent runs in its namespace's pool. */
  readonly isPooled: (agent: Agent) => boolean;
}

/** Whether a service may speak for users: it is one of the platform, or runs an agent. */
export function isTrusted(service: ServiceIdentity, rules: TrustRules): boolean {
  const { namespace, account } = service;
  const isNamed = rules.services.some(
    (one) => one === `${namespace}/${account}` || one === `${namespace}/*`,
  );
  return isNamed || isBelieved(service, rules);
}

/**
 * Whether what a service says of whole conversations may be believed: it is a controller, or runs an agent. Others pass
 * on what browsers send.
 */
export function isBelieved(service: ServiceIdentity, rules: TrustRules): boolean {
  const { namespace, account } = service;
  if (`${namespace}/${account}` === rules.controller) return true;
  // An account that is named as its agent is the rule, and found at once.
  if (runs(service, { namespace, name: account }, rules)) return true;
  return rules.directory.agents().some(({ ref }) => runs(service, ref, rules));
}

/** Whether a service is the one that an agent runs as: what it may store is that agent's. */
export function runs(service: ServiceIdentity, agent: ObjectRef, rules: TrustRules): boolean {
  if (service.namespace !== agent.namespace) return false;
  const object = rules.directory.agent(agent)?.object;
  return object !== undefined && accountOf(object, rules) === service.account;
}

/** The ServiceAccount of an agent's pods (kagent-api section 2.1). */
function accountOf(agent: Agent, { defaultAccount, isPooled }: TrustRules): string {
  if (isPooled(agent)) return defaultAccount ?? POOL_NAME;
  const { declarative, byo, type } = agent.spec;
  const deployment = type === "BYO" ? byo?.deployment : declarative?.deployment;
  return deployment?.serviceAccountName ?? defaultAccount ?? agent.metadata.name;
}
