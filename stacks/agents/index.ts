import type { KagentObjectInput } from "../../runtime/api/objects.ts";
import { clusterAgent } from "./cluster-agent.ts";
import { codeAgent } from "./code-agent.ts";
import { coordinatorAgent } from "./coordinator-agent.ts";
import { finopsAgent } from "./finops-agent.ts";
import { gitAgent } from "./git-agent.ts";
import { incidentAgents } from "./incident-agents.ts";
import { models } from "./models.ts";
import { observabilityAgent } from "./observability-agent.ts";
import type { DefinitionSettings } from "./settings.ts";
import { toolServers } from "./tool-servers.ts";

/**
 * Every kagent.dev object of the platform as plain data: what stacks deploy, policies judge and a local
 * run loads.
 */
export function definitions(settings: DefinitionSettings): readonly KagentObjectInput[] {
  return [
    ...models(settings),
    ...toolServers(settings),
    coordinatorAgent(settings),
    ...settings.clusters.map(({ name }) => clusterAgent(settings, name)),
    observabilityAgent(settings),
    gitAgent(settings),
    finopsAgent(settings),
    codeAgent(settings),
    ...incidentAgents(settings),
  ];
}
