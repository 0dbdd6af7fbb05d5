import type { ClusterObject } from "./api-client.ts";
import { FLUX_REVISION, type FluxFacts } from "./workload-facts.ts";
import { minutesBefore } from "./workload-objects.ts";

type Json = Readonly<Record<string, unknown>>;

const STRING = { type: "string" } as const;
/** A part whose fields no test looks at; kept as it is written. */
const ANYTHING = { type: "object", "x-kubernetes-preserve-unknown-fields": true } as const;

/** What the definition of one kind adds to what both share. */
interface FluxKind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly shortName: string;
  readonly spec: Json;
  readonly status: Json;
}

const KINDS = {
  Kustomization: {
    group: "kustomize.toolkit.fluxcd.io",
    version: "v1",
    plural: "kustomizations",
    shortName: "ks",
    spec: {
      path: STRING,
      prune: { type: "boolean" },
      sourceRef: ANYTHING,
      targetNamespace: STRING,
    },
    status: { lastAppliedRevision: STRING, lastAttemptedRevision: STRING },
  },
  HelmRelease: {
    group: "helm.toolkit.fluxcd.io",
    version: "v2",
    plural: "helmreleases",
    shortName: "hr",
    spec: { releaseName: STRING, chart: ANYTHING, values: ANYTHING },
    status: {
      failures: { type: "integer", format: "int64" },
      installFailures: { type: "integer", format: "int64" },
      lastAttemptedRevision: STRING,
    },
  },
} as const satisfies Readonly<Record<FluxFacts["kind"], FluxKind>>;

/** Definitions of both kinds: the fields that matter for looking at a failure, not all of Flux's. */
export const FLUX_DEFINITIONS: readonly ClusterObject[] = [
  definition("Kustomization"),
  definition("HelmRelease"),
];

function definition(kind: FluxFacts["kind"]): ClusterObject {
  const { group, version, plural, shortName, spec, status } = KINDS[kind];
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
            { name: "Ready", type: "string", jsonPath: conditionPath("status") },
            { name: "Status", type: "string", jsonPath: conditionPath("message") },
          ],
          schema: { openAPIV3Schema: schema(spec, status) },
        },
      ],
    },
  };
}

function conditionPath(field: string): string {
  return `.status.conditions[?(@.type=="Ready")].${field}`;
}

function schema(spec: Json, status: Json): Json {
  const conditionFields = { type: STRING, status: STRING, reason: STRING, message: STRING };
  return {
    type: "object",
    properties: {
      apiVersion: STRING,
      kind: STRING,
      metadata: { type: "object" },
      spec: {
        type: "object",
        required: ["interval"],
        properties: { interval: STRING, suspend: { type: "boolean" }, ...spec },
      },
      status: {
        type: "object",
        properties: {
          observedGeneration: { type: "integer", format: "int64" },
          conditions: {
            type: "array",
            items: {
              type: "object",
              required: ["type", "status"],
              properties: {
                ...conditionFields,
                observedGeneration: { type: "integer", format: "int64" },
                lastTransitionTime: { type: "string", format: "date-time" },
              },
            },
          },
          ...status,
        },
      },
    },
  };
}

/** A Flux object, without its status. */
export function fluxObject(facts: FluxFacts): ClusterObject {
  const { kind, namespace, name } = facts;
  const { group, version } = KINDS[kind];
  const spec =
    kind === "Kustomization"
      ? {
          interval: "10m",
          path: `./apps/${name}`,
          prune: true,
          sourceRef: { kind: "GitRepository", name: "flux-system" },
        }
      : {
          interval: "10m",
          releaseName: name,
          chart: {
            spec: {
              chart: name,
              version: ">=0.1.0",
              sourceRef: { kind: "HelmRepository", name: "charts", namespace: "flux-system" },
            },
          },
        };
  return {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { name, namespace },
    spec,
  };
}

/** Status of a Flux object; `now` in milliseconds since 1970. */
export function fluxStatus(facts: FluxFacts, now: number): Json {
  const isReady = facts.ready === "True";
  const outcome =
    facts.kind === "Kustomization"
      ? {
          lastAttemptedRevision: FLUX_REVISION,
          ...(isReady ? { lastAppliedRevision: FLUX_REVISION } : {}),
        }
      : isReady
        ? {}
        : { failures: 4, installFailures: 1 };
  return {
    observedGeneration: 1,
    conditions: [
      {
        type: "Ready",
        status: facts.ready,
        reason: facts.reason,
        message: facts.message,
        observedGeneration: 1,
        lastTransitionTime: minutesBefore(now, 118),
      },
    ],
    ...outcome,
  };
}
