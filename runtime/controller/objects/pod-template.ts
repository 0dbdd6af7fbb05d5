import type * as z from "zod";
import type { ByoDeployment, DeclarativeDeployment } from "../../api/agent-deployment.ts";
import { ANNOTATIONS } from "../../api/names.ts";
import {
  containerSecurityContext,
  podSecurityContext,
  sidecarSecurityContext,
} from "./security-context.ts";
import type { WorkloadSettings } from "./workload-settings.ts";

/** A part of a Kubernetes object. */
export type Fields = Readonly<Record<string, unknown>>;
type Texts = Readonly<Record<string, string>>;
type Declarative = z.output<typeof DeclarativeDeployment>;
type Byo = z.output<typeof ByoDeployment>;

/** What the two kinds of Agents have in common in `deployment`. */
export type SharedDeployment = Partial<Pick<Declarative, keyof Declarative & keyof Byo>>;

/** Port of every agent; kagent's own. */
export const AGENT_PORT = 8080;
/** Folder in which an agent finds its files. */
export const CONFIG_FOLDER = "/config";

/** Names of the volumes that the platform puts into pods. */
export const PLATFORM_VOLUMES = {
  config: "config",
  token: "kagent-token",
  temporary: "kagent-tmp",
  bundle: "kagent-bundle",
} as const;

/** kagent-api section 2.1. */
const DEFAULT_RESOURCES: Fields = {
  requests: { cpu: "100m", memory: "384Mi" },
  limits: { cpu: "2", memory: "1Gi" },
};
/** Everybody may read, nobody may write or run: files of the program are read by Node. */
const READ_ONLY = 0o444;

/** The container that is the agent. */
export interface AgentContainer {
  readonly image: string;
  readonly imagePullPolicy?: string | undefined;
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  readonly workingDir?: string | undefined;
  /** Set after the user's own, which give way to them. */
  readonly env: readonly Fields[];
  readonly readinessProbe: Fields;
}

/** Everything a pod of an agent or a pool is made of. */
export interface PodPlan {
  readonly labels: Texts;
  readonly serviceAccountName: string;
  /** Of what needs a restart. */
  readonly configHash: string;
  /** Source of the volume `config`: `{secret: ...}` or `{projected: ...}`. */
  readonly configSource: Fields;
  /** ConfigMap with the program, for a stock image. */
  readonly bundle?: string | undefined;
  readonly container: AgentContainer;
  /** What the user says of the pod. */
  readonly deployment: SharedDeployment;
  readonly nodeSelector?: Texts | undefined;
}

/** Template of the pods, restricted unless the user says otherwise (kagent-api section 2.1, requirement 28). */
export function podTemplate(plan: PodPlan): Fields {
  const { deployment } = plan;
  return {
    metadata: {
      labels: plan.labels,
      annotations: { ...deployment.annotations, [ANNOTATIONS.configHash]: plan.configHash },
    },
    spec: known({
      serviceAccountName: plan.serviceAccountName,
      automountServiceAccountToken: false,
      imagePullSecrets: deployment.imagePullSecrets,
      securityContext: podSecurityContext(
        deployment.podSecurityContext,
        deployment.securityContext,
      ),
      containers: [agentContainer(plan), ...(deployment.extraContainers ?? []).map(sidecar)],
      volumes: volumes(plan),
      tolerations: deployment.tolerations,
      affinity: deployment.affinity,
      nodeSelector: deployment.nodeSelector ?? plan.nodeSelector,
    }),
  };
}

/** Where the worker's program comes from, and how it is started. */
export function workerProgram({
  delivery,
  bindHost = "0.0.0.0",
}: WorkloadSettings): Pick<AgentContainer, "image" | "command" | "args"> & Pick<PodPlan, "bundle"> {
  return {
    ...(delivery.kind === "image"
      ? { image: delivery.image, bundle: undefined }
      : { image: delivery.nodeImage, bundle: delivery.configMapName }),
    command: ["node", "/app/main.mjs", "worker"],
    args: ["--host", bindHost, "--port", String(AGENT_PORT), "--filepath", CONFIG_FOLDER],
  };
}

/** Variables that every agent gets, in kagent's order (kagent-api section 4). */
export function platformEnv(
  { telemetry = {}, controllerUrl, uiUrl }: WorkloadSettings,
  name: string | undefined,
): readonly Fields[] {
  const fieldRef = { fieldPath: "metadata.namespace" };
  return [
    ...Object.entries(telemetry)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ name: key, value })),
    { name: "KAGENT_NAMESPACE", valueFrom: { fieldRef } },
    ...(name === undefined ? [] : [{ name: "KAGENT_NAME", value: name }]),
    { name: "KAGENT_URL", value: controllerUrl },
    ...(uiUrl === undefined || uiUrl === "" ? [] : [{ name: "KAGENT_UI_URL", value: uiUrl }]),
  ];
}

/** Readiness by HTTP; times in seconds. */
export function readiness(
  path: string,
  [initialDelaySeconds, timeoutSeconds, periodSeconds]: readonly [number, number, number],
): Fields {
  return {
    httpGet: { path, port: "http" },
    initialDelaySeconds,
    timeoutSeconds,
    periodSeconds,
  };
}

/** The fields that are neither `undefined` nor empty lists. */
export function known(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

function agentContainer(plan: PodPlan): Fields {
  const { container, deployment } = plan;
  return known({
    name: "kagent",
    image: container.image,
    imagePullPolicy: container.imagePullPolicy,
    command: container.command,
    args: container.args,
    workingDir: container.workingDir,
    ports: [{ name: "http", containerPort: AGENT_PORT, protocol: "TCP" }],
    resources: deployment.resources ?? DEFAULT_RESOURCES,
    env: lastOfEach([...(deployment.env ?? []), ...container.env]),
    envFrom: deployment.envFrom,
    readinessProbe: container.readinessProbe,
    securityContext: containerSecurityContext(deployment.securityContext),
    volumeMounts: mounts(plan),
  });
}

/** Where a name is there twice the later one counts, as for a container; server-side apply takes no name twice. */
function lastOfEach(env: readonly Fields[]): readonly Fields[] {
  const last = new Map(env.map((variable, index) => [variable["name"], index]));
  return env.filter(({ name }, index) => last.get(name) === index);
}

function sidecar(container: Fields): Fields {
  const { securityContext } = container;
  const own = typeof securityContext === "object" ? (securityContext as Fields) : undefined;
  return { ...container, securityContext: sidecarSecurityContext(own ?? {}) };
}

function volumes({ configSource, bundle, deployment }: PodPlan): readonly Fields[] {
  return [
    { name: PLATFORM_VOLUMES.config, ...configSource },
    ...(deployment.volumes ?? []),
    {
      name: PLATFORM_VOLUMES.token,
      projected: {
        sources: [
          {
            serviceAccountToken: {
              audience: "kagent",
              expirationSeconds: 3600,
              path: "kagent-token",
            },
          },
        ],
      },
    },
    ...(hasOwnTemporary(deployment) ? [] : [{ name: PLATFORM_VOLUMES.temporary, emptyDir: {} }]),
    ...(bundle === undefined
      ? []
      : [
          {
            name: PLATFORM_VOLUMES.bundle,
            configMap: { name: bundle, defaultMode: READ_ONLY },
          },
        ]),
  ];
}

function mounts({ bundle, deployment }: PodPlan): readonly Fields[] {
  const mount = (name: string, mountPath: string) => ({ name, mountPath });
  const readOnly = (name: string, mountPath: string) => ({ name, mountPath, readOnly: true });
  return [
    readOnly(PLATFORM_VOLUMES.config, CONFIG_FOLDER),
    ...(deployment.volumeMounts ?? []),
    readOnly(PLATFORM_VOLUMES.token, "/var/run/secrets/tokens"),
    ...(hasOwnTemporary(deployment) ? [] : [mount(PLATFORM_VOLUMES.temporary, "/tmp")]),
    ...(bundle === undefined ? [] : [readOnly(PLATFORM_VOLUMES.bundle, "/app")]),
  ];
}

function hasOwnTemporary({ volumeMounts = [] }: SharedDeployment): boolean {
  return volumeMounts.some(({ mountPath }) => mountPath.replace(/\/+$/, "") === "/tmp");
}
