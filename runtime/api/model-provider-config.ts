import * as z from "zod";
import { withRules } from "./cel.ts";
import { MODEL_PROVIDERS } from "./model-config.ts";

/** Desired state of a ModelProviderConfig: a provider whose models are discovered. */
export const ModelProviderConfigSpec = withRules(
  z.strictObject({
    type: z.enum(MODEL_PROVIDERS).describe("Who serves the models."),
    endpoint: z
      .string()
      .regex(/^https?:\/\/.*/, "must begin with http:// or https://")
      .describe("Base URL; the provider's own when absent.")
      .optional(),
    secretRef: z
      .strictObject({ name: z.string().describe("Name of the Secret.") })
      .describe("Secret of the same namespace with exactly one key, the API key.")
      .optional(),
  }),
  [
    {
      rule: "!has(self.endpoint) || size(self.endpoint) == 0 || self.endpoint.startsWith('http://') || self.endpoint.startsWith('https://')",
      message: "endpoint must begin with http:// or https://",
    },
    {
      rule: "self.type == 'Ollama' || (has(self.secretRef) && has(self.secretRef.name) && size(self.secretRef.name) > 0)",
      message: "secretRef is required, except with Ollama",
    },
  ],
);
/** Desired state of a ModelProviderConfig, defaults filled in. */
export type ModelProviderConfigSpec = z.output<typeof ModelProviderConfigSpec>;
