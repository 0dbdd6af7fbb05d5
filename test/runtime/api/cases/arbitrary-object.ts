import fc from "fast-check";
import { customResourceDefinitions } from "../../../../runtime/api/crd.ts";
import { API_VERSION, type Kind } from "../../../../runtime/api/names.ts";

type Json = Readonly<Record<string, unknown>>;

/** A node of a structural schema, as far as values are made from it. */
interface Node {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Node;
  readonly items?: Node;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
}

/** An optional field is there once in so many objects: enough to meet, few enough to break no rule. */
const ONE_IN = 8;

/** Fields whose values only zod knows. */
const KNOWN_FIELDS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  onNoMatch: fc.constantFrom("clarify", "model", { agent: { name: "b", namespace: "c" } }),
  when: fc.constantFrom("output.a == 1", "has(envelope.b)"),
  additionalModelRequestFields: fc.jsonValue().filter((value) => value !== null),
};

/** Objects of one kind that keep every bound of its CRD; they may break its rules. */
export function arbitraryObject(kind: Kind): fc.Arbitrary<Json> {
  return fc.record({
    apiVersion: fc.constant(API_VERSION),
    kind: fc.constant(kind),
    metadata: fc.constant({ name: "sample" }),
    // Without its block an Agent breaks a rule, whatever else is in it.
    spec: arbitraryOf(specNode(kind)).map((spec) =>
      kind === "Agent" ? { declarative: {}, byo: {}, ...(spec as Json) } : spec,
    ),
  });
}

/** Objects of one kind with one thing changed at random: a value, a field more, a field less. */
export function arbitraryMistake(kind: Kind): fc.Arbitrary<Json> {
  const mistake = fc.record({
    at: fc.nat(),
    value: fc.constantFrom(null, 5, 1.5, -1, "x", "", true, [], {}, [null], { a: 1 }, undefined),
    name: fc.constantFrom("unknown", "name", "type", undefined, undefined),
  });
  return fc.tuple(arbitraryObject(kind), mistake).map(([object, { at, value, name }]) => ({
    ...object,
    spec: changed(object["spec"], at, value, name),
  }));
}

function specNode(kind: Kind): Node {
  const crd = customResourceDefinitions().find(
    (definition) => (definition["spec"] as { names: { kind: string } }).names.kind === kind,
  );
  const { versions } = crd?.["spec"] as {
    versions: [{ schema: { openAPIV3Schema: { properties: { spec: Node } } } }];
  };
  return versions[0].schema.openAPIV3Schema.properties.spec;
}

function arbitraryOf(node: Node): fc.Arbitrary<unknown> {
  if (node["x-kubernetes-int-or-string"] === true)
    return fc.constantFrom(1, 0, "500m", "1.5Gi", "2e3");
  switch (node.type) {
    case "object":
      return arbitraryObjectOf(node);
    case "array":
      return arbitraryList(node);
    case "string":
      return arbitraryString(node);
    case "integer":
      return fc.integer({ min: node.minimum ?? -1000, max: Math.min(node.maximum ?? 1000, 1e6) });
    case "boolean":
      return fc.boolean();
    case undefined:
    default:
      return fc.jsonValue();
  }
}

function arbitraryObjectOf(node: Node): fc.Arbitrary<unknown> {
  const { properties, additionalProperties, required = [] } = node;
  if (additionalProperties !== undefined) {
    return fc.dictionary(
      fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/),
      arbitraryOf(additionalProperties),
      { maxKeys: 3 },
    );
  }
  if (properties === undefined)
    return fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue(), { maxKeys: 2 });
  const fields = Object.entries(properties).map(([name, below]) => {
    const value = KNOWN_FIELDS[name] ?? arbitraryOf(below);
    return fc.tuple(fc.constant(name), required.includes(name) ? value : sometimes(value));
  });
  return fc
    .tuple(...fields)
    .map((entries) => Object.fromEntries(entries.filter(([, value]) => value !== undefined)));
}

function sometimes(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: ONE_IN - 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: value },
  );
}

function arbitraryList(node: Node): fc.Arbitrary<unknown> {
  const minLength = node.minItems ?? 0;
  const bounds = { minLength, maxLength: Math.min(node.maxItems ?? 3, minLength + 2) };
  const item = arbitraryOf(node.items ?? {});
  return node["x-kubernetes-list-map-keys"] === undefined
    ? fc.array(item, bounds)
    : fc.uniqueArray(item, { ...bounds, selector: (value) => (value as { name: string }).name });
}

const strings = new Map<string, fc.Arbitrary<string>>();

/** Made once for each form: building one takes longer than a thousand of its values. */
function arbitraryString(node: Node): fc.Arbitrary<string> {
  const { minLength, maxLength, pattern, format, enum: values } = node;
  const form = JSON.stringify({ minLength, maxLength, pattern, format, values });
  const known = strings.get(form) ?? newArbitraryString(node);
  strings.set(form, known);
  return known;
}

function newArbitraryString(node: Node): fc.Arbitrary<string> {
  const { minLength = 0, maxLength = 12, pattern } = node;
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  if (node.format === "uri")
    return fc.constantFrom("https://example.com/a?b=c", "/icon.png", "mailto:a@b");
  if (pattern === undefined) {
    return fc
      .string({ unit: "grapheme", minLength, maxLength: Math.min(maxLength, minLength + 4) })
      .filter((text) => Array.from(text).length <= maxLength);
  }
  return fc
    .stringMatching(new RegExp(pattern))
    .filter((text) => text.length >= minLength && text.length <= maxLength);
}

/** `value` with its `at`-th node (counted in depth, modulo their number) set, or given a field `name`. */
function changed(value: unknown, at: number, to: unknown, name: string | undefined): unknown {
  const copy: unknown = structuredClone(value);
  const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  collect(copy, places);
  const place = places[at % Math.max(places.length, 1)];
  if (place === undefined) return copy;
  const { holder, key } = place;
  const below = holder[key];
  const target =
    name !== undefined && typeof below === "object" && below !== null && !Array.isArray(below)
      ? { holder: below as Record<string, unknown>, key: name }
      : { holder, key };
  if (to === undefined && !Array.isArray(holder)) Reflect.deleteProperty(target.holder, target.key);
  else target.holder[target.key] = to ?? null;
  return copy;
}

function collect(value: unknown, places: { holder: Record<string, unknown>; key: string }[]): void {
  if (typeof value !== "object" || value === null) return;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    places.push({ holder, key });
    collect(holder[key], places);
  }
}
