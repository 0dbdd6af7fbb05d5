import * as z from "zod";
import { Duration } from "./duration.ts";
import { text } from "./text.ts";

/** Who is asked before a tool runs, and for how long. */
export const Approval = z.strictObject({
  mode: z
    .enum(["listed", "destructive", "all"])
    .default("listed")
    .describe("listed: the tools in requireApproval; destructive: those and all that may destroy."),
  timeout: Duration.default("1h").describe(
    "After this time without an answer the call is rejected.",
  ),
  approvers: z
    .array(text(1, 253))
    .max(50)
    .describe("Users, or group:NAME; the owner of the session when empty.")
    .optional(),
});
/** Who is asked before a tool runs. */
export type Approval = z.output<typeof Approval>;

/** Budgets of one turn. */
export const Limits = z.strictObject({
  maxModelCalls: z.int().min(1).max(1000).default(50),
  maxToolCalls: z.int().min(1).max(1000).default(100),
  maxTokens: z.int().min(1).describe("Input and output tokens together.").optional(),
  maxDuration: Duration.default("30m"),
  maxParallelTools: z.int().min(1).max(16).default(8),
  maxDelegations: z.int().min(1).max(100).describe("Calls of other Agents.").optional(),
  repeatedCalls: z
    .enum(["allow", "refuse"])
    .default("allow")
    .describe(
      "refuse: the same tool with the same arguments, or the same Agent, a second time in one turn is answered with an error.",
    ),
});
/** Budgets of one turn. */
export type Limits = z.output<typeof Limits>;

/** Retry of model calls before their first token, and of tools that only read. */
export const Retry = z.strictObject({
  maxAttempts: z.int().min(1).max(5).default(3),
  initialDelay: Duration.default("1s"),
  maxDelay: Duration.default("30s"),
});
/** Retry of model calls and of tools that only read. */
export type Retry = z.output<typeof Retry>;

/** What holds for an Agent without `approval`. */
export const DEFAULT_APPROVAL: Approval = Approval.parse({});
/** What holds for an Agent without `limits`. */
export const DEFAULT_LIMITS: Limits = Limits.parse({});
/** What holds for an Agent without `retry`. */
export const DEFAULT_RETRY: Retry = Retry.parse({});
