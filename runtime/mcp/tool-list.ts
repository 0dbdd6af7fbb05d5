import * as z from "zod";
import type { ToolDescription, ToolHints } from "../api/tool.ts";

/** Longest description that is kept, in characters: every tool is sent with each model call. */
const MAX_DESCRIPTION = 16_384;

/** One page of `tools/list`, lenient: see {@link toolsOf}. */
export const ToolPage = z.looseObject({
  tools: z.array(z.unknown()),
  nextCursor: z.string().min(1).optional(),
});

const hint = z.boolean().optional().catch(undefined);
const Tool = z.looseObject({
  name: z.string().min(1).max(256),
  description: z.string().optional().catch(undefined),
  inputSchema: z.looseObject({ type: z.literal("object") }),
  annotations: z
    .looseObject({
      readOnlyHint: hint,
      destructiveHint: hint,
      idempotentHint: hint,
      openWorldHint: hint,
    })
    .optional()
    .catch(undefined),
});

/** The tools of a page; those that are not described as the specification asks are counted and left out. */
export function toolsOf(page: readonly unknown[]): {
  readonly tools: readonly ToolDescription[];
  readonly invalid: number;
} {
  const tools = page.flatMap((item) => {
    const parsed = Tool.safeParse(item);
    return parsed.success ? [descriptionOf(parsed.data)] : [];
  });
  return { tools, invalid: page.length - tools.length };
}

function descriptionOf(tool: z.output<typeof Tool>): ToolDescription {
  const hints = hintsOf(tool.annotations);
  return {
    name: tool.name,
    description: (tool.description ?? "").slice(0, MAX_DESCRIPTION),
    inputSchema: { ...tool.inputSchema, properties: tool.inputSchema["properties"] ?? {} },
    ...(hints === undefined ? {} : { hints }),
  };
}

function hintsOf(
  annotations: z.output<typeof Tool>["annotations"],
): Partial<ToolHints> | undefined {
  if (annotations === undefined) return undefined;
  const names = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const;
  const known = names.flatMap((name) => {
    const value = annotations[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(known);
}
