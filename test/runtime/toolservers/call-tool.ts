import type { ToolDefinition, ToolOutput } from "../../../runtime/api/tool.ts";

/** A signal that never aborts. */
export const open = new AbortController().signal;

/** Calls one of `tools` by name, as user `ada` unless told otherwise. */
export async function callTool(
  tools: readonly ToolDefinition[],
  name: string,
  args: Readonly<Record<string, unknown>> = {},
  context: { readonly signal?: AbortSignal; readonly user?: string } = {},
): Promise<ToolOutput> {
  const tool = tools.find((each) => each.name === name);
  if (tool === undefined) throw new Error(`there is no tool ${name}`);
  return tool.call(args, { signal: context.signal ?? open, user: context.user ?? "ada" });
}

/** The text of a call that has to succeed. */
export async function textOf(
  tools: readonly ToolDefinition[],
  name: string,
  args: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { text, isError } = await callTool(tools, name, args);
  if (isError === true) throw new Error(`${name} failed: ${text}`);
  return text;
}

/** The text of a call that has to fail. */
export async function failureOf(
  tools: readonly ToolDefinition[],
  name: string,
  args: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { text, isError } = await callTool(tools, name, args);
  if (isError !== true) throw new Error(`${name} did not fail: ${text}`);
  return text;
}
