import { performance } from "node:perf_hooks";
import { parseObject } from "../../runtime/api/objects.ts";
import { compileRouting, route } from "../../runtime/api/routing.ts";
import { lintObjects } from "../../runtime/api/rules/lint.ts";
import { type Figure, median } from "./figure.ts";

const AGENTS = 10_000;
const RUNS = 5;

function manyAgents(): readonly unknown[] {
  const model = {
    apiVersion: "kagent.dev/v1alpha2",
    kind: "ModelConfig",
    metadata: { name: "m", namespace: "bench" },
    spec: { provider: "Ollama", model: "qwen2.5:14b", ollama: {} },
  };
  const server = {
    apiVersion: "kagent.dev/v1alpha2",
    kind: "RemoteMCPServer",
    metadata: { name: "k8s", namespace: "bench" },
    spec: { description: "Kubernetes", url: "http://gateway:9090/mcp/k8s" },
  };
  const agents = Array.from({ length: AGENTS }, (_, index) => ({
    apiVersion: "kagent.dev/v1alpha2",
    kind: "Agent",
    metadata: { name: `agent-${index}`, namespace: "bench" },
    spec: {
      type: "Declarative",
      description: "Reads a cluster.",
      declarative: {
        modelConfig: "m",
        systemMessage: "You read.",
        tools: [1, 2, 3, 4, 5].map((step) =>
          index + step < AGENTS
            ? { type: "Agent", agent: { name: `agent-${index + step}` } }
            : {
                type: "McpServer",
                mcpServer: {
                  kind: "RemoteMCPServer",
                  name: "k8s",
                  toolNames: [`k8s-tools-bench_k8s_get_resources`],
                },
              },
        ),
      },
    },
  }));
  return [model, server, ...agents];
}

function timed(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

/** Schema and rules over 10,000 agents of five tools each; routing of a 64 KiB text. */
export async function* rulesBench(): AsyncGenerator<Figure, void, void> {
  const objects = manyAgents();
  const parse: number[] = [];
  const lint: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    parse.push(
      timed(() => {
        objects.forEach((object) => parseObject(object));
      }),
    );
    lint.push(timed(() => lintObjects(objects)));
    await new Promise(setImmediate);
  }
  yield {
    bench: "rules",
    scenario: "parse 10,000 agents, 5 tools each",
    unit: "ms",
    ours: median(parse),
  };
  yield {
    bench: "rules",
    scenario: "lint 10,000 agents, 5 tools each",
    unit: "ms",
    ours: median(lint),
    goal: "<= 2000",
  };
  const agent = { namespace: "bench", name: "a" };
  const table = compileRouting({
    rules: Array.from({ length: 50 }, (_, rule) => ({
      name: `r${rule}`,
      keywords: Array.from({ length: 50 }, (_, word) => `word${rule}x${word} phrase`),
      agent,
      priority: 0,
    })),
    onNoMatch: "clarify",
    maxDelegates: 1,
  });
  const text = "word1x1 phrase word49x ".repeat(3_000).slice(0, 65_536);
  const routes = Array.from({ length: 50 }, () => timed(() => route(text, table)));
  yield {
    bench: "rules",
    scenario: "route 64 KiB by 50 rules of 50 phrases",
    unit: "ms",
    ours: median(routes),
  };
}
