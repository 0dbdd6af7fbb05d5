import * as z from "zod";
import { AgentSpec } from "./agent.ts";
import { type Checked, check } from "./checked.ts";
import { ConditionList } from "./conditions.ts";
import { quotedList, suggestion } from "./issue-message.ts";
import { ModelConfigSpec } from "./model-config.ts";
import { ModelProviderConfigSpec } from "./model-provider-config.ts";
import { API_VERSION, DEFAULT_NAMESPACE, GROUP, type Kind } from "./names.ts";
import { ObjectMeta } from "./object-meta.ts";
import { RemoteMcpServerSpec } from "./remote-mcp-server.ts";

/** What every status has; lenient, for it is what servers say. */
const Status = z.looseObject({
  observedGeneration: z.int().optional().catch(undefined),
  conditions: ConditionList.optional(),
});

const SecretStatus = Status.extend({ secretHash: z.string().optional().catch(undefined) });

const ProviderStatus = SecretStatus.extend({
  discoveredModels: z.array(z.string()).optional().catch(undefined),
  modelCount: z.int().optional().catch(undefined),
  lastDiscoveryTime: z.string().optional().catch(undefined),
});

const ToolServerStatus = SecretStatus.extend({
  discoveredTools: z
    .array(z.looseObject({ name: z.string(), description: z.string().catch("") }))
    .optional()
    .catch(undefined),
});

/** A whole Agent. */
export const Agent = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal("Agent"),
  metadata: ObjectMeta,
  spec: AgentSpec,
  status: Status.optional(),
});
/** A whole Agent, defaults filled in. */
export type Agent = z.output<typeof Agent>;
/** A whole Agent as people write it. */
export type AgentInput = z.input<typeof Agent>;

/** A whole ModelConfig. */
export const ModelConfig = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal("ModelConfig"),
  metadata: ObjectMeta,
  spec: ModelConfigSpec,
  status: SecretStatus.optional(),
});
/** A whole ModelConfig, defaults filled in. */
export type ModelConfig = z.output<typeof ModelConfig>;
/** A whole ModelConfig as people write it. */
export type ModelConfigInput = z.input<typeof ModelConfig>;

/** A whole RemoteMCPServer. */
export const RemoteMcpServer = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal("RemoteMCPServer"),
  metadata: ObjectMeta,
  spec: RemoteMcpServerSpec,
  status: ToolServerStatus.optional(),
});
/** A whole RemoteMCPServer, defaults filled in. */
export type RemoteMcpServer = z.output<typeof RemoteMcpServer>;
/** A whole RemoteMCPServer as people write it. */
export type RemoteMcpServerInput = z.input<typeof RemoteMcpServer>;

/** A whole ModelProviderConfig. */
export const ModelProviderConfig = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal("ModelProviderConfig"),
  metadata: ObjectMeta,
  spec: ModelProviderConfigSpec,
  status: ProviderStatus.optional(),
});
/** A whole ModelProviderConfig, defaults filled in. */
export type ModelProviderConfig = z.output<typeof ModelProviderConfig>;
/** A whole ModelProviderConfig as people write it. */
export type ModelProviderConfigInput = z.input<typeof ModelProviderConfig>;

/** An object of any kind that we serve, defaults filled in. */
export type KagentObject = Agent | ModelConfig | RemoteMcpServer | ModelProviderConfig;
/** An object of any kind that we serve, as people write it. */
export type KagentObjectInput =
  | AgentInput
  | ModelConfigInput
  | RemoteMcpServerInput
  | ModelProviderConfigInput;

const SCHEMAS: Readonly<Record<Kind, z.ZodType<KagentObject>>> = {
  Agent,
  ModelConfig,
  RemoteMCPServer: RemoteMcpServer,
  ModelProviderConfig,
};

const KINDS = Object.keys(SCHEMAS) as Kind[];

/** What says of which schema an object is. */
const TypeMeta = z.looseObject({ apiVersion: z.string(), kind: z.string() });

/**
 * An object of any kind that we serve, from a program, a file, a webhook or the cluster.
 *
 * @returns The object with defaults filled in, or every violation with its path from the object's top
 * (`spec.type`, `metadata.name`, empty for what is no object at all). Never throws.
 */
export function parseObject(input: unknown): Checked<KagentObject> {
  const type = check(TypeMeta, input, "");
  if (!type.ok) return type;
  const { apiVersion, kind } = type.value;
  if (apiVersion !== API_VERSION) {
    const foreign = apiVersion.startsWith(`${GROUP}/`) ? "" : `; not an object of ${GROUP}`;
    const message = `must be ${JSON.stringify(API_VERSION)}${foreign}`;
    return { ok: false, violations: [{ path: "apiVersion", message }] };
  }
  if (!isKind(kind)) {
    const message = `unknown kind, must be ${quotedList(KINDS)}${suggestion(kind, KINDS)}`;
    return { ok: false, violations: [{ path: "kind", message }] };
  }
  return check(SCHEMAS[kind], input, "");
}

function isKind(kind: string): kind is Kind {
  return Object.hasOwn(SCHEMAS, kind);
}

/**
 * `kind/namespace/name`: equal for two writings of one object, different for different ones.
 *
 * @param namespace - Where objects without a namespace live.
 */
export function objectKey(
  object: Pick<KagentObjectInput, "kind"> & {
    readonly metadata: Pick<ObjectMeta, "name" | "namespace">;
  },
  namespace: string = DEFAULT_NAMESPACE,
): string {
  const { kind, metadata } = object;
  return `${kind}/${metadata.namespace ?? namespace}/${metadata.name}`;
}
