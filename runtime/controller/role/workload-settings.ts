import * as z from "zod";
import type { WorkloadOptions } from "../reconcile/workloads.ts";

/** `key=value,key=value`. */
const Pairs = z
  .string()
  .max(10_000)
  .transform((text, context) => {
    const pairs = text.split(",").filter((pair) => pair.trim() !== "");
    const broken = pairs.some((pair) => !/^\s*[^=\s]+=[^=]*$/.test(pair));
    if (broken) context.addIssue({ code: "custom", message: 'must be "key=value,key=value"' });
    return Object.fromEntries(
      pairs.map((pair) => pair.split("=", 2).map((word) => word.trim()) as [string, string]),
    );
  });

/** What the environment says of workers (kagent-api section 4, ours at the end). */
export const workloadEnvironment = {
  KAGENT_UI_URL: z.url({ protocol: /^https?$/, error: "must be an http or https URL" }).optional(),
  DEFAULT_SERVICE_ACCOUNT_NAME: z.string().min(1).optional(),
  DEFAULT_AGENT_POD_LABELS: Pairs.optional(),
  DEFAULT_AGENT_NODE_SELECTOR: Pairs.optional(),
  DEFAULT_AGENT_BIND_HOST: z.string().min(1).optional(),
  KAGENT_WORKER_IMAGE: z.string().min(1).optional(),
  KAGENT_NODE_IMAGE: z.string().min(1).default("node:24-slim"),
  KAGENT_IMAGE_PULL_POLICY: z.enum(["Always", "IfNotPresent", "Never"]).optional(),
  KAGENT_WORKERS: z.enum(["dedicated", "pooled"]).default("dedicated"),
};
type Environment = z.output<z.ZodObject<typeof workloadEnvironment>>;

/** How workers are made: from an image when one is named, else from the delivered bundle (decisions 19). */
export function workloadOptions(
  env: Environment,
  platform: {
    readonly controllerUrl: string;
    /** All of the controller's environment: its `OTEL_*` is the pods' too. */
    readonly variables: Readonly<Record<string, string | undefined>>;
  },
): Omit<WorkloadOptions, "jwks"> {
  const { KAGENT_WORKER_IMAGE: image, KAGENT_NODE_IMAGE: nodeImage } = env;
  const optional = {
    uiUrl: env.KAGENT_UI_URL,
    serviceAccountName: env.DEFAULT_SERVICE_ACCOUNT_NAME,
    podLabels: env.DEFAULT_AGENT_POD_LABELS,
    nodeSelector: env.DEFAULT_AGENT_NODE_SELECTOR,
    bindHost: env.DEFAULT_AGENT_BIND_HOST,
    imagePullPolicy: env.KAGENT_IMAGE_PULL_POLICY,
    telemetry: telemetryOf(platform.variables),
  };
  const given = Object.entries(optional).filter(([, value]) => value !== undefined);
  return {
    delivery: image === undefined ? { kind: "bundle", nodeImage } : { kind: "image", image },
    workers: env.KAGENT_WORKERS,
    settings: { controllerUrl: platform.controllerUrl, ...Object.fromEntries(given) },
  };
}

function telemetryOf(
  variables: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> | undefined {
  const found = Object.entries(variables).flatMap(([name, value]) =>
    name.startsWith("OTEL_") && value !== undefined ? [[name, value] as const] : [],
  );
  return found.length === 0 ? undefined : Object.fromEntries(found);
}
