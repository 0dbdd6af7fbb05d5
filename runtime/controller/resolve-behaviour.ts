import type {
  AgentSkill,
  ApprovalPolicy,
  RefusalRule,
  RetryPolicy,
  RoutingTable,
  TurnLimits,
} from "../api/agent-config.ts";
import { DEFAULT_APPROVAL, DEFAULT_LIMITS, DEFAULT_RETRY } from "../api/agent-limits.ts";
import type { UnhashedConfig } from "../api/config-hash.ts";
import { toMs } from "../api/duration.ts";
import type { Agent } from "../api/objects.ts";

type Declarative = NonNullable<Agent["spec"]["declarative"]>;

/** Version on the card of an Agent that names none. */
const DEFAULT_VERSION = "1.0.0";
/** Bytes of one tool result in a prompt unless the Agent says otherwise (kagent-api section 1.5). */
const TOOL_RESULT_MAX_BYTES = 16_384;

/** What an Agent says of itself on its card; Agents of every type have this. */
type AgentPresentation = Pick<
  UnhashedConfig,
  "description" | "version" | "iconUrl" | "documentationUrl" | "provider" | "skills"
>;

/** What an Agent says of itself on its card. */
export function presentationOf({ spec }: Agent): AgentPresentation {
  const { iconUrl, documentationUrl, provider } = spec;
  return {
    description: spec.description ?? "",
    version: spec.version ?? DEFAULT_VERSION,
    ...(iconUrl === undefined ? {} : { iconUrl }),
    ...(documentationUrl === undefined ? {} : { documentationUrl }),
    ...(provider === undefined ? {} : { provider }),
    skills: (spec.declarative?.a2aConfig?.skills ?? []).map(
      (skill): AgentSkill => ({
        id: skill.id ?? skill.name,
        name: skill.name,
        description: skill.description ?? "",
        tags: skill.tags ?? [],
        examples: skill.examples ?? [],
        ...(skill.inputModes === undefined ? {} : { inputModes: skill.inputModes }),
        ...(skill.outputModes === undefined ? {} : { outputModes: skill.outputModes }),
      }),
    ),
  };
}

/** How an Agent behaves, as far as no other object has a say in it. */
export function behaviourOf(declarative: Declarative, namespace: string) {
  const { routing, refusal, responseSchema, context } = declarative;
  return {
    stream: declarative.stream ?? true,
    ...(routing === undefined ? {} : { routing: routingOf(routing, namespace) }),
    refusals: (refusal?.rules ?? []).map(refusalOf),
    envelope: declarative.envelope,
    limits: limitsOf(declarative.limits),
    toolResultMaxBytes: context?.compaction?.toolResultMaxBytes ?? TOOL_RESULT_MAX_BYTES,
    retry: retryOf(declarative.retry),
    approval: approvalOf(declarative.approval),
    ...(responseSchema === undefined ? {} : { responseSchema }),
  };
}

function retryOf(retry: Declarative["retry"] = DEFAULT_RETRY): RetryPolicy {
  return {
    maxAttempts: retry.maxAttempts,
    initialDelayMs: toMs(retry.initialDelay),
    maxDelayMs: toMs(retry.maxDelay),
  };
}

function approvalOf({
  mode,
  timeout,
  approvers = [],
}: NonNullable<Declarative["approval"]> = DEFAULT_APPROVAL): ApprovalPolicy {
  return { mode, timeoutMs: toMs(timeout), approvers };
}

function limitsOf(limits: NonNullable<Declarative["limits"]> = DEFAULT_LIMITS): TurnLimits {
  const { maxDuration, maxTokens, maxDelegations, ...counts } = limits;
  return {
    ...counts,
    maxDurationMs: toMs(maxDuration),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(maxDelegations === undefined ? {} : { maxDelegations }),
  };
}

function routingOf(routing: NonNullable<Declarative["routing"]>, namespace: string): RoutingTable {
  const refOf = (agent: { readonly name: string; readonly namespace?: string | undefined }) => ({
    namespace: agent.namespace ?? namespace,
    name: agent.name,
  });
  const { rules, onNoMatch, maxDelegates } = routing;
  return {
    rules: rules.map(({ agent, readFirst, ...rule }) => ({
      ...rule,
      agent: refOf(agent),
      ...(readFirst === undefined ? {} : { readFirst: refOf(readFirst) }),
    })),
    onNoMatch: typeof onNoMatch === "string" ? onNoMatch : refOf(onNoMatch.agent),
    maxDelegates,
  };
}

type RefusalSpec = NonNullable<Declarative["refusal"]>["rules"][number];

function refusalOf({ name, match, message }: RefusalSpec): RefusalRule {
  const text = message ?? "this request is not allowed here";
  if (match.word !== undefined) return { name, match: { word: match.word }, message: text };
  if (match.phrase !== undefined) return { name, match: { phrase: match.phrase }, message: text };
  // The schema holds exactly one of the three.
  return { name, match: { category: match.category ?? "destructive" }, message: text };
}
