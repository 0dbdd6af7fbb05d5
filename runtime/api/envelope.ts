import * as z from "zod";

/** Most severe last. */
export const SEVERITIES = ["info", "warning", "error", "critical"] as const;
/** How bad it is. */
export type Severity = (typeof SEVERITIES)[number];

const Text = z.string();
/** A cell of a resource table; numbers and null are what models write unasked. */
const Cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** A problem an agent found; `findings` of product.md section 4. */
export const Issue = z.object({
  resource_kind: Text,
  resource_name: Text,
  namespace: Text.default(""),
  severity: z.enum(SEVERITIES),
  message: Text,
  evidence: Text.default(""),
});

/** A change an agent proposes and never makes itself. */
const ProposedChange = z.object({
  file_path: Text,
  yaml_diff: Text.default(""),
  rationale: Text.default(""),
});

/** The part of an envelope that the model writes (reference-platform.md section 3, version 2). */
export const EnvelopeAnswer = z.object({
  summary: Text.min(1),
  severity: z.enum(SEVERITIES),
  data: z.object({
    scope: z.object({
      cluster: Text.default(""),
      namespace: Text.default(""),
      operation_class: Text.default(""),
    }),
    resources: z
      .record(z.string(), z.object({ columns: z.array(Text), items: z.array(z.array(Cell)) }))
      .default({}),
    issues: z.array(Issue).default([]),
    proposed_change: ProposedChange.nullable().default(null),
  }),
  recommended_action: Text.default(""),
  raw_data_truncated: z.boolean().default(false),
  follow_up_agent: Text.nullable().default(null),
});
/** The part of an envelope that the model writes. */
export type EnvelopeAnswer = z.output<typeof EnvelopeAnswer>;

/** One tool result an answer rests on; filled in by the runtime, never by the model. */
const Evidence = z.object({
  tool: Text,
  cluster: Text.default(""),
  excerpt: Text,
});

/**
 * Structured answer of an agent, version 2 (reference-platform.md section 3, decisions 7).
 *
 * `status`, `evidence`, `usage`, `agent` and `tool_calls_made` come from the runtime. Lenient towards
 * unknown keys: other agents write envelopes too.
 */
export const Envelope = EnvelopeAnswer.extend({
  schema_version: z.literal("2"),
  agent: Text,
  status: z.enum(["ok", "partial", "error", "refused"]).default("ok"),
  data: EnvelopeAnswer.shape.data.extend({ tool_calls_made: z.int().min(0).default(0) }),
  evidence: z.array(Evidence).default([]),
  /** The whole answer of an agent that wrote no envelope. */
  free_text: Text.optional(),
  usage: z
    .object({
      inputTokens: z.int().min(0),
      outputTokens: z.int().min(0),
      modelCalls: z.int().min(0),
      toolCalls: z.int().min(0),
    })
    .optional(),
});
/** Structured answer of an agent. */
export type Envelope = z.output<typeof Envelope>;
/** A problem an agent found. */
export type Issue = z.output<typeof Issue>;
