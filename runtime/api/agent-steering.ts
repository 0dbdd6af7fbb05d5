import * as z from "zod";
import { REFUSAL_CATEGORIES } from "./agent-config.ts";
import { withRules } from "./cel.ts";
import { parseCondition } from "./cel-condition.ts";
import { listByName } from "./list-by-name.ts";
import { PRESERVE } from "./preserved.ts";
import { text } from "./text.ts";
import { AgentReference } from "./typed-reference.ts";

const RuleName = text(1, 63);

const RoutingRule = z.strictObject({
  name: RuleName,
  keywords: z
    .array(text(2, 64))
    .min(1)
    .max(50)
    .describe("Words or phrases; case does not count, word boundaries do."),
  agent: AgentReference.describe("Where a match goes; must be a tool of type Agent too."),
  readFirst: AgentReference.describe(
    "Asked first for the state; agent gets its findings with the request, or is not asked when there are none. Must be a tool of type Agent too.",
  ).optional(),
  priority: z.int().default(0).describe("Higher wins before scores are looked at."),
});

// A union is not structural: the API server keeps whatever stands here, zod and the webhook are exact.
const OnNoMatch = z
  .union([z.enum(["clarify", "model"]), z.strictObject({ agent: AgentReference })], {
    error: 'must be "clarify", "model" or an object {agent: {name, namespace}}',
  })
  .meta({ [PRESERVE]: true });

/** Routing by rules, without a model. */
export const Routing = z.strictObject({
  rules: listByName(RoutingRule, { min: 1, max: 50 }),
  onNoMatch: OnNoMatch.default("clarify").describe(
    "Text that no rule matches: clarify (ask back), model (let it choose) or {agent: {name, namespace}}.",
  ),
  maxDelegates: z.int().min(1).max(5).default(1).describe("Rules that may run for one request."),
});

const RefusalMatch = withRules(
  z.strictObject({
    word: text(2, 64).regex(/^\S+$/, "must be one word; use phrase for several").optional(),
    phrase: text(2, 200).optional(),
    category: z.enum(REFUSAL_CATEGORIES).optional(),
  }),
  [
    {
      rule: "(has(self.word) ? 1 : 0) + (has(self.phrase) ? 1 : 0) + (has(self.category) ? 1 : 0) == 1",
      message: "exactly one of word, phrase, category must be set",
    },
  ],
);

const RefusalRule = z.strictObject({
  name: RuleName,
  match: RefusalMatch,
  message: text(1, 1000).describe("What the caller is told.").optional(),
});

/** Requests that are refused before routing and before any model call. */
export const Refusal = z.strictObject({
  rules: listByName(RefusalRule, { min: 0, max: 50 }),
});

/** Variables of a hand-off's condition: the turn's final answer as data, and its envelope. */
export const HANDOFF_VARIABLES = ["output", "envelope"] as const;

/** An Agent that the runtime calls after a turn. */
export const Handoff = z.strictObject({
  when: text(1, 1024)
    .superRefine((source, context) => {
      const condition = parseCondition(source, HANDOFF_VARIABLES);
      if (!condition.ok) context.addIssue({ code: "custom", message: condition.problem });
    })
    .describe("CEL condition over output and envelope, e.g. output.verdict == 'incident'."),
  agent: AgentReference,
  wait: z.boolean().default(false).describe("The turn ends with the other Agent's answer."),
});
