import type { McpClientPool } from "../mcp/client-pool.ts";
import type { ToolClient } from "./turn-context.ts";

/** MCP servers as the worker asks for them. */
export function toolClient(pool: McpClientPool): ToolClient {
  return {
    listTools: (server, headers, signal) => pool.listTools(server, { headers }, signal),
    callTool: async ({ server, name, args, headers }, signal) => {
      const { isError, parts } = await pool.callTool(server, name, args, { headers }, signal);
      return { ok: isError !== true, parts };
    },
  };
}
