import * as z from "zod";
import { withRules } from "./cel.ts";

const NO_REFERENCE = "(!has(self.caCertSecretRef) || size(self.caCertSecretRef) == 0)";

/** How the certificate of an upstream is verified. */
export const Tls = withRules(
  z.strictObject({
    disableVerify: z.boolean().default(false).describe("Accept any certificate; for tests only."),
    caCertSecretRef: z
      .string()
      .describe("Secret of the same namespace with certificates of authorities.")
      .optional(),
    caCertSecretKey: z.string().describe("Key of the Secret that holds them, PEM.").optional(),
    disableSystemCAs: z
      .boolean()
      .default(false)
      .describe("Trust the authorities of the Secret only."),
  }),
  [
    {
      rule: `!(has(self.caCertSecretKey) && size(self.caCertSecretKey) > 0 && ${NO_REFERENCE})`,
      message: "caCertSecretKey needs caCertSecretRef",
    },
    {
      rule: "!(has(self.caCertSecretRef) && size(self.caCertSecretRef) > 0 && (!has(self.caCertSecretKey) || size(self.caCertSecretKey) == 0))",
      message: "caCertSecretRef needs caCertSecretKey",
    },
    {
      rule: `!(has(self.disableSystemCAs) && self.disableSystemCAs && (!has(self.disableVerify) || !self.disableVerify) && ${NO_REFERENCE})`,
      message: "disableSystemCAs without caCertSecretRef or disableVerify would trust nobody",
    },
  ],
);
