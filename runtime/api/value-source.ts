import * as z from "zod";
import { withRules } from "./cel.ts";
import { text } from "./text.ts";

/** A key of a ConfigMap or Secret in the namespace of the object that refers to it. */
export const ValueSource = z.strictObject({
  type: z.enum(["ConfigMap", "Secret"]).describe("Kind of the object that holds the value."),
  name: text(0, 253).describe("Name of the ConfigMap or Secret."),
  key: text(0, 253).describe("Key in its data."),
});

/** A request header: its value, or where the value is kept. */
export const HeaderSource = withRules(
  z.strictObject({
    name: z.string().describe("Name of the header."),
    value: z.string().describe("The value in clear; secrets go into valueFrom.").optional(),
    valueFrom: ValueSource.optional(),
  }),
  [
    {
      rule: "(has(self.value) && !has(self.valueFrom)) || (!has(self.value) && has(self.valueFrom))",
      message: "exactly one of value, valueFrom must be set",
    },
  ],
);

/** A key of a Secret or ConfigMap by the names that Kubernetes uses. */
export const KeySelector = z.strictObject({
  name: z.string().optional(),
  key: z.string(),
  optional: z.boolean().optional(),
});
