import { RESOURCES } from "../../../runtime/api/cluster.ts";
import type { KubeObject } from "../../../runtime/api/cluster-reader.ts";
import { written, writtenAgent, writtenServer } from "../controller/kagent-objects.ts";
import { type Outside, TENANT, TOOL_KEY } from "./outside.ts";
import type { PlantedSecrets } from "./planted-secrets.ts";

/** Secrets whose values people wrote: the only ones, beside `credentials.json` of agents, that may hold them. */
export const PEOPLES_SECRETS: readonly string[] = [
  "tool-key",
  "authority",
  "openai-key",
  "ollama-key",
  "posted",
];
/** Agents whose turns the test's worker runs. */
export const OWN_AGENTS = ["one", "pass", "local", "boss", "long"] as const;

/** A Secret as it is applied. */
function secret(name: string, stringData: Readonly<Record<string, string>>): KubeObject {
  const data = Object.entries(stringData).map(([key, text]) => [key, btoa(text)]);
  const metadata = { name, namespace: "kagent" };
  return { apiVersion: "v1", kind: "Secret", metadata, data: Object.fromEntries(data) as object };
}

/** Everything that is applied to the cluster, in order. */
export function plantedObjects(
  secrets: PlantedSecrets,
  outside: Outside,
): readonly (readonly [keyof typeof RESOURCES, object])[] {
  const { front, openAi, ollama } = outside;
  const openAI = { baseUrl: openAi.url };
  const mcpServer = { name: "tools", kind: "RemoteMCPServer", apiGroup: "kagent.dev" };
  const retry = { maxAttempts: 1 };
  const compaction = {
    compactionInterval: 1,
    overlapSize: 0,
    eventRetentionSize: 1,
    summarizer: { modelConfig: "refuser" },
  };
  const tools = [
    {
      type: "McpServer",
      mcpServer: {
        ...mcpServer,
        toolNames: ["read", "leak", "echo", "fail", "write"],
        requireApproval: ["write"],
      },
    },
  ];
  const passing = { ...mcpServer, toolNames: ["echo"], allowedHeaders: ["Authorization"] };
  return [
    ["Secret", secret("tool-key", { token: secrets.toolHeader.value })],
    ["Secret", secret("authority", { "ca.crt": front.caPem, "ca.key": pem(secrets) })],
    ["Secret", secret("openai-key", { key: secrets.modelKey.value })],
    ["Secret", secret("ollama-key", { key: secrets.ollamaKey.value })],
    [
      "RemoteMCPServer",
      writtenServer("tools", {
        url: `${front.url}/mcp`,
        headersFrom: [
          { name: TOOL_KEY, valueFrom: { type: "Secret", name: "tool-key", key: "token" } },
        ],
        tls: { caCertSecretRef: "authority", caCertSecretKey: "ca.crt" },
      }),
    ],
    [
      "ModelConfig",
      written("ModelConfig", "default-model-config", {
        provider: "OpenAI",
        model: "m",
        apiKeySecret: "openai-key",
        apiKeySecretKey: "key",
        defaultHeaders: { [TENANT]: secrets.defaultHeader.value },
        openAI,
      }),
    ],
    [
      "ModelConfig",
      written("ModelConfig", "passing", {
        provider: "OpenAI",
        model: "m",
        apiKeyPassthrough: true,
        openAI,
      }),
    ],
    [
      "ModelConfig",
      written("ModelConfig", "ollama", {
        provider: "Ollama",
        model: "m",
        apiKeySecret: "ollama-key",
        apiKeySecretKey: "key",
        ollama: { host: ollama.url },
      }),
    ],
    [
      "ModelConfig",
      written("ModelConfig", "refuser", { provider: "OpenAI", model: "refuser", openAI }),
    ],
    ["Agent", writtenAgent("long", { retry, context: { compaction } })],
    ["Agent", writtenAgent("helper")],
    ["Agent", writtenAgent("one", { tools, retry })],
    ["Agent", writtenAgent("local", { modelConfig: "ollama", retry })],
    [
      "Agent",
      writtenAgent("pass", {
        modelConfig: "passing",
        tools: [{ type: "McpServer", mcpServer: passing }],
      }),
    ],
    ["Agent", writtenAgent("boss", { tools: [{ type: "Agent", agent: { name: "helper" } }] })],
  ];
}

function pem({ caKey }: PlantedSecrets): string {
  return `-----BEGIN PRIVATE KEY-----\n${caKey.value}\n-----END PRIVATE KEY-----\n`;
}
