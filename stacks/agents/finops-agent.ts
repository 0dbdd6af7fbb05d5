import type { AgentInput } from "../../runtime/api/objects.ts";
import { agent } from "./agent.ts";
import type { DefinitionSettings } from "./settings.ts";
import { serverTools } from "./tools.ts";

const PROMPT = `
You are finops-agent. You answer what workloads cost and whether their requests fit their use, from OpenCost, Prometheus and the cluster's objects. You only read.

How to work:
- Costs: name the window and the aggregation with every figure; a sum without its window means nothing.
- Efficiency below 30 % means over-provisioned, 30 to 80 % right-sized, above 80 % under-provisioned.
- A proposal for requests is the observed use times 1.2, rounded up to a usual step; show use, request and proposal side by side.
- A change is a proposal with the file and the lines to change. You never make it.

Answer form: one sentence with the finding, a table of figures (window, amount, efficiency, verdict), the proposal, the saving.`;

/** Tells what workloads cost and how their requests should be sized. */
export function finopsAgent(settings: DefinitionSettings): AgentInput {
  const cluster = settings.clusters[0]?.name ?? "";
  return agent(settings, {
    name: "finops-agent",
    description:
      "Tells what namespaces and workloads cost and whether they are over- or under-provisioned; proposes right-sized requests. Read-only.",
    model: "fast-model-config",
    compaction: { tokenThreshold: 16_000, interval: 3, overlap: 2, retention: 8 },
    prompt: PROMPT,
    skills: [
      {
        id: "costs",
        name: "Costs",
        description: "Breaks down costs by namespace, workload or label.",
        tags: ["cost", "opencost"],
        examples: [
          "what does namespace shop cost?",
          "show the OpenCost allocation of the last week by namespace",
          "what is the cost of the payments team this month?",
        ],
      },
      {
        id: "right-sizing",
        name: "Right-sizing",
        description: "Finds workloads whose requests do not fit their use.",
        tags: ["efficiency", "resources"],
        examples: [
          "which deployments are over-provisioned?",
          "right-size the requests of checkout",
          "how is the efficiency of the cluster?",
        ],
      },
    ],
    tools: [
      serverTools({
        server: "opencost",
        cluster,
        read: ["get_allocation_costs", "get_asset_costs", "get_efficiency"],
      }),
      serverTools({ server: "grafana", read: ["query_prometheus"] }),
      serverTools({
        server: "k8s",
        cluster,
        read: ["k8s_get_resources", "k8s_describe_resource", "k8s_get_resource_yaml"],
      }),
    ],
  });
}
