import type * as z from "zod";

/** What the runtime tells a tool about the call. */
export interface ToolContext {
  /** Aborts when the caller cancels or its time is up. */
  readonly signal: AbortSignal;
  /** On whose behalf the call is made; scopes memories. */
  readonly user: string;
  /** Session the call belongs to, when known. */
  readonly contextId?: string;
}

/** What a tool answers. A failure the model may learn from is a result with `isError`, not an exception. */
export interface ToolOutput {
  /** For the model. */
  readonly text: string;
  /** The same, machine-readable, when the tool declares it. */
  readonly structured?: Readonly<Record<string, unknown>>;
  /** True: the call failed and `text` says why. */
  readonly isError?: boolean;
}

/** Hints of MCP about a tool (specification 2025-11-25, ToolAnnotations). */
export interface ToolHints {
  /** Changes nothing. */
  readonly readOnlyHint: boolean;
  /** May destroy something; meaningful only where `readOnlyHint` is false. */
  readonly destructiveHint: boolean;
  /** A second call with the same arguments changes nothing more. */
  readonly idempotentHint: boolean;
  /** Reaches an open set of outside things (the web), not one known system. */
  readonly openWorldHint: boolean;
}

/** Hints of a tool that only reads one known system. */
export const READ_ONLY: ToolHints = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};

/**
 * A built-in tool, independent of the protocol that serves it.
 *
 * `call` receives arguments that already passed `inputSchema`; what it throws is logged and answered
 * as a failure without its text.
 */
export interface ToolDefinition {
  /** Name without any prefix, as in the tool catalogue. */
  readonly name: string;
  /** For the model: what it does, when to use it. */
  readonly description: string;
  /** Object schema of the arguments. */
  readonly inputSchema: z.ZodObject;
  /** Hints for clients. */
  readonly hints: ToolHints;
  /** Runs the tool. */
  call(args: Readonly<Record<string, unknown>>, context: ToolContext): Promise<ToolOutput>;
}

/** A tool as its server describes it to clients. */
export interface ToolDescription {
  /** Name as to be called. */
  readonly name: string;
  /** For the model. */
  readonly description: string;
  /** JSON Schema of the arguments; an object schema. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  /** What the server claims, if anything. */
  readonly hints?: Partial<ToolHints>;
}
