import type { ToolDefinition } from "../api/tool.ts";
import type { Clock } from "../process/clock.ts";
import { demoSource } from "../toolservers/grafana/demo-source.ts";
import { directSource } from "../toolservers/grafana/direct-source.ts";
import { grafanaSource } from "../toolservers/grafana/grafana-source.ts";
import { grafanaTools } from "../toolservers/grafana/grafana-tools.ts";
import { demoCosts } from "../toolservers/opencost/demo-costs.ts";
import { openCostSource } from "../toolservers/opencost/opencost-source.ts";
import { openCostTools } from "../toolservers/opencost/opencost-tools.ts";
import type { LocalCluster } from "./local-cluster.ts";
import type { ToolSources } from "./options.ts";

/** What decides between real data and the demo's. */
interface SourceDeps {
  readonly sources: ToolSources;
  readonly cluster: LocalCluster;
  readonly clock: Clock;
}

/**
 * Metrics, logs, alerts and dashboards: Grafana's, else those of Prometheus and Loki, else the demo's.
 *
 * Demo data never stands beside a real cluster: there the tools say what to set.
 */
export function observabilityTools({
  sources,
  cluster,
  clock,
}: SourceDeps): readonly ToolDefinition[] {
  const { grafanaUrl, grafanaToken, prometheusUrl, lokiUrl } = sources;
  if (grafanaUrl !== undefined)
    return grafanaTools({ source: grafanaSource({ url: grafanaUrl, token: grafanaToken }), clock });
  if (prometheusUrl !== undefined || lokiUrl !== undefined)
    return grafanaTools({ source: directSource({ prometheusUrl, lokiUrl }), clock });
  const { demoBegin, name } = cluster;
  const begin = demoBegin ?? clock.now();
  const demo = grafanaTools({ source: demoSource({ clock, cluster: name, begin }), clock });
  return demoBegin !== undefined
    ? demo
    : unconfigured(
        demo,
        "No metrics are configured: set GRAFANA_URL, or PROMETHEUS_URL and LOKI_URL",
      );
}

/** Costs: OpenCost's, else the demo's; beside a real cluster the tools say what to set. */
export function costTools({ sources, cluster, clock }: SourceDeps): readonly ToolDefinition[] {
  if (sources.opencostUrl !== undefined)
    return openCostTools({ source: openCostSource({ url: sources.opencostUrl }) });
  const demo = openCostTools({ source: demoCosts({ clock, cluster: cluster.name }) });
  return cluster.demoBegin !== undefined
    ? demo
    : unconfigured(demo, "No costs are configured: set OPENCOST_URL");
}

/** The same tools, each answering that it has nothing to read from. */
function unconfigured(tools: readonly ToolDefinition[], remedy: string): readonly ToolDefinition[] {
  const text = `${remedy} and start the platform again.`;
  return tools.map((tool) => ({ ...tool, call: () => Promise.resolve({ text, isError: true }) }));
}
