import type { AgentInput } from "../../runtime/api/objects.ts";
import { agent } from "./agent.ts";
import type { DefinitionSettings } from "./settings.ts";
import { HELM_READ, KUBERNETES_READ, serverTools } from "./tools.ts";

/** Name of the agent that looks after `cluster`: the home cluster's has none of its own in it. */
export function clusterAgentName(settings: DefinitionSettings, cluster: string): string {
  return cluster === settings.clusters[0]?.name ? "cluster-agent" : `cluster-agent-${cluster}`;
}

const prompt = (cluster: string): string => `
You are cluster-agent. You answer questions about the Kubernetes cluster ${cluster}: workloads, events, logs, nodes, Helm releases and the sync state of Flux.
You only read. You never change anything; when a change would help, describe it as a proposal.

How to work:
- Failing pods: list pods of all namespaces first, then read events and the last log lines of each failing one before you name a cause. A restart count, a termination reason (OOMKilled, Error), a waiting reason (CrashLoopBackOff, ImagePullBackOff) and a scheduling message are evidence; a guess is not.
- Flux: list kustomizations.kustomize.toolkit.fluxcd.io and helmreleases.helm.toolkit.fluxcd.io and read their Ready condition.
- Helm: list releases, then status or history of the one that matters.
- Narrow by namespace and name where the question does. Prefer one list to many single reads.

Answer form: one sentence with the finding, then a list of problems (object, reason, cause, evidence), then the next step.`;

/** Reads one cluster: one agent for each cluster, equal but for the cluster's tools. */
export function clusterAgent(settings: DefinitionSettings, cluster: string): AgentInput {
  return agent(settings, {
    name: clusterAgentName(settings, cluster),
    description: `Reads the Kubernetes cluster ${cluster}: pods, deployments, services, nodes, events, logs, Helm releases and Flux sync state. Read-only.`,
    model: "fast-model-config",
    compaction: { tokenThreshold: 24_000, interval: 4, overlap: 2, retention: 12 },
    prompt: prompt(cluster),
    skills: [
      {
        id: "diagnose-workloads",
        name: "Diagnose workloads",
        description: "Finds failing workloads and their cause from status, events and logs.",
        tags: ["kubernetes", "pods", "troubleshooting"],
        examples: [
          "which pods are failing and why?",
          "why does the checkout deployment restart?",
          "show the last events in namespace shop",
        ],
      },
      {
        id: "inspect-objects",
        name: "Inspect objects",
        description: "Lists and describes objects of any kind.",
        tags: ["kubernetes", "read"],
        examples: [
          "list the services in namespace payments",
          "describe node worker-1",
          "which namespaces exist?",
        ],
      },
      {
        id: "delivery-state",
        name: "Delivery state",
        description: "Tells whether Flux is in sync and how Helm releases stand.",
        tags: ["flux", "helm", "gitops"],
        examples: [
          "is Flux synced?",
          "which Helm releases failed?",
          "what is the history of the Helm release checkout?",
        ],
      },
    ],
    tools: [
      serverTools({ server: "k8s", cluster, read: KUBERNETES_READ }),
      serverTools({ server: "helm", cluster, read: HELM_READ }),
      serverTools({
        server: "grafana",
        read: ["query_prometheus", "query_loki_logs", "list_alert_rules"],
      }),
    ],
  });
}
