import * as z from "zod";
import { check, sentence } from "../api/checked.ts";
import type { ToolDefinition, ToolDescription } from "../api/tool.ts";
import type { Logger } from "../telemetry/log.ts";
import { describeError } from "./describe-error.ts";
import type { CallContext, ToolProvider, ToolResult } from "./tool-provider.ts";
import { failure, fromOutput } from "./tool-result.ts";

/**
 * Built-in tools as a provider: arguments are checked against their schema, failures become results.
 *
 * @throws {Error} Two tools have the same name.
 */
export function toolProvider(
  definitions: readonly ToolDefinition[],
  options: { readonly log: Logger },
): ToolProvider {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  if (byName.size < definitions.length) throw new Error("two tools have the same name");
  let described: readonly ToolDescription[] | undefined;
  return {
    listTools: () => Promise.resolve((described ??= definitions.map(describeTool))),
    callTool: async (name, args, context) => {
      const definition = byName.get(name);
      if (definition === undefined) return failure(`unknown tool "${name.slice(0, 100)}"`);
      const checked = check(definition.inputSchema, args, "arguments");
      if (!checked.ok)
        return failure(`invalid arguments of ${name}: ${sentence(checked.violations)}`);
      return await run(definition, checked.value, context, options.log);
    },
  };
}

/** A tool as clients see it; the schema has `properties` even when there is nothing to give. */
function describeTool(definition: ToolDefinition): ToolDescription {
  const schema: Record<string, unknown> = z.toJSONSchema(definition.inputSchema, {
    io: "input",
    unrepresentable: "any",
  });
  delete schema["$schema"]; // 2020-12, which is what MCP assumes
  return {
    name: definition.name,
    description: definition.description,
    inputSchema: { type: "object", properties: {}, ...schema },
    hints: definition.hints,
  };
}

async function run(
  definition: ToolDefinition,
  args: Readonly<Record<string, unknown>>,
  context: CallContext,
  log: Logger,
): Promise<ToolResult> {
  try {
    return fromOutput(await definition.call(args, context));
  } catch (error) {
    if (context.signal.aborted) throw error;
    return thrown(definition.name, error, log);
  }
}

/** What a caller learns of an exception: that there was one. The cause goes to the log. */
export function thrown(tool: string, error: unknown, log: Logger): ToolResult {
  log.error("tool failed", { tool, error: describeError(error) });
  return failure(`the tool "${tool}" failed; the log of its server says why`);
}
