import * as z from "zod";
import { AgentSpec } from "./agent.ts";
import { ConditionSchema } from "./conditions.ts";
import { ModelConfigSpec } from "./model-config.ts";
import { ModelProviderConfigSpec } from "./model-provider-config.ts";
import { GROUP, type Kind, PLURALS, VERSION } from "./names.ts";
import { INT_OR_STRING, PRESERVE } from "./preserved.ts";
import { RemoteMcpServerSpec } from "./remote-mcp-server.ts";

type Json = Record<string, unknown>;

/**
 * Structural OpenAPI v3 schema for a CustomResourceDefinition.
 *
 * Rules of `withRules` come along as `x-kubernetes-validations`. Unions become what Kubernetes has in
 * their place: preserved unknown fields, or an integer or string.
 *
 * @param schema - Spec or status of one kind.
 * @returns JSON fit for `spec.versions[].schema.openAPIV3Schema.properties.spec`; the same text for the
 * same schema.
 * @throws Error where zod meets a type with no JSON Schema form (dates, maps, transforms).
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function toStructuralSchema(schema: z.ZodType): Json {
  const json: Json = z.toJSONSchema(schema, { target: "openapi-3.0", io: "input" });
  delete json["$schema"];
  return structural(json);
}

/** `node` with all nodes below it in the form that the API server takes; a new object. */
function structural(node: Json): Json {
  const { properties, items, additionalProperties, ...rest } = withoutUnion(node);
  // Keys of maps have no schema there.
  delete rest["propertyNames"];
  // zod's bounds of safe integers are no bounds of ours.
  if (rest["minimum"] === Number.MIN_SAFE_INTEGER) delete rest["minimum"];
  if (rest["maximum"] === Number.MAX_SAFE_INTEGER) delete rest["maximum"];
  if (isJson(properties)) {
    // Unknown fields are pruned: beside properties, `additionalProperties: false` is rejected.
    const nodes = Object.entries(properties).map(([name, below]) => [
      name,
      structural(below as Json),
    ]);
    return { ...rest, properties: Object.fromEntries(nodes) as Json };
  }
  if (isJson(items)) return { ...rest, items: structural(items) };
  // An empty schema of values says nothing; the node keeps what it gets by its own metadata.
  if (isJson(additionalProperties) && Object.keys(additionalProperties).length > 0)
    return { ...rest, additionalProperties: structural(additionalProperties) };
  return rest;
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}

/** A union is not structural: its branches are dropped where metadata says what stands in its place. */
function withoutUnion(node: Json): Json {
  const { anyOf, oneOf, ...rest } = node;
  if (anyOf === undefined && oneOf === undefined) return node;
  if (node[PRESERVE] === true || node[INT_OR_STRING] === true) return rest;
  throw new Error("failed to write a CRD schema: it has a union without a structural form");
}

const CONDITIONS = z
  .array(ConditionSchema)
  .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] });

const STATUS = z.object({
  observedGeneration: z.int().optional().meta({ format: "int64" }),
  conditions: CONDITIONS.optional(),
});
const SECRET_STATUS = STATUS.extend({ secretHash: z.string().optional() });
const TOOL_SERVER_STATUS = SECRET_STATUS.extend({
  discoveredTools: z.array(z.object({ name: z.string(), description: z.string() })).optional(),
});

const PROVIDER_STATUS = SECRET_STATUS.extend({
  discoveredModels: z.array(z.string()).optional(),
  modelCount: z.int().optional(),
  lastDiscoveryTime: z.string().optional().meta({ format: "date-time" }),
});

/** What `kubectl get` shows of a kind. */
interface Column {
  readonly name: string;
  readonly jsonPath: string;
  /** A string when absent. */
  readonly type?: "integer" | "date";
}

const READY = conditionColumn("Ready");
const ACCEPTED = conditionColumn("Accepted");

function conditionColumn(type: "Ready" | "Accepted"): Column {
  return { name: type, jsonPath: `.status.conditions[?(@.type=='${type}')].status` };
}

/** What a CRD says of its kind beside the schema's own. */
interface Definition {
  readonly kind: Kind;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  readonly columns: readonly Column[];
}

const DEFINITIONS: readonly Definition[] = [
  {
    kind: "Agent",
    shortNames: [],
    description: "An AI agent: what it is told, its model, its tools and how it is reached.",
    spec: AgentSpec,
    status: STATUS,
    columns: [
      { name: "Type", jsonPath: ".spec.type" },
      { name: "Runtime", jsonPath: ".spec.declarative.runtime" },
      READY,
      ACCEPTED,
    ],
  },
  {
    kind: "ModelConfig",
    shortNames: ["mc"],
    description: "A model, who serves it and how it is reached.",
    spec: ModelConfigSpec,
    status: SECRET_STATUS,
    columns: [
      { name: "Provider", jsonPath: ".spec.provider" },
      { name: "Model", jsonPath: ".spec.model" },
    ],
  },
  {
    kind: "RemoteMCPServer",
    shortNames: ["rmcps"],
    description: "An MCP server at a URL, whose tools Agents may use.",
    spec: RemoteMcpServerSpec,
    status: TOOL_SERVER_STATUS,
    columns: [
      { name: "Protocol", jsonPath: ".spec.protocol" },
      { name: "URL", jsonPath: ".spec.url" },
      ACCEPTED,
    ],
  },
  {
    kind: "ModelProviderConfig",
    shortNames: ["mprov"],
    description: "A provider of models, whose models are discovered.",
    spec: ModelProviderConfigSpec,
    status: PROVIDER_STATUS,
    columns: [
      { name: "Type", jsonPath: ".spec.type" },
      { name: "Endpoint", jsonPath: ".spec.endpoint" },
      { name: "Models", jsonPath: ".status.modelCount", type: "integer" },
      READY,
      { name: "Age", jsonPath: ".metadata.creationTimestamp", type: "date" },
    ],
  },
];

/**
 * The CustomResourceDefinitions of every kind, in a fixed order; made anew at each call.
 *
 * Each is below 262,144 bytes of compact JSON, what the annotation of `kubectl apply` holds.
 */
export function customResourceDefinitions(): readonly Readonly<Json>[] {
  return DEFINITIONS.map(customResourceDefinition);
}

function customResourceDefinition(definition: Definition): Json {
  const { kind, shortNames } = definition;
  const plural = PLURALS[kind];
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(shortNames.length > 0 && { shortNames }),
        categories: ["kagent"],
      },
      scope: "Namespaced",
      versions: [versionOf(definition)],
    },
  };
}

function versionOf({ description, spec, status, columns }: Definition): Json {
  return {
    name: VERSION,
    served: true,
    storage: true,
    subresources: { status: {} },
    additionalPrinterColumns: columns.map(({ name, jsonPath, type = "string" }) => ({
      name,
      type,
      jsonPath,
    })),
    schema: {
      openAPIV3Schema: {
        description,
        type: "object",
        required: ["spec"],
        properties: {
          apiVersion: { type: "string" },
          kind: { type: "string" },
          metadata: { type: "object" },
          spec: toStructuralSchema(spec),
          status: toStructuralSchema(status),
        },
      },
    },
  };
}
