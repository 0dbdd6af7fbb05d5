import type { Ajv2020, ErrorObject, ValidateFunction } from "ajv/dist/2020.js";
import type { AgentConfig } from "../api/agent-config.ts";
import { type Checked, pathText, sentence, type Violation } from "../api/checked.ts";
import { TurnFailure } from "./turn-failure.ts";

/** Field of an Agent that holds the schema. */
const FIELD = "spec.declarative.responseSchema";
/** 200 schemas stay compiled, by the hash of their agent's configuration. */
const MAX_COMPILED = 200;
/** 256 KiB of one answer are read as JSON. */
const MAX_ANSWER_BYTES = 256 * 1024;
/** 10 violations are told of one answer or one schema. */
const MAX_VIOLATIONS = 10;

/** Checks answers of an agent against its `responseSchema`. */
export interface ResponseSchema {
  /** As it was declared. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** The JSON value of a text, or what is wrong with it, by path. */
  readonly read: (text: string) => Checked<unknown>;
}

const compiled = new Map<string, Promise<ResponseSchema>>();

/**
 * The agent's `responseSchema`, compiled once for each configuration; `undefined` where it has none.
 *
 * @throws TurnFailure `INVALID_OUTPUT` with the paths in the schema that are no JSON Schema 2020-12.
 */
export async function responseSchema(
  config: Pick<AgentConfig, "hash" | "responseSchema">,
): Promise<ResponseSchema | undefined> {
  const { hash, responseSchema: schema } = config;
  if (schema === undefined) return undefined;
  const before = compiled.get(hash);
  if (before !== undefined) return await before;
  const made = compile(schema);
  compiled.set(hash, made);
  const oldest = compiled.keys().next();
  if (compiled.size > MAX_COMPILED && oldest.done !== true) compiled.delete(oldest.value);
  return await made;
}

async function compile(schema: ResponseSchema["schema"]): Promise<ResponseSchema> {
  // loaded by the agents that need it: it takes longer than all of the rest of a worker
  const library = await import("./json-schema-library.ts");
  const ajv = new library.Ajv2020({
    strict: false,
    allErrors: true,
    logger: false,
    validateFormats: false,
  });
  const validate = validator(ajv, schema);
  return { schema, read: (text) => read(validate, text) };
}

function validator(ajv: Ajv2020, schema: ResponseSchema["schema"]): ValidateFunction {
  let why: string;
  try {
    if (ajv.validateSchema(schema) === true) return ajv.compile(schema);
    why = sentence(violations(ajv.errors ?? [], FIELD));
  } catch (error) {
    why = `${FIELD}: ${error instanceof Error ? error.message : String(error)}`;
  }
  throw new TurnFailure("INVALID_OUTPUT", `the agent's schema is no JSON Schema 2020-12: ${why}`);
}

function read(validate: ValidateFunction, text: string): Checked<unknown> {
  if (Buffer.byteLength(text) > MAX_ANSWER_BYTES)
    return broken(`is longer than ${MAX_ANSWER_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return broken("is no JSON");
  }
  if (validate(value)) return { ok: true, value };
  return { ok: false, violations: violations(validate.errors ?? [], "output") };
}

function broken(message: string): Checked<never> {
  return { ok: false, violations: [{ path: "output", message }] };
}

function violations(errors: readonly ErrorObject[], root: string): readonly Violation[] {
  return errors.slice(0, MAX_VIOLATIONS).map(({ instancePath, message = "is wrong" }) => {
    const path = instancePath.split("/").slice(1).map(step);
    return { path: pathText(root, path), message };
  });
}

function step(pointer: string): string | number {
  const name = pointer.replaceAll("~1", "/").replaceAll("~0", "~");
  return /^\d+$/.test(name) ? Number(name) : name;
}
