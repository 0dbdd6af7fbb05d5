import { accessPolicy } from "../api/access.ts";
import type {
  AgentConfig,
  CompactionSettings,
  MemorySettings,
  ModelSettings,
} from "../api/agent-config.ts";
import type { Checked } from "../api/checked.ts";
import { hashed } from "../api/config-hash.ts";
import { DEFAULT_MODEL_CONFIG, refKey } from "../api/names.ts";
import type { Agent } from "../api/objects.ts";
import { refOf } from "../api/rules/object-set.ts";
import { behaviourOf, presentationOf } from "./resolve-behaviour.ts";
import { resolveModel } from "./resolve-model.ts";
import { resolvePrompt } from "./resolve-prompt.ts";
import type { AgentReferences } from "./resolve-references.ts";
import { type ResolvedTools, resolveHandoffs, resolveTools } from "./resolve-tools.ts";
import { Resolution } from "./resolve-values.ts";

type Declarative = NonNullable<Agent["spec"]["declarative"]>;
type CompactionSpec = NonNullable<NonNullable<Declarative["context"]>["compaction"]>;

/** kagent-api section 1.1. */
const DEFAULT_TTL_DAYS = 15;

/**
 * Resolves an Agent with everything it refers to into what a worker runs.
 *
 * @returns The configuration, or everything that is wrong: what does not exist, may not be used from here, or is not
 * served. An Agent of type BYO has none: it brings its own worker.
 */
export function resolveAgent(object: Agent, references: AgentReferences): Checked<AgentConfig> {
  const ref = refOf(object);
  const resolution = new Resolution(references, ref.namespace);
  const { declarative } = object.spec;
  if (declarative === undefined) {
    resolution.problem("spec.type", "an Agent of this type brings its own worker");
    return { ok: false, violations: resolution.violations };
  }
  const model = agentModel(resolution, declarative);
  const tools = resolveTools(resolution, declarative.tools ?? []);
  const instruction = resolvePrompt(resolution, object, declarative, toolNames(tools));
  const compaction = compactionOf(resolution, declarative, model);
  const memory = memoryOf(resolution, declarative);
  const handoffs = resolveHandoffs(resolution, declarative.handoffs ?? [], tools.agents);
  if (model === undefined || instruction === undefined || resolution.violations.length > 0)
    return { ok: false, violations: resolution.violations };
  const config = hashed({
    ref,
    ...presentationOf(object),
    instruction,
    model,
    ...tools,
    ...behaviourOf(declarative, ref.namespace),
    ...compaction,
    ...memory,
    handoffs,
    access: accessPolicy(object.metadata.annotations),
    allowedDomains: allowedDomains(object),
  });
  return { ok: true, value: config };
}

function allowedDomains({ spec: { sandbox } }: Agent): readonly string[] {
  return sandbox?.network?.allowedDomains ?? [];
}

/** In kagent's order: servers of SSE come last. */
function toolNames({ toolServers }: ResolvedTools): readonly string[] {
  const isSse = (use: (typeof toolServers)[number]) => use.server.protocol === "SSE";
  return [...toolServers.filter((use) => !isSse(use)), ...toolServers.filter(isSse)].flatMap(
    (use) => use.toolNames,
  );
}

function agentModel(
  resolution: Resolution,
  { modelConfig }: Declarative,
): ModelSettings | undefined {
  const { defaultModelConfig = DEFAULT_MODEL_CONFIG } = resolution.references;
  const name = modelConfig === undefined || modelConfig === "" ? defaultModelConfig : modelConfig;
  return modelOf(resolution, name, "spec.declarative.modelConfig");
}

function modelOf(resolution: Resolution, name: string, path: string): ModelSettings | undefined {
  const ref = { namespace: resolution.namespace, name };
  const title = `ModelConfig ${refKey(ref)}`;
  const model = resolution.references.modelConfig(ref);
  if (model === undefined) {
    resolution.problem(path, `${title} does not exist`);
    return undefined;
  }
  return resolution.adopt(resolveModel(model, resolution.references), path, title);
}

function compactionOf(
  resolution: Resolution,
  { context }: Declarative,
  model: ModelSettings | undefined,
): { readonly compaction?: CompactionSettings } {
  const spec = context?.compaction;
  if (spec === undefined) return {};
  const { compactionInterval, overlapSize, tokenThreshold, eventRetentionSize } = spec;
  return {
    compaction: {
      interval: compactionInterval,
      overlap: overlapSize,
      ...(tokenThreshold === undefined ? {} : { tokenThreshold }),
      ...(eventRetentionSize === undefined ? {} : { eventRetention: eventRetentionSize }),
      ...summarizerOf(resolution, spec, model),
    },
  };
}

/** A summarizer without a model of its own has the Agent's (kagent-api section 2.6). */
function summarizerOf(
  resolution: Resolution,
  { summarizer }: CompactionSpec,
  agentsOwn: ModelSettings | undefined,
): Pick<CompactionSettings, "summarizer"> {
  if (summarizer === undefined) return {};
  const { modelConfig = "", promptTemplate: prompt = "" } = summarizer;
  const path = "spec.declarative.context.compaction.summarizer.modelConfig";
  const model = modelConfig === "" ? agentsOwn : modelOf(resolution, modelConfig, path);
  if (model === undefined) return {};
  return { summarizer: { model, ...(prompt === "" ? {} : { prompt }) } };
}

function memoryOf(
  resolution: Resolution,
  { memory }: Declarative,
): { readonly memory?: MemorySettings } {
  if (memory === undefined) return {};
  const embedding = modelOf(resolution, memory.modelConfig, "spec.declarative.memory.modelConfig");
  if (embedding === undefined) return {};
  return { memory: { embedding, ttlDays: memory.ttlDays ?? DEFAULT_TTL_DAYS } };
}
