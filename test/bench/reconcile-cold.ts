import { randomUUID } from "node:crypto";
import { RESOURCES } from "../../runtime/api/cluster.ts";
import { Controller } from "../../runtime/controller/controller.ts";
import { MemoryCluster } from "../../runtime/kube/memory-cluster.ts";
import { systemClock } from "../../runtime/process/clock.ts";
import { silentLog } from "../../runtime/telemetry/log.ts";

/** Agents, 50 to a namespace, each with a prompt of 2 KiB, tools of two servers, a header from a Secret and a child. */
const AGENTS = Number(process.argv[2] ?? 1_000);
const PER_NAMESPACE = 50;
const POLL_MS = 20;

const never = new AbortController().signal;
const cluster = new MemoryCluster({ clock: systemClock, newId: randomUUID });

type Kind = keyof typeof RESOURCES;

async function make(kind: Kind, namespace: string, name: string, rest: object): Promise<void> {
  const { group, version } = RESOURCES[kind];
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const object = { apiVersion, kind, metadata: { namespace, name }, ...rest };
  await cluster.create(RESOURCES[kind], object, never);
}

async function fill(): Promise<void> {
  for (let at = 0; at < AGENTS; at++) {
    const namespace = `team-${Math.floor(at / PER_NAMESPACE)}`;
    if (at % PER_NAMESPACE === 0) await fillNamespace(namespace);
    await make("Agent", namespace, `agent-${at}`, { spec: agentSpec(at) });
  }
}

async function fillNamespace(namespace: string): Promise<void> {
  await make("ModelConfig", namespace, "default-model-config", {
    spec: { provider: "Ollama", model: "qwen2.5:14b", ollama: { host: "http://ollama:11434" } },
  });
  await make("Secret", namespace, "token", { data: { token: "c2VjcmV0" } });
  for (const name of ["k8s", "helm"])
    await make("RemoteMCPServer", namespace, name, {
      spec: { description: name, url: `http://gateway.${namespace}:9090/mcp/${name}` },
    });
}

function agentSpec(at: number): object {
  const server = (name: string) => ({
    type: "McpServer",
    mcpServer: { kind: "RemoteMCPServer", name, toolNames: [`${name}_one`, `${name}_two`] },
    headersFrom: [{ name: "X-Token", valueFrom: { type: "Secret", name: "token", key: "token" } }],
  });
  const child =
    at % PER_NAMESPACE === 0 ? [] : [{ type: "Agent", agent: { name: `agent-${at - (at % 10)}` } }];
  return {
    description: `Agent number ${at}.`,
    declarative: {
      systemMessage: `You are number ${at}. ${"Read before you answer. ".repeat(85)}`,
      tools: [server("k8s"), server("helm"), ...(at % 10 === 0 ? [] : child)],
    },
  };
}

/** Agents that are accepted and know their tools. */
async function settled(): Promise<number> {
  const { items } = await cluster.list(RESOURCES.Agent, {}, never);
  return items.filter(({ status }) => {
    const { conditions = [] } = (status ?? {}) as { conditions?: readonly { status: string }[] };
    return conditions.filter((condition) => condition.status === "True").length >= 2;
  }).length;
}

await fill();
const controller = new Controller(
  {
    cluster,
    clock: systemClock,
    log: silentLog,
    random: Math.random,
    tools: {
      listTools: ({ ref }) =>
        Promise.resolve(
          ["one", "two"].map((tool) => ({
            name: `${ref.name}_${tool}`,
            description: `Does ${tool}.`,
            inputSchema: { type: "object" },
          })),
        ),
    },
    models: { list: () => Promise.resolve([]) },
    workloads: {
      delivery: { kind: "image", image: "registry/kagent:1" },
      settings: { controllerUrl: "http://kagent-controller.kagent:8083" },
    },
    agentUrl: ({ namespace, name }) => `http://${name}.${namespace}:8080`,
  },
  { namespaces: "all", platformNamespace: "kagent", identity: "bench" },
);
const started = performance.now();
await controller.start(never);
while ((await settled()) < AGENTS)
  await new Promise((resolve) => {
    setTimeout(resolve, POLL_MS);
  });
const seconds = (performance.now() - started) / 1_000;
const { items } = await cluster.list(RESOURCES.Deployment, {}, never);
if (items.length !== AGENTS) throw new Error(`${items.length} Deployments for ${AGENTS} Agents`);
await controller.stop();
process.stdout.write(
  `${JSON.stringify({ seconds, peakMegabytes: process.resourceUsage().maxRSS / 1_024 })}\n`,
);
