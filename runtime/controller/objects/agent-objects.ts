import type { AgentConfig } from "../../api/agent-config.ts";
import { AGENT_FILES } from "../../api/agent-files/names.ts";
import { cardFile, writeAgentFiles } from "../../api/agent-files.ts";
import type { Checked } from "../../api/checked.ts";
import type { KubeObject, ObjectMetadata } from "../../api/cluster-reader.ts";
import type { Agent } from "../../api/objects.ts";
import { objectViolations } from "./agent-violations.ts";
import { kagentHash } from "./config-hash.ts";
import { withRegistry } from "./image.ts";
import { agentMetadata, workloadLabels } from "./object-metadata.ts";
import {
  type AgentContainer,
  CONFIG_FOLDER,
  type PodPlan,
  platformEnv,
  podTemplate,
  readiness,
  type SharedDeployment,
  workerProgram,
} from "./pod-template.ts";
import { sandboxFile } from "./sandbox-file.ts";
import { agentSecret, dataBytes, MAX_DATA_BYTES } from "./secret.ts";
import { deploymentOf, serviceAccountOf, serviceOf } from "./workload.ts";
import type { WorkloadSettings } from "./workload-settings.ts";

/** What the objects of one Agent are made of. */
export interface AgentObjectsInput {
  readonly agent: Agent;
  /** What a worker runs; left out for an Agent of type BYO, and only there. */
  readonly config?: AgentConfig;
  /** The A2A card, with the URL that callers are to use. */
  readonly card: object;
  /** JSON Web Key Set that proves callers of a worker (decisions 15). */
  readonly jwks?: object | undefined;
  readonly settings: WorkloadSettings;
}

/** A2A in the words of the gateway (kagent-api section 2.1). */
const APP_PROTOCOL = "kgateway.dev/a2a";
const CARD_PATH = "/.well-known/agent-card.json";
/** Initial delay, time-out and period in seconds: those of kagent's two runtimes. */
const FAST_PROBE = [1, 5, 1] as const;
const SLOW_PROBE = [15, 15, 15] as const;

/**
 * The objects that run an Agent with pods of its own: Secret, ServiceAccount (if it is the Agent's), Deployment, Service,
 * in the order in which to apply them; the same bytes for the same input (kagent-api sections 2.1 and 2.2).
 *
 * The configuration is in the Secret only: an edit of prompt, tools, model or card leaves the Deployment as it is. The
 * annotation `kagent.dev/config-hash` of the Secret covers all files, that of the pod template what a worker cannot
 * reload. So that the kubelet fetches a changed Secret at once, whoever applies these objects sets an annotation on the
 * running pods; it is not in the template, where it would replace the pods.
 *
 * @returns The objects, or why there can be none, with paths in the Agent.
 * @throws TypeError for a Declarative Agent without configuration.
 */
export function agentObjects(input: AgentObjectsInput): Checked<readonly KubeObject[]> {
  const { agent, settings } = input;
  const violations = objectViolations(agent);
  if (violations.length > 0) return { ok: false, violations };
  const files = filesOf(input);
  const bytes = dataBytes(files);
  if (bytes > MAX_DATA_BYTES)
    return {
      ok: false,
      violations: [
        {
          path: "spec",
          message: `the configuration has ${bytes} bytes, at most ${MAX_DATA_BYTES} fit into a Secret: shorten the system message`,
        },
      ],
    };
  const { name } = agent.metadata;
  const deployment: SharedDeployment = deploymentSpec(agent);
  const labels = workloadLabels(name, settings.podLabels, deployment.labels);
  const metadata = agentMetadata(agent, labels);
  const serviceAccountName = deployment.serviceAccountName ?? settings.serviceAccountName ?? name;
  const plan = podPlan(input, { labels, serviceAccountName, files });
  const isA2a = agent.spec.type === "BYO" || agent.spec.declarative?.a2aConfig !== undefined;
  return {
    ok: true,
    value: [
      agentSecret(metadata, files),
      ...(serviceAccountName === name ? [agentAccount(metadata, deployment)] : []),
      deploymentOf({
        metadata: annotated(metadata, deployment.deploymentAnnotations),
        replicas: deployment.replicas,
        template: podTemplate(plan),
      }),
      serviceOf(metadata, isA2a ? APP_PROTOCOL : undefined),
    ],
  };
}

function deploymentSpec({ spec }: Agent): SharedDeployment {
  return (spec.type === "BYO" ? spec.byo?.deployment : spec.declarative?.deployment) ?? {};
}

type Files = Readonly<Record<string, string>>;

function filesOf({ agent, config, card, jwks }: AgentObjectsInput): Files {
  const keys: Files = jwks === undefined ? {} : { [AGENT_FILES.jwks]: JSON.stringify(jwks) };
  if (agent.spec.type === "BYO")
    return { ...byoConfig(agent), ...cardFile(card), ...sandboxFile(agent), ...keys };
  if (config === undefined)
    throw new TypeError(
      `failed to make the objects of agent ${agent.metadata.name}: no configuration`,
    );
  return { ...writeAgentFiles(config, card), ...keys };
}

/** What kagent writes for an image of the user's own. */
function byoConfig({ spec }: Agent): Files {
  const config = { model: null, description: spec.description ?? "", instruction: "" };
  return { [AGENT_FILES.config]: JSON.stringify(config) };
}

interface Workload {
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccountName: string;
  readonly files: Files;
}

function podPlan(
  { agent, settings }: AgentObjectsInput,
  { labels, serviceAccountName, files }: Workload,
): PodPlan {
  const deployment = deploymentSpec(agent);
  const { name } = agent.metadata;
  const sandbox = files[AGENT_FILES.sandbox];
  const { bundle, ...container } =
    agent.spec.type === "BYO" ? byoContainer(agent) : workerContainer(agent, settings);
  const sandboxPath = `${CONFIG_FOLDER}/${AGENT_FILES.sandbox}`;
  return {
    labels,
    serviceAccountName,
    configHash: kagentHash(["", "", sandbox ?? ""]),
    configSource: { secret: { secretName: name } },
    bundle,
    deployment,
    nodeSelector: settings.nodeSelector,
    container: {
      ...container,
      imagePullPolicy: deployment.imagePullPolicy ?? settings.imagePullPolicy,
      env: [
        ...platformEnv(settings, name),
        ...(sandbox === undefined
          ? []
          : [{ name: "KAGENT_SRT_SETTINGS_PATH", value: sandboxPath }]),
      ],
    },
  };
}

type Program = Omit<AgentContainer, "env"> & Pick<PodPlan, "bundle">;

function workerContainer({ spec }: Agent, settings: WorkloadSettings): Program {
  const { image, ...program } = workerProgram(settings);
  const { runtime = "go", deployment } = spec.declarative ?? {};
  return {
    ...program,
    image: withRegistry(image, deployment?.imageRegistry),
    readinessProbe: readiness(CARD_PATH, runtime === "go" ? FAST_PROBE : SLOW_PROBE),
  };
}

function byoContainer({ spec }: Agent): Program {
  const { image = "", cmd = "", args, workingDir } = spec.byo?.deployment ?? {};
  return {
    image,
    command: cmd === "" ? undefined : [cmd],
    args,
    workingDir,
    readinessProbe: readiness(CARD_PATH, SLOW_PROBE),
  };
}

function agentAccount(
  metadata: ObjectMetadata,
  { serviceAccountConfig }: SharedDeployment,
): KubeObject {
  const labels = { ...metadata.labels, ...serviceAccountConfig?.labels };
  return serviceAccountOf({
    ...annotated(metadata, serviceAccountConfig?.annotations),
    labels,
  });
}

function annotated(
  metadata: ObjectMetadata,
  more: Readonly<Record<string, string>> | undefined,
): ObjectMetadata {
  return more === undefined
    ? metadata
    : { ...metadata, annotations: { ...metadata.annotations, ...more } };
}
