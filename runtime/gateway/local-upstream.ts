import type { ToolDefinition } from "../api/tool.ts";
import { toolProvider } from "../mcp/tool-definitions.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Upstream } from "./upstream.ts";

/** Built-in tools, in this process. */
export function localUpstream(
  definitions: readonly ToolDefinition[],
  options: { readonly log: Logger },
): Upstream {
  const provider = toolProvider(definitions, options);
  return {
    listTools: (context, signal) => {
      signal.throwIfAborted();
      return provider.listTools({ ...context, signal });
    },
    callTool: async (name, args, context, signal) => {
      signal.throwIfAborted();
      try {
        return await provider.callTool(name, args, { ...context, signal });
      } catch (error) {
        signal.throwIfAborted(); // the caller's reason, not what the tool made of it
        throw error;
      }
    },
  };
}
