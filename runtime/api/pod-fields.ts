import * as z from "zod";
import { INT_OR_STRING, partlyKnown, preservedObject } from "./preserved.ts";

/**
 * Fields of pods and containers inside an Agent. Of each only the parts that never change are known
 * here, the rest passes through: the whole schemas would make the CRD too big for `kubectl apply`, and
 * the API server checks them in the rendered Deployment.
 */

const QUANTITY =
  /^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+))?$/;

const WRONG_QUANTITY = 'must be a quantity such as "500m", "1Gi" or 2';
/** An amount of a resource: `500m`, `1Gi`, `2`. */
const Quantity = z
  .union([z.int(), z.string().regex(QUANTITY, WRONG_QUANTITY)], { error: WRONG_QUANTITY })
  .meta({ [INT_OR_STRING]: true, pattern: QUANTITY.source });

/** Requests and limits of a container. */
export const Resources = z.strictObject({
  limits: z.record(z.string(), Quantity).optional(),
  requests: z.record(z.string(), Quantity).optional(),
  claims: z.array(partlyKnown({ name: z.string() })).optional(),
});

/** An environment variable. */
export const EnvVar = partlyKnown({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: preservedObject().optional(),
});

/** A Secret or another object of the same namespace. */
export const LocalReference = z.strictObject({ name: z.string().optional() });

/** Labels, annotations and the like. */
const StringMap = z.record(z.string(), z.string());

/** Fields that Declarative and BYO Agents have in common in `deployment`. */
export const DEPLOYMENT_FIELDS = {
  replicas: z
    .int32()
    .describe("Number of pods; left to an autoscaler when absent.")
    .meta({ format: "int32" })
    .optional(),
  imagePullSecrets: z.array(LocalReference).optional(),
  volumes: z.array(partlyKnown({ name: z.string() })).optional(),
  volumeMounts: z
    .array(
      partlyKnown({
        name: z.string(),
        mountPath: z.string(),
        readOnly: z.boolean().optional(),
        subPath: z.string().optional(),
      }),
    )
    .optional(),
  labels: StringMap.describe("Labels of the pods.").optional(),
  annotations: StringMap.describe("Annotations of the pods.").optional(),
  env: z.array(EnvVar).optional(),
  envFrom: z.array(preservedObject()).optional(),
  deploymentAnnotations: StringMap.describe("Annotations of the Deployment.").optional(),
  imagePullPolicy: z.string().optional(),
  resources: Resources.optional(),
  tolerations: z.array(preservedObject()).optional(),
  affinity: preservedObject().optional(),
  nodeSelector: StringMap.optional(),
  securityContext: preservedObject().describe("Of the container.").optional(),
  podSecurityContext: preservedObject().describe("Of the pod.").optional(),
  serviceAccountName: z.string().describe("An existing ServiceAccount to run as.").optional(),
  serviceAccountConfig: z
    .strictObject({ labels: StringMap.optional(), annotations: StringMap.optional() })
    .describe("Metadata of the ServiceAccount that is made for the Agent.")
    .optional(),
  extraContainers: z.array(partlyKnown({ name: z.string() })).optional(),
} as const;
