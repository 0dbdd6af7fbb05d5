import * as z from "zod";
import { DeclarativeSpec } from "./agent-declarative.ts";
import { ByoDeployment } from "./agent-deployment.ts";
import { SkillSources } from "./agent-skills.ts";
import { AllowedNamespaces } from "./allowed-namespaces.ts";
import { type Rule, withRules } from "./cel.ts";
import { RequestUri } from "./request-uri.ts";
import { text } from "./text.ts";

/** For each type of Agent the field that describes it; a further type is a row here and a field below. */
const BLOCKS = { Declarative: "declarative", BYO: "byo" } as const;
const TYPES = Object.keys(BLOCKS) as (keyof typeof BLOCKS)[];

const TYPE_RULES: readonly Rule[] = [
  { rule: "has(self.type)", message: "type is required" },
  {
    rule: TYPES.map((type) => `self.type == '${type}'`).join(" || "),
    message: `type must be ${TYPES.join(" or ")}`,
  },
  {
    rule: TYPES.map((type) => `(self.type == '${type}' && has(self.${BLOCKS[type]}))`).join(" || "),
    message: TYPES.map((type) => `${BLOCKS[type]} is required for type ${type}`).join(", "),
  },
];

const CardProvider = z.strictObject({
  organization: text(1),
  url: RequestUri,
});

const Sandbox = z.strictObject({
  network: z
    .strictObject({
      allowedDomains: z
        .array(z.string())
        .describe("Hosts, or *.example.com; none when empty.")
        .optional(),
    })
    .optional(),
});

/**
 * Desired state of an Agent, kagent v1alpha2 with our additions.
 *
 * Bounds and rules of kagent's fields are kagent's own: what it admits, this admits.
 */
export const AgentSpec = withRules(
  z.strictObject({
    type: z
      .enum(TYPES)
      .default("Declarative")
      .describe("Declarative: run by the platform's worker; BYO: an image of your own."),
    description: z.string().describe("What the Agent does, for callers and models.").optional(),
    iconUrl: RequestUri.optional(),
    documentationUrl: RequestUri.optional(),
    version: z.string().describe("Version on the Agent's card.").optional(),
    provider: CardProvider.describe("Who offers the Agent.").optional(),
    declarative: DeclarativeSpec.optional(),
    byo: z.strictObject({ deployment: ByoDeployment.optional() }).optional(),
    skills: SkillSources.optional(),
    sandbox: Sandbox.describe("Egress of the code sandbox.").optional(),
    allowedNamespaces: AllowedNamespaces.optional(),
    workers: z
      .enum(["dedicated", "pooled"])
      .describe("Pods of its own or shared ones; the platform's default when absent.")
      .optional(),
  }),
  TYPE_RULES,
);
/** Desired state of an Agent, defaults filled in. */
export type AgentSpec = z.output<typeof AgentSpec>;
