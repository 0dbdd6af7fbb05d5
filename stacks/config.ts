import * as pulumi from "@pulumi/pulumi";
import * as z from "zod";
import { type Checked, check } from "../runtime/api/checked.ts";
import { DEFAULT_NAMESPACE } from "../runtime/api/names.ts";
import { NamespaceName } from "../runtime/api/object-meta.ts";
import { MAX_CLUSTER_NAME } from "../runtime/api/tool-catalogue.ts";

const HttpUrl = z.url({ protocol: /^https?$/, error: "must be an http or https URL" });

const Cluster = z.strictObject({
  name: NamespaceName.max(
    MAX_CLUSTER_NAME,
    `must have at most ${MAX_CLUSTER_NAME} characters: it is part of the names of tools`,
  ).describe("Name of the cluster; part of its tools' names."),
  k8sToolsUrl: HttpUrl.describe("MCP endpoint of its Kubernetes tools.").optional(),
  helmToolsUrl: HttpUrl.describe("MCP endpoint of its Helm tools.").optional(),
});

/** Configuration of a stack; every key of `Pulumi.<stack>.yaml` with its default. */
export const StackConfig = z.strictObject({
  namespace: NamespaceName.default(DEFAULT_NAMESPACE).describe("Namespace of the platform."),
  clusters: z
    .array(Cluster)
    .min(1)
    .default([{ name: "services-amer" }])
    .describe("Clusters the agents look after, the home cluster first."),
  gatewayUrl: HttpUrl.default(
    "http://agentgateway-proxy.agentgateway-system.svc.cluster.local:9090",
  ).describe("Base URL of the MCP gateway."),
  ollamaHost: HttpUrl.default("http://ollama.ollama.svc.cluster.local:11434").describe(
    "Base URL of Ollama.",
  ),
  installCrds: z.boolean().default(true).describe("Whether the stack owns the CRDs of kagent.dev."),
});
/** Configuration of a stack, defaults filled in. */
export type StackConfig = z.output<typeof StackConfig>;

/** Checks configuration values; paths are those of the keys in the stack file. */
export function checkConfig(values: unknown): Checked<StackConfig> {
  return check(StackConfig, values, "");
}

/**
 * The configuration of the running stack.
 *
 * @throws pulumi.InputPropertiesError naming every key that is unknown or wrong.
 */
export function readConfig(): StackConfig {
  const config = new pulumi.Config();
  const prefix = `${config.name}:`;
  const values: Record<string, unknown> = {};
  for (const [key, text] of Object.entries(pulumi.runtime.allConfig()))
    if (key.startsWith(prefix)) values[key.slice(prefix.length)] = parsed(text);
  const checked = checkConfig(values);
  if (checked.ok) return checked.value;
  throw new pulumi.InputPropertiesError({
    message: `The configuration of stack ${pulumi.getStack()} is invalid`,
    errors: checked.violations.map(({ path, message }) => ({
      propertyPath: path,
      reason: message,
    })),
  });
}

/** The engine hands over text: strings as they are, everything else as JSON. */
function parsed(text: string): unknown {
  if (!/^(\[|\{|true$|false$|-?\d)/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text; // a string that only looks like JSON
  }
}
