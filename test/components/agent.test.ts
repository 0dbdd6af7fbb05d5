import { Agent, type AgentArgs } from "../../components/agent.ts";
import { AGENT_CASES } from "../runtime/api/cases/agent-cases.ts";
import { componentContract } from "./component-contract.ts";

componentContract({
  kind: "Agent",
  type: "kagent:index:Agent",
  make: (name, args, opts) => new Agent(name, args as AgentArgs, opts).agentName,
  sound: { declarative: { systemMessage: "Triage incidents." } },
  sent: {
    type: "Declarative",
    declarative: { runtime: "go", envelope: "none", systemMessage: "Triage incidents." },
  },
  cases: AGENT_CASES,
});
