import type { AgentInput } from "../../runtime/api/objects.ts";
import { agent, agentTool } from "./agent.ts";
import type { DefinitionSettings } from "./settings.ts";

const TRIAGE = `
You are triage-agent. An alert reaches you after the deterministic checks (suppression, severity, open parent, storm, duplicates, flapping) have run; their outcome is in the request. You decide what those checks left open.

How to work:
- Ask git-agent for an open issue with the same alert name and namespace; a match makes the alert a duplicate.
- Severity: critical for data loss, OOMKilled, a node that is not ready, a failed persistent volume; warning for repeated crash loops and pressure; else info. In doubt the higher one.
- Decide once: suppress, deduplicate, flap or escalate.

Answer form: action, severity, one line of reason, the checks done, the evidence.`;

const INVESTIGATION = `
You are investigation-agent, the first stage of an incident. You collect facts and draw no conclusions.

How to work:
- Ask cluster-agent for the state of the affected objects, their events and their last logs.
- Ask observability-agent for metrics and logs around the start of the incident and for other alerts that fire.
- Put the whole context into each request: the agents know nothing of the incident.

Answer form: a timeline with sources, the affected objects, what was looked for and not found.`;

const DIAGNOSIS = `
You are diagnosis-agent, the second stage of an incident. You get the findings of the investigation and nothing else.

How to work:
- Give ranked hypotheses, each with a confidence from 0 to 100, the evidence for and against it, and the check that would settle it.
- Name the scope: what is affected, what is not.
- Recommend actions in order, the reversible ones first. You change nothing.

Answer form: hypotheses, evidence gaps, affected scope, recommended actions.`;

const REPORTING = `
You are reporting-agent, the last stage of an incident. You write the report and have git-agent file it.

How to work:
- Ask git-agent for an open issue with label incident and the same alert name and namespace. A duplicate ends your work: name it.
- Otherwise have git-agent open one issue titled "[INCIDENT] <severity>: <alert> in <namespace>/<cluster>" with label incident and the sections Summary, Root cause, Scope, Evidence, Actions, Gaps.
- Report what the stages before you said; add nothing.

Answer form: the report in Markdown, then the link of the issue or why there is none.`;

/** Figures that the stages of an incident share. */
const FIGURES = { tokenThreshold: 16_000, interval: 4, overlap: 2, retention: 10 };

/** Agents of the incident pipeline; the workflow that chains the last three comes on top of them. */
export function incidentAgents(settings: DefinitionSettings): readonly AgentInput[] {
  return [triage, investigation, diagnosis, reporting].map((make) => make(settings));
}

function triage(settings: DefinitionSettings): AgentInput {
  return agent(settings, {
    name: "triage-agent",
    description:
      "Classifies an alert that the deterministic checks left open: suppress, deduplicate, flap or escalate.",
    model: "fast-model-config",
    compaction: { ...FIGURES, interval: 3 },
    prompt: TRIAGE,
    skills: [
      {
        id: "triage-alert",
        name: "Triage an alert",
        description: "Decides what becomes of an alert.",
        tags: ["incident", "alert"],
        examples: [
          "triage: KubePodCrashLooping critical in shop/services-amer since 10:02",
          "is this alert a duplicate of an open incident?",
          "which severity has this alert?",
        ],
      },
    ],
    tools: [agentTool("git-agent")],
  });
}

function investigation(settings: DefinitionSettings): AgentInput {
  return agent(settings, {
    name: "investigation-agent",
    description: "Collects the facts of an incident from the cluster and from observability.",
    model: "default-model-config",
    compaction: { ...FIGURES, tokenThreshold: 12_000 },
    maxDuration: "180s",
    prompt: INVESTIGATION,
    skills: [
      {
        id: "investigate",
        name: "Investigate",
        description: "Collects a timeline and the state of what is affected.",
        tags: ["incident"],
        examples: [
          "investigate the crash loop of checkout in shop",
          "collect what happened around 10:02 in payments",
          "what changed before the alert fired?",
        ],
      },
    ],
    tools: [agentTool("cluster-agent"), agentTool("observability-agent")],
  });
}

function diagnosis(settings: DefinitionSettings): AgentInput {
  return agent(settings, {
    name: "diagnosis-agent",
    description: "Ranks the possible causes of an incident from the facts that were collected.",
    model: "default-model-config",
    compaction: FIGURES,
    prompt: DIAGNOSIS,
    skills: [
      {
        id: "diagnose",
        name: "Diagnose",
        description: "Ranks hypotheses with their evidence.",
        tags: ["incident"],
        examples: [
          "what is the most likely cause, given these findings?",
          "rank the hypotheses for this incident",
          "which evidence is missing?",
        ],
      },
    ],
    tools: [],
  });
}

function reporting(settings: DefinitionSettings): AgentInput {
  return agent(settings, {
    name: "reporting-agent",
    description: "Writes the report of an incident and files it as an issue through git-agent.",
    model: "fast-model-config",
    compaction: { ...FIGURES, interval: 3 },
    prompt: REPORTING,
    skills: [
      {
        id: "report",
        name: "Report",
        description: "Writes the incident report and files the issue.",
        tags: ["incident", "report"],
        examples: [
          "write the report of this incident",
          "file the incident as an issue",
          "summarise the incident for the team",
        ],
      },
    ],
    tools: [agentTool("git-agent")],
  });
}
