import { gzipSync } from "node:zlib";
import { stringify } from "yaml";
import type { KubeObject } from "../../api/cluster-reader.ts";
import { podTemplate } from "./controller-objects.ts";
import { uid } from "./demo-pods.ts";
import { helmValues, UPGRADE_FAILED } from "./flux-objects.ts";
import { selectorLabels, timestamp } from "./pod-objects.ts";
import { DAY, MINUTE, type Workload } from "./workload.ts";
import { WORKLOADS } from "./workloads.ts";

/** One revision of a Helm release. */
interface Revision {
  readonly version: number;
  readonly status: "deployed" | "superseded" | "failed";
  readonly description: string;
  /** When it was made, in milliseconds before the demo began. */
  readonly ageMs: number;
  /** Memory it asks for; as the workload says unless set. */
  readonly memory?: string;
}

/** Release Secrets of the demo cluster in the form in which Helm 3 stores them. */
export function helmObjects(begin: number): readonly KubeObject[] {
  return WORKLOADS.filter(({ delivery }) => delivery.kind === "helm").flatMap((workload) =>
    revisions(workload).map((revision) => releaseSecret(workload, revision, begin)),
  );
}

function revisions(workload: Workload): readonly Revision[] {
  if (workload.fault?.kind === "unschedulable")
    return [
      {
        version: 3,
        status: "deployed",
        description: "Upgrade complete",
        ageMs: 12 * DAY,
        memory: "4Gi",
      },
      { version: 4, status: "failed", description: failure(), ageMs: 52 * MINUTE },
    ];
  return [
    { version: 2, status: "superseded", description: "Upgrade complete", ageMs: 40 * DAY },
    { version: 3, status: "deployed", description: "Upgrade complete", ageMs: 12 * DAY },
  ];
}

function failure(): string {
  const [, reason] = UPGRADE_FAILED.split(/: (.*)/s);
  return `Upgrade "analytics-batch" failed: ${reason ?? UPGRADE_FAILED}`;
}

function releaseSecret(workload: Workload, revision: Revision, begin: number): KubeObject {
  const { name, namespace } = workload;
  const secret = `sh.helm.release.v1.${name}.v${revision.version}`;
  const release = gzipSync(JSON.stringify(releaseDocument(workload, revision, begin)));
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: secret,
      namespace,
      uid: uid(`secret/${namespace}/${secret}`),
      creationTimestamp: timestamp(begin - revision.ageMs),
      labels: {
        owner: "helm",
        name,
        status: revision.status,
        version: String(revision.version),
        modifiedAt: String(Math.floor((begin - revision.ageMs) / 1000)),
      },
    },
    type: "helm.sh/release.v1",
    data: { release: Buffer.from(release.toString("base64")).toString("base64") },
  };
}

function releaseDocument(workload: Workload, revision: Revision, begin: number): unknown {
  const { name, namespace, delivery, tag } = workload;
  const { chart, version } =
    delivery.kind === "helm" ? delivery : { chart: name, version: "0.0.0" };
  const { memory = workload.memoryRequest } = revision;
  const sized: Workload = { ...workload, memoryRequest: memory, memoryLimit: memory };
  const shown = revision.memory === undefined ? workload : sized;
  return {
    name,
    namespace,
    version: revision.version,
    info: {
      first_deployed: timestamp(begin - 120 * DAY),
      last_deployed: timestamp(begin - revision.ageMs),
      deleted: "",
      description: revision.description,
      status: revision.status,
      notes: `${name} listens on port ${workload.port} in namespace ${namespace}.`,
    },
    chart: {
      metadata: {
        name: chart,
        version,
        appVersion: tag,
        description: `Runs ${name}`,
        apiVersion: "v2",
      },
      values: { replicaCount: 1, resources: {} },
      templates: [],
    },
    config: helmValues(shown),
    manifest: manifest(shown),
    hooks: [],
  };
}

function manifest(workload: Workload): string {
  const { name, namespace, kind, replicas, tag } = workload;
  const object = {
    apiVersion: "apps/v1",
    kind,
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: selectorLabels(workload) },
      template: podTemplate(workload, tag),
    },
  };
  return `---\n# Source: ${name}/templates/workload.yaml\n${stringify(object)}`;
}
