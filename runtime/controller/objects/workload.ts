import type { KubeObject, ObjectMetadata } from "../../api/cluster-reader.ts";
import { selectorLabels } from "./object-metadata.ts";
import { AGENT_PORT, type Fields, known } from "./pod-template.ts";

/** What a Deployment is made of. */
interface DeploymentPlan {
  readonly metadata: ObjectMetadata;
  /** Left to an autoscaler when absent. */
  readonly replicas?: number | undefined;
  readonly template: Fields;
}

/** Deployment whose pods are replaced one by one, never to less than there were. */
export function deploymentOf({ metadata, replicas, template }: DeploymentPlan): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: known({
      replicas,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: selectorLabels(metadata.name) },
      template,
    }),
  };
}

/** Service in front of the pods of a Deployment of the same name. */
export function serviceOf(metadata: ObjectMetadata, appProtocol?: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: {
      type: "ClusterIP",
      selector: selectorLabels(metadata.name),
      ports: [
        known({
          name: "http",
          port: AGENT_PORT,
          protocol: "TCP",
          targetPort: AGENT_PORT,
          appProtocol,
        }),
      ],
    },
  };
}

/** ServiceAccount without rights of its own. */
export function serviceAccountOf(metadata: ObjectMetadata): KubeObject {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata };
}
