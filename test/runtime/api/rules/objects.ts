import { type Agent, type KagentObject, parseObject } from "../../../../runtime/api/objects.ts";
import { type ObjectSet, objectSet, refOf } from "../../../../runtime/api/rules/object-set.ts";

type Parts = Readonly<Record<string, unknown>>;

/** A Declarative agent as people write it. */
export function agentInput(
  name: string,
  declarative: Parts = {},
  rest: Parts = {},
  metadata: Parts = {},
) {
  return {
    apiVersion: "kagent.dev/v1alpha2",
    kind: "Agent",
    metadata: { name, namespace: "ns", ...metadata },
    spec: { declarative: { systemMessage: "You read.", ...declarative }, ...rest },
  };
}

/** The platform's default model, with whatever else its spec has. */
export function modelInput(spec: Parts = {}, metadata: Parts = {}) {
  return {
    apiVersion: "kagent.dev/v1alpha2",
    kind: "ModelConfig",
    metadata: { name: "default-model-config", namespace: "ns", ...metadata },
    spec: { provider: "Ollama", model: "m", ollama: {}, ...spec },
  };
}

/** A tool server. */
export function serverInput(name: string, spec: Parts = {}, metadata: Parts = {}) {
  return {
    apiVersion: "kagent.dev/v1alpha2",
    kind: "RemoteMCPServer",
    metadata: { name, namespace: "ns", ...metadata },
    spec: { description: "tools", url: "http://gateway/mcp", ...spec },
  };
}

/** An entry of tools that calls another agent. */
export const agentTool = (name: string, namespace?: string) => ({
  type: "Agent",
  agent: { name, ...(namespace !== undefined && { namespace }) },
});

/** An entry of tools of a server. */
export const serverTool = (name: string, toolNames: readonly string[], rest: Parts = {}) => ({
  type: "McpServer",
  mcpServer: { kind: "RemoteMCPServer", name, toolNames, ...rest },
});

/** Objects read by their schemas; throws for what breaks them, so that a rule's test tests the rule. */
export function setOf(...inputs: readonly unknown[]): ObjectSet {
  return objectSet(inputs.map(parsed), "ns");
}

/** The agent of a set. */
export function agentOf(set: ObjectSet, name: string): Agent {
  const agent = [...set.agents.values()].find((each) => refOf(each, "ns").name === name);
  if (agent === undefined) throw new Error(`the set has no agent ${name}`);
  return agent;
}

function parsed(input: unknown): KagentObject {
  const object = parseObject(input);
  if (object.ok) return object.value;
  throw new Error(JSON.stringify(object.violations));
}
