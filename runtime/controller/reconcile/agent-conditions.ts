import type { StoredObject } from "../../api/cluster.ts";
import type { ConditionUpdate } from "../../api/conditions.ts";
import {
  CONDITION_MESSAGES,
  notReadyMessage,
  type ObjectRef,
  REASONS,
  refKey,
} from "../../api/names.ts";
import type { Agent } from "../../api/objects.ts";
import { refOf } from "../../api/rules/object-set.ts";
import { ignoredFeatures } from "../ignored-features.ts";
import type { StatusUpdate } from "./status-writer.ts";

/** What the conditions of an Agent are made of. */
export interface AgentFindings {
  readonly object: Agent;
  /** Whose pods run it. */
  readonly workers: "dedicated" | "pooled";
  /** Why it is not accepted; `undefined` when it is. */
  readonly problem: string | undefined;
  /** What runs it: its own Deployment, or that of the pool; `undefined` when there is none. */
  readonly deployment: StoredObject | undefined;
  /** Name of that Deployment. */
  readonly deploymentName: string;
  /** Names of the tools of a RemoteMCPServer; `undefined` when there is no such server or it was never asked. */
  readonly toolsOf: (server: ObjectRef) => readonly string[] | undefined;
}

/** Every condition of an Agent, at once (kagent-api section 1.1). */
export function agentConditions(findings: AgentFindings): StatusUpdate {
  const ignored = ignoredFeatures(findings.object, findings.workers);
  const tools = toolsResolved(findings);
  return {
    conditions: [
      accepted(findings.problem),
      ready(findings),
      ...(tools === undefined ? [] : [tools]),
      ...(ignored.length === 0 ? [] : [unsupported(ignored)]),
    ],
    without: [
      ...(tools === undefined ? (["ToolsResolved"] as const) : []),
      ...(ignored.length === 0 ? (["UnsupportedFeatures"] as const) : []),
    ],
  };
}

/** The Accepted condition of an Agent. */
export function accepted(problem: string | undefined): ConditionUpdate {
  return problem === undefined
    ? {
        type: "Accepted",
        status: "True",
        reason: REASONS.reconciled,
        message: CONDITION_MESSAGES.agentAccepted,
      }
    : { type: "Accepted", status: "False", reason: REASONS.reconcileFailed, message: problem };
}

/** The Ready condition of what a Deployment runs. */
export function ready({
  deployment,
  deploymentName,
}: Pick<AgentFindings, "deployment" | "deploymentName">): ConditionUpdate {
  if (deployment === undefined)
    return {
      type: "Ready",
      status: "Unknown",
      reason: REASONS.deploymentNotFound,
      message: `deployments.apps "${deploymentName}" not found`,
    };
  const available = count(deployment, "status", "availableReplicas") ?? 0;
  if (available > 0)
    return {
      type: "Ready",
      status: "True",
      reason: REASONS.deploymentReady,
      message: CONDITION_MESSAGES.deploymentReady,
    };
  return {
    type: "Ready",
    status: "False",
    reason: REASONS.deploymentNotReady,
    message: notReadyMessage(available, count(deployment, "spec", "replicas") ?? 1),
  };
}

function unsupported(ignored: readonly string[]): ConditionUpdate {
  return {
    type: "UnsupportedFeatures",
    status: "True",
    reason: REASONS.unsupportedFeatures,
    message: `ignored: ${ignored.map((path) => `spec.${path}`).join(", ")}`,
  };
}

/** `undefined` for Agents whose tools are none of ours. */
function toolsResolved({ object, toolsOf }: AgentFindings): ConditionUpdate | undefined {
  const { declarative } = object.spec;
  if (declarative === undefined) return undefined;
  const { namespace } = refOf(object);
  const unknown: string[] = [];
  const unasked: string[] = [];
  for (const { mcpServer } of declarative.tools ?? []) {
    const names = mcpServer?.toolNames ?? [];
    if (mcpServer?.kind !== "RemoteMCPServer" || names.length === 0) continue;
    const server = { namespace: mcpServer.namespace ?? namespace, name: mcpServer.name };
    const known = toolsOf(server);
    if (known === undefined) unasked.push(refKey(server));
    else {
      const missing = names.filter((name) => !known.includes(name));
      if (missing.length > 0) unknown.push(`${refKey(server)} has no tool ${missing.join(", ")}`);
    }
  }
  return toolsCondition(unknown, unasked);
}

function toolsCondition(unknown: readonly string[], unasked: readonly string[]): ConditionUpdate {
  const type = "ToolsResolved";
  if (unknown.length > 0)
    return { type, status: "False", reason: REASONS.unknownTools, message: unknown.join("; ") };
  if (unasked.length > 0) {
    const message = `not known yet: the tools of ${unasked.join(", ")}`;
    return { type, status: "Unknown", reason: REASONS.toolsNotDiscovered, message };
  }
  return { type, status: "True", reason: REASONS.toolsResolved, message: "Every tool exists" };
}

function count(object: StoredObject, part: "spec" | "status", field: string): number | undefined {
  const fields = object[part] as Readonly<Record<string, unknown>> | undefined;
  const value = fields?.[field];
  return typeof value === "number" ? value : undefined;
}
