import type { ValidateFunction } from "ajv/dist/2020.js";
import type { CallDecision } from "../api/approval-decision.ts";
import { gitWriteViolation } from "../api/rules/git-writes.ts";
import type { Toolbox } from "./toolbox.ts";

type Schema = Readonly<Record<string, unknown>>;

/**
 * Why an approver's edits void the whole answer, or `undefined` (decisions 9): each must fit the schema of its tool and
 * keep the Git rules. What cannot be judged is not taken.
 */
export async function editViolation(
  toolbox: () => Promise<Toolbox>,
  decisions: readonly CallDecision[],
): Promise<string | undefined> {
  for (const item of decisions) {
    if (item.decision !== "approve" || item.editedArgs === undefined) continue;
    const { call, editedArgs } = item;
    const git = gitWriteViolation(call.name, editedArgs);
    if (git !== undefined) return `edited_args of ${call.callId}: ${git.message}`;
    const schema =
      call.delegate === undefined ? schemaOf(await toolbox(), call.name) : call.inputSchema;
    if (schema === undefined)
      return `edited_args of ${call.callId}: the schema of ${call.name} is not known, so no edit can be judged`;
    const why = await schemaViolation(schema, editedArgs);
    if (why !== undefined) return `edited_args of ${call.callId}: ${why}`;
  }
  return undefined;
}

function schemaOf(toolbox: Toolbox, name: string): Schema | undefined {
  const tool = toolbox.tools.get(name);
  return tool?.kind === "mcp" ? tool.description.inputSchema : undefined;
}

/** 50 schemas stay compiled, by their text. */
const MAX_COMPILED = 50;
const compiled = new Map<string, Promise<ValidateFunction | undefined>>();

/**
 * What of `args` breaks the JSON Schema (2020-12) of a tool, or `undefined`. Keywords that are unknown and formats are
 * not judged, as the server's own check knows them better.
 */
async function schemaViolation(schema: Schema, args: Schema): Promise<string | undefined> {
  const key = JSON.stringify(schema);
  const validating = compiled.get(key) ?? compile(schema);
  compiled.set(key, validating);
  const oldest = compiled.keys().next();
  if (compiled.size > MAX_COMPILED && oldest.done !== true) compiled.delete(oldest.value);
  const validate = await validating;
  if (validate === undefined)
    return "the schema of the tool cannot be read, so no edit can be judged";
  if (validate(args)) return undefined;
  const [error] = validate.errors ?? [];
  const path = error?.instancePath.slice(1).replaceAll("/", ".") ?? "";
  return `${path === "" ? "" : `${path} `}${error?.message ?? "they do not fit the tool"}`;
}

/** `undefined` for a schema that is none. */
async function compile(schema: Schema): Promise<ValidateFunction | undefined> {
  // Loaded by the first edit: it takes longer than all of the rest of a worker.
  const { Ajv2020 } = await import("./json-schema-library.ts");
  const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false });
  // Servers name older drafts there, which would have to be known by that name.
  const { $schema: _, ...plain } = schema;
  try {
    return ajv.compile(plain);
  } catch {
    return undefined;
  }
}
