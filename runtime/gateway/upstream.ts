import type { ToolDescription } from "../api/tool.ts";
import type { ToolProgress, ToolResult } from "../mcp/tool-provider.ts";

/** For whom a target is asked. */
export interface UpstreamContext {
  /** On whose behalf; empty when the request does not say. */
  readonly user: string;
  /** Session the request belongs to, when known. */
  readonly contextId?: string;
  /** What of the request's headers is passed on; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** For whom a tool is called. */
export interface UpstreamCallContext extends UpstreamContext {
  /** Told of progress. */
  readonly progress: (progress: ToolProgress) => void;
}

/** A tool server behind the gateway. Its tools have bare names here. */
export interface Upstream {
  /**
   * Every tool of the server.
   *
   * @throws The server does not answer; the signal's reason on abort.
   */
  listTools(context: UpstreamContext, signal: AbortSignal): Promise<readonly ToolDescription[]>;
  /**
   * Runs a tool. Unknown names, bad arguments and failures of the tool are results with `isError`.
   *
   * @throws The server does not answer; the signal's reason on abort.
   */
  callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    context: UpstreamCallContext,
    signal: AbortSignal,
  ): Promise<ToolResult>;
}
