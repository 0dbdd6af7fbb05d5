import type { ToolDescription } from "../../api/tool.ts";
import { splitTool, toolAccess } from "../../api/tool-catalogue.ts";
import { isObject, type JsonObject, listAt, textAt, valueAt } from "./json-read.ts";

/** A tool as the planner sees it. */
export interface KnownTool {
  /** As to be called. */
  readonly name: string;
  readonly description: string;
  /** Without the gateway's target (`k8s-tools-services-amer_`). */
  readonly bareName: string;
  /** Cluster that the target names; empty for targets without one. */
  readonly cluster: string;
  readonly inputSchema: JsonObject;
  /** Whether it is known to change nothing. */
  readonly readOnly: boolean;
}

/** A call the planner wants. */
export interface PlannedCall {
  readonly name: string;
  readonly args: JsonObject;
}

/** Reads a tool's name and schema. */
export function knownTool(tool: ToolDescription): KnownTool {
  const split = splitTool(tool.name);
  return {
    name: tool.name,
    description: tool.description,
    bareName: split?.tool ?? tool.name,
    cluster: split?.cluster ?? "",
    inputSchema: tool.inputSchema,
    readOnly: tool.hints?.readOnlyHint === true || toolAccess(tool.name) === "read",
  };
}

/** Whether `name` is the tool `bare`, with whatever prefix. */
export function isTool(name: string, bare: string): boolean {
  return name === bare || name.endsWith(`_${bare}`);
}

/** Other names that servers have for an argument. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  query: ["expr", "promql", "logql", "q", "search", "text", "keyword", "keywords"],
  start: ["startTime", "start_time", "startRfc3339", "from"],
  end: ["endTime", "end_time", "endRfc3339", "to"],
  step: ["stepSeconds", "step_seconds"],
  content: ["text", "memory", "fact", "value", "body"],
  tail_lines: ["tailLines", "lines", "tail"],
  pull_number: ["pullNumber", "number", "pr", "pr_number"],
  name: ["release", "release_name"],
};

/**
 * A call of `tool` with those of the wanted arguments that its schema has, in the types it wants.
 *
 * An argument that is required and not wanted gets its default or only choice; where there is none there is no call.
 */
export function callOf(tool: KnownTool | undefined, wanted: JsonObject): PlannedCall | undefined {
  if (tool === undefined) return undefined;
  const properties = valueAt(tool.inputSchema, "properties");
  if (!isObject(properties)) return { name: tool.name, args: defined(wanted) };
  const args = fitting(wanted, properties);
  for (const name of listAt(tool.inputSchema, "required")) {
    if (typeof name !== "string" || Object.hasOwn(args, name)) continue;
    const given = presetOf(properties[name]) ?? LAST_RESORT[name]?.(tool.bareName);
    if (given === undefined) return undefined;
    args[name] = given;
  }
  return { name: tool.name, args };
}

function fitting(wanted: JsonObject, properties: JsonObject): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(defined(wanted))) {
    const own = [key, ...(ALIASES[key] ?? [])].find((name) => Object.hasOwn(properties, name));
    if (own !== undefined && !Object.hasOwn(args, own)) args[own] = typed(value, properties[own]);
  }
  return args;
}

/** What required arguments get that no schema has a default for, by the name of the tool. */
const LAST_RESORT: Readonly<Record<string, (tool: string) => string>> = {
  datasourceUid: (tool) => (tool.includes("loki") ? "loki" : "prometheus"),
};

function defined(wanted: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
}

function presetOf(schema: unknown): unknown {
  return valueAt(schema, "default") ?? valueAt(schema, "const") ?? listAt(schema, "enum")[0];
}

/** Some servers want every argument as text, others numbers and booleans as such. */
function typed(value: unknown, schema: unknown): unknown {
  const types = typesOf(schema);
  if (types.length === 0 || types.includes(typeof value)) return value;
  if (typeof value === "number" && types.includes("integer")) return Math.trunc(value);
  if (types.includes("string") && (typeof value === "number" || typeof value === "boolean"))
    return String(value);
  if (types.includes("array") && !Array.isArray(value)) return [value];
  return value;
}

function typesOf(schema: unknown): readonly string[] {
  const own = textAt(schema, "type");
  const several = listAt(schema, "type").filter((type) => typeof type === "string");
  const branches = [...listAt(schema, "anyOf"), ...listAt(schema, "oneOf")].flatMap(typesOf);
  return [...(own === "" ? [] : [own]), ...several, ...branches];
}
