import * as z from "zod";
import type { ToolDefinition } from "../../../../runtime/api/tool.ts";
import { demoCluster } from "../../../../runtime/toolservers/demo/demo-cluster.ts";
import { helmTools } from "../../../../runtime/toolservers/helm/helm-tools.ts";
import { kubernetesTools } from "../../../../runtime/toolservers/kubernetes/kubernetes-tools.ts";
import { demoCosts } from "../../../../runtime/toolservers/opencost/demo-costs.ts";
import { openCostTools } from "../../../../runtime/toolservers/opencost/opencost-tools.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import type { TestTool } from "./agent-turn.ts";

const signal = new AbortController().signal;
const CLUSTER = "services-amer";

/** A built-in tool as an agent has it: under its target's name, its answers cut at 16 KiB. */
function asTool(target: string, tool: ToolDefinition): TestTool {
  return {
    name: `${target}_${tool.name}`,
    description: tool.description,
    inputSchema: z.toJSONSchema(tool.inputSchema, { io: "input" }),
    answer: async (args) => {
      const { text, isError } = await tool.call(args, { signal, user: "someone" });
      const whole = `${isError === true ? "Error: " : ""}${text}`;
      if (whole.length <= 16_384) return whole;
      return `${whole.slice(0, 9_830)}\n[... ${whole.length - 16_384} bytes left out ...]\n${whole.slice(-6_554)}`;
    },
  };
}

/** The laptop's Kubernetes, Helm and cost tools over the demo cluster. */
export function builtInTools(): readonly TestTool[] {
  const clock = new FakeClock();
  const deps = { cluster: demoCluster({ clock, name: CLUSTER }), clock };
  const costs = openCostTools({ source: demoCosts({ clock, cluster: CLUSTER }) });
  return [
    ...kubernetesTools(deps).map((tool) => asTool(`k8s-tools-${CLUSTER}`, tool)),
    ...helmTools(deps).map((tool) => asTool(`helm-tools-${CLUSTER}`, tool)),
    ...costs.map((tool) => asTool(`opencost-${CLUSTER}`, tool)),
  ];
}
