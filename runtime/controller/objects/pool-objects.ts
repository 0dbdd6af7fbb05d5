import type { AgentConfig } from "../../api/agent-config.ts";
import { AGENT_FILES, pooledKey } from "../../api/agent-files/names.ts";
import { writeAgentFiles } from "../../api/agent-files.ts";
import type { Violation } from "../../api/checked.ts";
import type { KubeObject } from "../../api/cluster-reader.ts";
import { refKey } from "../../api/names.ts";
import type { Agent } from "../../api/objects.ts";
import { kagentHash } from "./config-hash.ts";
import { workloadLabels } from "./object-metadata.ts";
import { platformEnv, podTemplate, readiness, workerProgram } from "./pod-template.ts";
import { dataBytes, MAX_DATA_BYTES, sharedSecret } from "./secret.ts";
import { shardOf } from "./shard.ts";
import { deploymentOf, serviceAccountOf, serviceOf } from "./workload.ts";
import type { WorkloadSettings } from "./workload-settings.ts";

/** Name of Deployment, Service and ServiceAccount of a namespace's pool; its Secrets are `<name>-<n>`. */
export const POOL_NAME = "kagent-workers";
/** 16 Secrets hold some thousand Agents, and a change of one rewrites a sixteenth. */
const SHARDS = 16;
/** Two pods: one may go. */
const REPLICAS = 2;
/** Secret keys have 253 characters at most. */
const MAX_KEY = 253;

/** One Agent that a pool serves. */
export interface PooledAgent {
  readonly agent: Agent;
  readonly config: AgentConfig;
  /** The A2A card, with the URL that callers are to use. */
  readonly card: object;
}

/** What a pool is made of. */
export interface PoolObjectsInput {
  readonly namespace: string;
  /** In any order. */
  readonly agents: readonly PooledAgent[];
  /** JSON Web Key Set that proves callers (decisions 15). */
  readonly jwks?: object | undefined;
  readonly settings: WorkloadSettings;
  /** Pods; 2 when absent. */
  readonly replicas?: number;
  /** Secrets among which Agents are spread; 16 when absent. Another number moves every Agent. */
  readonly shards?: number;
}

/** A pool, and the Agents for which there is no room in it. */
export interface PoolObjects {
  /** Secrets, ServiceAccount, Deployment, Service, in the order in which to apply them. */
  readonly objects: readonly KubeObject[];
  /** By `namespace/name`; paths are those of the Agent. */
  readonly refused: ReadonlyMap<string, readonly Violation[]>;
}

/**
 * The objects that run the pooled Agents of a namespace (decisions 20); the same bytes for the same Agents.
 *
 * All Secrets are mounted as one folder; files of an Agent are `<agent>.<file>` (see `pooledFiles`), `jwks.json` is there
 * once. Agents come and go without a change of the Deployment. Where a Secret is full the Agents that are there longest
 * keep their place. Nobody owns these objects: whoever applies them removes them with the last Agent.
 */
export function poolObjects(input: PoolObjectsInput): PoolObjects {
  const { namespace, settings, jwks, replicas = REPLICAS, shards: count = SHARDS } = input;
  const labels = workloadLabels(POOL_NAME, settings.podLabels);
  const metadata = { name: POOL_NAME, namespace, labels };
  const shared = jwks === undefined ? {} : { [AGENT_FILES.jwks]: JSON.stringify(jwks) };
  const { shards, refused } = filled(input.agents, count, shared);
  const { bundle, ...program } = workerProgram(settings);
  const serviceAccountName = settings.serviceAccountName ?? POOL_NAME;
  const names = shards.map((_, index) => `${POOL_NAME}-${index}`);
  const template = podTemplate({
    labels,
    serviceAccountName,
    configHash: kagentHash(["", "", ""]),
    configSource: { projected: { sources: names.map((name) => ({ secret: { name } })) } },
    bundle,
    deployment: {},
    nodeSelector: settings.nodeSelector,
    container: {
      ...program,
      imagePullPolicy: settings.imagePullPolicy,
      env: platformEnv(settings, undefined),
      readinessProbe: readiness("/health", [1, 5, 1]),
    },
  });
  return {
    refused,
    objects: [
      ...shards.map((files, index) =>
        sharedSecret({ ...metadata, name: `${POOL_NAME}-${index}` }, files),
      ),
      ...(serviceAccountName === POOL_NAME ? [serviceAccountOf(metadata)] : []),
      deploymentOf({ metadata, replicas, template }),
      serviceOf(metadata),
    ],
  };
}

type Files = Readonly<Record<string, string>>;

function filled(agents: readonly PooledAgent[], count: number, shared: Files) {
  const shards: Files[] = Array.from({ length: count }, (_, index) => (index === 0 ? shared : {}));
  const bytes = shards.map(dataBytes);
  const refused = new Map<string, readonly Violation[]>();
  for (const pooled of [...agents].sort(byAge)) {
    const { ref } = pooled.config;
    const files = filesOf(pooled);
    const size = dataBytes(files);
    const index = shardOf(ref.name, count);
    const used = bytes[index] ?? 0;
    const problem = problemOf(files, size, used);
    if (problem !== undefined) refused.set(refKey(ref), [problem]);
    else {
      shards[index] = { ...shards[index], ...files };
      bytes[index] = used + size;
    }
  }
  return { shards, refused };
}

function filesOf({ agent, config, card }: PooledAgent): Files {
  const files = Object.entries(writeAgentFiles(config, card));
  return Object.fromEntries(
    files.map(([file, text]) => [pooledKey(agent.metadata.name, file), text]),
  );
}

function problemOf(files: Files, size: number, used: number): Violation | undefined {
  if (Object.keys(files).some((key) => key.length > MAX_KEY))
    return { path: "metadata.name", message: "is too long for a pooled Agent" };
  const dedicated = 'set spec.workers to "dedicated"';
  if (size > MAX_DATA_BYTES)
    return {
      path: "spec",
      message: `the configuration has ${size} bytes, at most ${MAX_DATA_BYTES} fit into a Secret: shorten the system message`,
    };
  if (used + size > MAX_DATA_BYTES)
    return {
      path: "spec.workers",
      message: `the Secret of the pool in which the Agent belongs is full: ${dedicated}, or give the pool more Secrets`,
    };
  return undefined;
}

/** The oldest first; those of one second by name. */
function byAge(a: PooledAgent, b: PooledAgent): number {
  const key = ({ agent: { metadata } }: PooledAgent) =>
    `${metadata.creationTimestamp ?? ""} ${metadata.name}`;
  return key(a) < key(b) ? -1 : 1;
}
