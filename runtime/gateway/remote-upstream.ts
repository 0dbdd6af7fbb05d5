import type { ToolServerSettings } from "../api/agent-config.ts";
import type { McpClientPool } from "../mcp/client-pool.ts";
import type { Upstream } from "./upstream.ts";

/**
 * An MCP server reached over HTTP. Time limits are those of `settings`.
 *
 * @throws {ToolServerError} From its methods, when the server does not answer.
 */
export function remoteUpstream(
  pool: Pick<McpClientPool, "listTools" | "callTool">,
  settings: ToolServerSettings,
): Upstream {
  return {
    listTools: ({ headers }, signal) => pool.listTools(settings, { headers }, signal),
    callTool: (name, args, { headers, progress }, signal) =>
      pool.callTool(settings, name, args, { headers, onProgress: progress }, signal),
  };
}
