import * as z from "zod";
import { DeclarativeDeployment } from "./agent-deployment.ts";
import { Approval, Limits, Retry } from "./agent-limits.ts";
import { A2aConfig } from "./agent-skills.ts";
import { Handoff, Refusal, Routing } from "./agent-steering.ts";
import { AgentTool } from "./agent-tools.ts";
import { withRules } from "./cel.ts";
import { preservedObject } from "./preserved.ts";
import { ValueSource } from "./value-source.ts";

const PromptTemplate = z.strictObject({
  dataSources: z
    .array(
      z.strictObject({
        kind: z.string().optional(),
        apiGroup: z.string().optional(),
        name: z.string(),
        alias: z.string().describe("Name in include; the object's name when absent.").optional(),
      }),
    )
    .max(20)
    .describe("ConfigMaps whose keys the system message may include.")
    .optional(),
});

const Memory = z.strictObject({
  modelConfig: z.string().describe("ModelConfig that makes embeddings."),
  ttlDays: z.int().min(1).describe("Days a memory lives unless used; 15 when absent.").optional(),
});

const Compaction = z.strictObject({
  compactionInterval: z.int().min(1).default(5).describe("User turns between compactions."),
  overlapSize: z.int().min(0).default(2).describe("Older turns that are summarised once more."),
  tokenThreshold: z
    .int()
    .describe("Tokens of a prompt that start a compaction; an upper bound.")
    .optional(),
  eventRetentionSize: z.int().describe("Newest events that stay as they are.").optional(),
  summarizer: z
    .strictObject({ modelConfig: z.string().optional(), promptTemplate: z.string().optional() })
    .describe("Model that summarises; without it old events are dropped.")
    .optional(),
  toolResultMaxBytes: z
    .int()
    .min(256)
    .default(16_384)
    .describe("Bytes of one tool result that enter the context."),
});

/** An Agent that the platform's own worker runs. */
export const DeclarativeSpec = withRules(
  z.strictObject({
    runtime: z.enum(["go", "python"]).default("go").describe("Both run the same worker."),
    modelConfig: z
      .string()
      .describe("ModelConfig of the Agent's namespace; default-model-config when absent.")
      .optional(),
    systemMessage: z.string().optional(),
    systemMessageFrom: ValueSource.optional(),
    promptTemplate: PromptTemplate.optional(),
    stream: z.boolean().describe("Text is sent on while the model writes it.").optional(),
    shareTools: z.boolean().describe("Gives the Agent tools to share its session.").optional(),
    executeCodeBlocks: z.boolean().describe("Ignored, as by kagent.").optional(),
    tools: z.array(AgentTool).max(20).optional(),
    a2aConfig: A2aConfig.optional(),
    memory: Memory.optional(),
    context: z.strictObject({ compaction: Compaction.optional() }).optional(),
    deployment: DeclarativeDeployment.optional(),
    routing: Routing.optional(),
    envelope: z
      .enum(["none", "render"])
      .default("none")
      .describe("render: envelopes of other Agents become Markdown without a model call."),
    refusal: Refusal.optional(),
    handoffs: z.array(Handoff).max(5).optional(),
    approval: Approval.optional(),
    limits: Limits.optional(),
    retry: Retry.optional(),
    responseSchema: preservedObject()
      .describe("JSON Schema (2020-12) of the final answer.")
      .optional(),
  }),
  [
    {
      rule: "!has(self.systemMessage) || !has(self.systemMessageFrom)",
      message: "only one of systemMessage, systemMessageFrom may be set",
    },
  ],
);
/** An Agent that the platform's own worker runs. */
export type DeclarativeSpec = z.output<typeof DeclarativeSpec>;
