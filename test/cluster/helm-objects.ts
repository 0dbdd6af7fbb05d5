import { gzipSync } from "node:zlib";
import type { ClusterObject } from "./api-client.ts";
import type { HelmReleaseFacts } from "./workload-facts.ts";
import { minutesBefore } from "./workload-objects.ts";

/**
 * The Secret in which Helm 3 keeps one revision of a release.
 *
 * Helm itself encodes the compressed JSON in base64 before it becomes data of a Secret, which the API encodes again.
 *
 * @param now - Milliseconds since 1970.
 * @see https://helm.sh/docs/topics/advanced/#storage-backends
 */
export function helmReleaseSecret(facts: HelmReleaseFacts, now: number): ClusterObject {
  const { namespace, name, revision, status } = facts;
  const json = JSON.stringify(release(facts, now));
  const encoded = gzipSync(json).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: `sh.helm.release.v1.${name}.v${revision}`,
      namespace,
      labels: { owner: "helm", name, status, version: String(revision) },
    },
    type: "helm.sh/release.v1",
    data: { release: Buffer.from(encoded).toString("base64") },
  };
}

function release(facts: HelmReleaseFacts, now: number): Readonly<Record<string, unknown>> {
  const { namespace, name, revision, status, chart, chartVersion, appVersion } = facts;
  const template = [
    "apiVersion: apps/v1",
    "kind: Deployment",
    "metadata:",
    `  name: ${name}`,
    `  namespace: ${namespace}`,
    "spec:",
    "  replicas: {{ .Values.replicaCount }}",
    "",
  ].join("\n");
  return {
    name,
    namespace,
    version: revision,
    info: {
      first_deployed: minutesBefore(now, 120),
      last_deployed: minutesBefore(now, 120),
      deleted: "",
      description: facts.description,
      status,
      notes: `${chart} is served by the service ${name} in ${namespace}.\n`,
    },
    chart: {
      metadata: { apiVersion: "v2", name: chart, version: chartVersion, appVersion },
      lock: null,
      templates: [
        { name: "templates/deployment.yaml", data: Buffer.from(template).toString("base64") },
      ],
      values: { replicaCount: 1 },
      schema: null,
      files: null,
    },
    config: facts.values,
    manifest: `---\n# Source: ${chart}/templates/deployment.yaml\n${template.replace("{{ .Values.replicaCount }}", "1")}`,
    hooks: [],
  };
}
