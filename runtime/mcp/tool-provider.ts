import type { Part } from "../api/events.ts";
import type { ToolContext, ToolDescription, ToolOutput } from "../api/tool.ts";

/** What a tool answered, with everything that is not text. */
export interface ToolResult extends ToolOutput {
  /** Texts, images, resources and the structured content, in the order of the server. */
  readonly parts: readonly Part[];
}

/** How far a call is (specification 2025-11-25, progress notifications). */
export interface ToolProgress {
  /** Grows with each notification. */
  readonly progress: number;
  /** What `progress` grows to, when known. */
  readonly total?: number;
  /** For people. */
  readonly message?: string;
}

/** What a provider is told about any request. */
export interface RequestContext {
  /** On whose behalf; empty when the request does not say. */
  readonly user: string;
  /** Request headers, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborts when the client cancels or goes away. */
  readonly signal: AbortSignal;
}

/** What a provider is told about a call. */
export interface CallContext extends RequestContext, ToolContext {
  /** Tells the client that the call goes on; nothing happens when the client did not ask for it. */
  progress(progress: ToolProgress): void;
}

/** Where the tools of an MCP server come from: built-in definitions, a federation, a controller. */
export interface ToolProvider {
  /** Every tool the caller may use; the server pages it. */
  listTools(context: RequestContext): Promise<readonly ToolDescription[]>;
  /**
   * Runs a tool. Unknown names and bad arguments are results with `isError`.
   *
   * @throws Anything: it is logged and answered as a failure without its text.
   */
  callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    context: CallContext,
  ): Promise<ToolResult>;
}
