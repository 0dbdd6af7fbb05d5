import * as z from "zod";
import { withRules } from "./cel.ts";

/** Selector over labels, as everywhere in Kubernetes. */
const LabelSelector = z
  .strictObject({
    matchLabels: z.record(z.string(), z.string()).optional(),
    matchExpressions: z
      .array(
        z.strictObject({
          key: z.string(),
          operator: z.string().describe("In, NotIn, Exists or DoesNotExist."),
          values: z.array(z.string()).optional(),
        }),
      )
      .optional(),
  })
  .meta({ "x-kubernetes-map-type": "atomic" });

/** From which namespaces an object may be referred to. */
export const AllowedNamespaces = withRules(
  z.strictObject({
    from: z
      .enum(["All", "Same", "Selector"])
      .default("Same")
      .describe("All namespaces, only the object's own, or those that selector picks."),
    selector: LabelSelector.optional(),
  }),
  [
    {
      rule: "!(self.from == 'Selector' && !has(self.selector))",
      message: "selector is required when from is Selector",
    },
  ],
).describe("Namespaces whose Agents may refer to this object; only its own when absent.");
/** From which namespaces an object may be referred to. */
export type AllowedNamespaces = z.output<typeof AllowedNamespaces>;
