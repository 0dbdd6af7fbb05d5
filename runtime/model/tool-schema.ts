type Schema = Readonly<Record<string, unknown>>;

/**
 * 5000 schema nodes per tool: a few nested definitions that refer to one another can unfold without
 * bound. What lies beyond is sent as `{}`, which admits anything.
 */
const MAX_NODES = 5000;

/** Keys that say nothing to a model, or whose content is put where it is referred to. */
const NOISE = new Set(["$schema", "$id", "$comment", "$defs", "definitions"]);

/** Keys whose value maps names to schemas, so that a property called `$id` is none of {@link NOISE}. */
const MAPS = new Set(["properties", "patternProperties", "dependentSchemas"]);

/** Keys whose value is data, not a schema. */
const DATA = new Set(["default", "const", "enum", "examples", "example", "required"]);

interface Unfolding {
  readonly root: Schema;
  nodes: number;
}

/**
 * The schema of a tool's arguments as Ollama reads it: one whole object schema, however deep.
 *
 * Ollama drops `$ref`, and with it the type of the property, so local references are replaced by what
 * they refer to; a reference to itself becomes `{}` at its second occurrence. Everything else stays.
 */
export function selfContained(schema: Schema): Record<string, unknown> {
  const whole = unfold(schema, { root: schema, nodes: 0 }, []);
  return { ...whole, type: "object", properties: asSchema(whole["properties"]) ?? {} };
}

function unfold(schema: Schema, run: Unfolding, path: readonly string[]): Record<string, unknown> {
  run.nodes += 1;
  if (run.nodes > MAX_NODES) return {};
  const { $ref: reference, ...own } = schema;
  const entries = Object.entries(own)
    .filter(([key]) => !NOISE.has(key))
    .map(([key, value]) => [key, child(key, value, run, path)] as const);
  const rest = Object.fromEntries(entries);
  if (typeof reference !== "string") return rest;
  const target = path.includes(reference) ? undefined : resolve(reference, run.root);
  return target === undefined ? rest : { ...unfold(target, run, [...path, reference]), ...rest };
}

function child(key: string, value: unknown, run: Unfolding, path: readonly string[]): unknown {
  if (DATA.has(key)) return value;
  if (Array.isArray(value))
    return value.map((item) => {
      const schema = asSchema(item);
      return schema === undefined ? (item as unknown) : unfold(schema, run, path);
    });
  const schema = asSchema(value);
  if (schema === undefined) return value;
  if (!MAPS.has(key)) return unfold(schema, run, path);
  const members = Object.entries(schema).map(([name, member]) => {
    const property = asSchema(member);
    return [name, property === undefined ? member : unfold(property, run, path)] as const;
  });
  return Object.fromEntries(members);
}

/** What a JSON pointer of the same document points to. */
function resolve(reference: string, root: Schema): Schema | undefined {
  if (!reference.startsWith("#")) return undefined;
  const steps = reference.slice(1).split("/").slice(1);
  let place: unknown = root;
  for (const step of steps) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    const parent = asSchema(place);
    if (parent === undefined || !Object.hasOwn(parent, name)) return undefined;
    place = parent[name];
  }
  return asSchema(place);
}

function asSchema(value: unknown): Schema | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Schema)
    : undefined;
}
