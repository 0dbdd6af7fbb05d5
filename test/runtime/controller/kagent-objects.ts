import assert from "node:assert/strict";
import { type Agent, type KagentObject, parseObject } from "../../../runtime/api/objects.ts";

type Fields = Readonly<Record<string, unknown>>;

/** An object of the namespace `kagent` as people write it. */
export function written(kind: KagentObject["kind"], name: string, spec: Fields): Fields {
  const metadata = { name, namespace: "kagent" };
  return { apiVersion: "kagent.dev/v1alpha2", kind, metadata, spec };
}

/** A declarative Agent as people write it. */
export function writtenAgent(name: string, declarative: Fields = {}, spec: Fields = {}): Fields {
  return written("Agent", name, {
    description: `Is ${name}.`,
    declarative: { systemMessage: "You test.", ...declarative },
    ...spec,
  });
}

/** Agents as tools. */
export function callsTo(...names: readonly string[]): Fields {
  return { tools: names.map((name) => ({ type: "Agent", agent: { name } })) };
}

/** The ModelConfig of agents that name none. */
export const DEFAULT_MODEL = written("ModelConfig", "default-model-config", {
  provider: "Ollama",
  model: "qwen2.5:14b",
  contextWindow: 8192,
});

/** An MCP server. */
export function writtenServer(name: string, spec: Fields = {}): Fields {
  return written("RemoteMCPServer", name, {
    description: name,
    url: `http://${name}/mcp`,
    ...spec,
  });
}

/** An object with defaults filled in. */
export function object<K extends KagentObject["kind"]>(
  kind: K,
  input: Fields,
): Extract<KagentObject, { kind: K }> {
  const parsed = parseObject(input);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  assert.equal(parsed.value.kind, kind);
  return parsed.value as Extract<KagentObject, { kind: K }>;
}

/** An Agent with defaults filled in. */
export function parsedAgent(name: string, declarative: Fields = {}, spec: Fields = {}): Agent {
  return object("Agent", writtenAgent(name, declarative, spec));
}
