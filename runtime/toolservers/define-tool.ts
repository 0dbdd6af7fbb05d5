import type * as z from "zod";
import { sentence } from "../api/checked.ts";
import { READ_ONLY, type ToolContext, type ToolDefinition, type ToolHints } from "../api/tool.ts";

/** A failure the model may learn from: its message is the tool's answer, so it holds no secret. */
export class ToolFailure extends Error {
  override readonly name = "ToolFailure";
}

/** Hints of a tool that adds something, destroys nothing and stays inside one known system. */
export const ADDS: ToolHints = {
  readOnlyHint: false,
  destructiveHint: false,
  idempotentHint: false,
  openWorldHint: false,
};

/** A tool with typed arguments; {@link defineTool} makes a {@link ToolDefinition} of it. */
export interface ToolSpec<Schema extends z.ZodObject> {
  /** Name without prefix, as in the tool catalogue. */
  readonly name: string;
  /** For the model: what it does, when to use it. */
  readonly description: string;
  /** Arguments; strict, so that a misspelt one is answered with its path. */
  readonly inputSchema: Schema;
  /** Hints for clients; {@link READ_ONLY} unless set. */
  readonly hints?: ToolHints;
  /**
   * Runs the tool.
   *
   * @returns The answer for the model.
   * @throws ToolFailure for what the model may learn from; anything else is a fault of ours.
   */
  run(args: z.output<Schema>, context: ToolContext): Promise<string>;
}

/** A {@link ToolDefinition} that checks its arguments itself and answers {@link ToolFailure}s as errors. */
export function defineTool<Schema extends z.ZodObject>(spec: ToolSpec<Schema>): ToolDefinition {
  return {
    name: spec.name,
    description: spec.description,
    inputSchema: spec.inputSchema,
    hints: spec.hints ?? READ_ONLY,
    async call(args, context) {
      const parsed = spec.inputSchema.safeParse(args);
      if (!parsed.success) return { text: violations(parsed.error), isError: true };
      try {
        return { text: await spec.run(parsed.data, context) };
      } catch (error) {
        context.signal.throwIfAborted();
        if (error instanceof ToolFailure) return { text: error.message, isError: true };
        throw error;
      }
    },
  };
}

/** The same tools with `label` as first line of every answer, errors too; unchanged without a label. */
export function labelled(
  label: string | undefined,
  tools: readonly ToolDefinition[],
): readonly ToolDefinition[] {
  if (label === undefined) return tools;
  return tools.map((tool) => ({
    ...tool,
    async call(args, context) {
      const output = await tool.call(args, context);
      return { ...output, text: `${label}\n${output.text}` };
    },
  }));
}

function violations(error: z.ZodError): string {
  const all = error.issues.map(({ path, message }) => ({
    path: path.length === 0 ? "arguments" : path.map(String).join("."),
    message,
  }));
  return `invalid arguments: ${sentence(all)}`;
}
