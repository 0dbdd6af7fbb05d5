import type { AgentConfig, AgentToolUse, ToolServerUse } from "../../runtime/api/agent-config.ts";

/** A small agent to test with; every part may be replaced. */
export function agentConfig(over: Partial<AgentConfig> = {}): AgentConfig {
  return {
    ref: { namespace: "kagent", name: "tester" },
    hash: "0",
    description: "Tests.",
    version: "1.0.0",
    skills: [],
    instruction: "You test.",
    model: { ref: { namespace: "kagent", name: "m" }, provider: "Ollama", model: "m" },
    toolServers: [],
    agents: [],
    stream: true,
    refusals: [],
    envelope: "none",
    limits: {
      maxModelCalls: 10,
      maxToolCalls: 10,
      maxDurationMs: 60_000,
      maxParallelTools: 4,
      repeatedCalls: "allow",
    },
    toolResultMaxBytes: 16_384,
    retry: { maxAttempts: 1, initialDelayMs: 1, maxDelayMs: 1 },
    approval: { mode: "listed", timeoutMs: 3_600_000, approvers: [] },
    handoffs: [],
    access: { users: [], groups: [] },
    allowedDomains: [],
    ...over,
  };
}

/** An MCP server as a tool of {@link agentConfig}. */
export function serverUse(over: Partial<ToolServerUse> = {}): ToolServerUse {
  return {
    server: {
      ref: { namespace: "kagent", name: "tools" },
      url: "http://127.0.0.1:1/mcp",
      protocol: "STREAMABLE_HTTP",
      timeoutMs: 1_000,
      sseReadTimeoutMs: 1_000,
      terminateOnClose: true,
      headers: {},
    },
    toolNames: [],
    requireApproval: [],
    allowedHeaders: [],
    ...over,
  };
}

/** Another agent as a tool of {@link agentConfig}. */
export function agentUse(name: string, over: Partial<AgentToolUse> = {}): AgentToolUse {
  return {
    ref: { namespace: "kagent", name },
    description: `Is ${name}.`,
    url: `http://127.0.0.1:1/agents/kagent/${name}/`,
    isolateSessions: false,
    headers: {},
    ...over,
  };
}
