import type { AgentConfig } from "../../api/agent-config.ts";
import { DEFAULT_RETRY } from "../../api/agent-limits.ts";
import type { Violation } from "../../api/checked.ts";
import { type Cluster, RESOURCES } from "../../api/cluster.ts";
import { ClusterError } from "../../api/cluster-reader.ts";
import { toMs } from "../../api/duration.ts";
import type { ObjectRef } from "../../api/names.ts";
import type { Agent } from "../../api/objects.ts";
import { refOf } from "../../api/rules/object-set.ts";
import type { Logger } from "../../telemetry/log.ts";
import { agentObjects } from "../objects/agent-objects.ts";
import type { WorkloadSettings } from "../objects/workload-settings.ts";

/** 3 s for the dry run, well below the webhook's own limit. */
const DRY_RUN_MS = 3_000;
const FIELD_MANAGER = "kagent-admission";

/** What {@link workloadCheck} works with. */
export interface WorkloadCheckDeps {
  readonly cluster: Pick<Cluster, "apply">;
  readonly settings: () => WorkloadSettings;
  readonly log: Logger;
}

/**
 * Has the API server judge the Deployment that an Agent would get, without storing it: the schema of core types inside an
 * Agent is the API server's own (kagent-api section 1.5).
 *
 * @returns What it refuses, in its words and with its paths; nothing when it does not answer.
 */
export function workloadCheck(
  deps: WorkloadCheckDeps,
): (agent: Agent, signal: AbortSignal) => Promise<readonly Violation[]> {
  return async (agent, signal) => {
    const ref = refOf(agent);
    const config = agent.spec.declarative === undefined ? {} : { config: unresolved(ref) };
    const made = agentObjects({ agent, ...config, card: {}, settings: deps.settings() });
    if (!made.ok) return made.violations;
    const deployment = made.value.find(({ kind }) => kind === "Deployment");
    if (deployment === undefined) return [];
    const limit = AbortSignal.any([signal, AbortSignal.timeout(DRY_RUN_MS)]);
    try {
      const options = { fieldManager: FIELD_MANAGER, dryRun: "all" } as const;
      await deps.cluster.apply(RESOURCES.Deployment, deployment, options, limit);
      return [];
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ClusterError && error.code === "invalid")
        return [{ path: deploymentPath(agent), message: error.message }];
      deps.log.warn("workload could not be checked", { agent: ref.name, error: String(error) });
      return [];
    }
  };
}

function deploymentPath({ spec }: Agent): string {
  return spec.byo === undefined ? "spec.declarative.deployment" : "spec.byo.deployment";
}

/** The pods of an agent do not depend on what its references resolve to, which may not be there yet. */
function unresolved(ref: ObjectRef): AgentConfig {
  const { maxAttempts, initialDelay, maxDelay } = DEFAULT_RETRY;
  return {
    ref,
    hash: "",
    description: "",
    version: "",
    skills: [],
    instruction: "",
    model: { ref, provider: "Ollama", model: "" },
    toolServers: [],
    agents: [],
    stream: true,
    refusals: [],
    envelope: "none",
    limits: {
      maxModelCalls: 1,
      maxToolCalls: 1,
      maxDurationMs: 1,
      maxParallelTools: 1,
      repeatedCalls: "allow",
    },
    toolResultMaxBytes: 1,
    retry: { maxAttempts, initialDelayMs: toMs(initialDelay), maxDelayMs: toMs(maxDelay) },
    approval: { mode: "listed", timeoutMs: 1, approvers: [] },
    handoffs: [],
    access: { users: [], groups: [] },
    allowedDomains: [],
  };
}
