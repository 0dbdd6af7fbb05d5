import assert from "node:assert/strict";
import { describe, it } from "mocha";
import * as z from "zod";
import { fitSchema } from "../../../../runtime/model/offline/fit-schema.ts";
import { report } from "../../../../runtime/model/offline/report.ts";

const REPORT = report({
  operation: "triage",
  summary: "3 pods fail.",
  severity: "error",
  cluster: "demo",
  next: "look at checkout.",
});

describe("runtime/model/offline/fit-schema", () => {
  const schemas = {
    "objects in objects": z.object({
      a: z.object({ b: z.string(), c: z.number() }),
      d: z.boolean(),
    }),
    "choices and constants": z.object({ kind: z.literal("x"), level: z.enum(["low", "high"]) }),
    severities: z.object({ severity: z.enum(["info", "warning", "error", "critical"]) }),
    "bounds of numbers": z.object({
      a: z.int().min(3),
      b: z.number().gt(0).max(1),
      c: z.int().gt(4),
    }),
    "bounds of texts": z.object({
      a: z.string().min(5),
      b: z.string().max(4),
      c: z.string().min(1),
    }),
    "lists with a least length": z.object({ a: z.array(z.object({ b: z.string() })).min(2) }),
    tuples: z.tuple([z.string(), z.number()]),
    unions: z.union([z.object({ a: z.string() }), z.null()]),
    "what may be null": z.object({ a: z.string().nullable(), b: z.int().nullable() }),
    formats: z.object({ at: z.iso.datetime(), id: z.uuid(), mail: z.email(), url: z.url() }),
    intersections: z.intersection(z.object({ a: z.string() }), z.object({ b: z.int() })),
    records: z.record(z.string(), z.string()),
  } as const;
  for (const [name, schema] of Object.entries(schemas))
    it(`fits ${name}`, () => {
      const value = fitSchema(z.toJSONSchema(schema), REPORT, "prose");
      assert.deepEqual(schema.safeParse(value).error?.issues ?? [], []);
    });

  it("ends in a schema that refers to itself", () => {
    const node = { type: "object", properties: { next: { $ref: "#" } }, required: ["next"] };
    assert.ok(JSON.stringify(fitSchema(node, REPORT, "prose")).length < 10_000);
  });

  it("puts in what it knows", () => {
    const text = { type: "string" };
    const schema = {
      type: "object",
      properties: {
        severity: { enum: ["info", "warning", "error", "critical"] },
        cluster: text,
        summary: text,
        answer: text,
        next_action: text,
      },
      required: ["severity", "cluster", "next_action"],
    };
    assert.deepEqual(fitSchema(schema, REPORT, "prose"), {
      severity: "error",
      cluster: "demo",
      summary: "3 pods fail.",
      answer: "prose",
      next_action: "look at checkout.",
    });
  });
});
