import { toolAccess } from "../api/tool-catalogue.ts";
import { ToolServerError } from "../mcp/tool-server-error.ts";
import type { ModelToolCall } from "../model/chat-model.ts";
import { retryDelayMs } from "../model/retry.ts";
import { type Tool, toolHeaders } from "./toolbox.ts";
import type { ToolAnswer, Turn } from "./turn-context.ts";

/**
 * Calls a tool of an MCP server. One that only reads is called again after a passing failure, by the agent's `retry`; one
 * that may write never is.
 *
 * @throws ToolServerError of the last attempt; the turn's abort reason, also during a wait.
 */
export async function callServer(
  turn: Turn,
  { use, description }: Extract<Tool, { kind: "mcp" }>,
  { name, args }: Pick<ModelToolCall, "name" | "args">,
): Promise<ToolAnswer> {
  const { deps, config, signal } = turn;
  const attempts = onlyReads(name, description) ? config.retry.maxAttempts : 1;
  const call = { server: use.server, name, args, headers: toolHeaders(turn, use) };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await deps.tools.callTool(call, signal);
    } catch (error) {
      signal.throwIfAborted();
      const passing = error instanceof ToolServerError && error.retryable;
      if (!passing || attempt >= attempts) throw error;
    }
    await deps.clock.sleep(retryDelayMs(config.retry, attempt, deps.random), signal);
  }
}

/** As the catalogue says; of tools that it does not know, as their server says. */
function onlyReads(
  name: string,
  { hints }: Extract<Tool, { kind: "mcp" }>["description"],
): boolean {
  const access = toolAccess(name);
  return access === "read" || (access === "unknown" && hints?.readOnlyHint === true);
}
